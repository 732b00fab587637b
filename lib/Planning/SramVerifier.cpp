// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packings checked by sweeping over epochs, and packings as text.

#include "dojo/Planning/SramPacker.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace dojo::planning {

namespace {

struct Span {
  int64_t begin, end;
  std::string what;
};

std::string grouped(int64_t n) {
  std::string s = std::to_string(n);
  for (int64_t i = static_cast<int64_t>(s.size()) - 3; i > (n < 0 ? 1 : 0); i -= 3)
    s.insert(static_cast<size_t>(i), ",");
  return s;
}

} // namespace

std::string verifyPacking(const PackProblem &problem, const Packing &packing) {
  if (packing.address.size() != problem.buffers.size())
    return "addresses for " + std::to_string(packing.address.size()) + " of " +
           std::to_string(problem.buffers.size()) + " buffers";
  std::set<int32_t> epochs;
  int64_t peak = 0, bound = 0;
  std::vector<Span> fixed;
  for (const Reservation &r : problem.reservations) {
    fixed.push_back({r.address, r.address + r.bytes, "reservation '" + r.name + "'"});
    peak = std::max(peak, r.address + r.bytes);
    bound = std::max(bound, r.address + r.bytes);
  }
  for (size_t i = 0; i < problem.buffers.size(); ++i) {
    const PackBuffer &b = problem.buffers[i];
    std::string name = "buffer '" + b.name + "'";
    if (packing.address[i] < 0 || packing.address[i] % b.alignment)
      return name + " is not aligned to " + std::to_string(b.alignment);
    peak = std::max(peak, packing.address[i] + b.bytes);
    epochs.insert(b.first);
  }
  // Two lives that meet share the epoch in which the later one begins.
  for (int32_t e : epochs) {
    std::vector<Span> spans = fixed;
    int64_t live = 0;
    for (size_t i = 0; i < problem.buffers.size(); ++i) {
      const PackBuffer &b = problem.buffers[i];
      if (b.first <= e && e <= b.last)
        spans.push_back(
            {packing.address[i], packing.address[i] + b.bytes, "buffer '" + b.name + "'"});
    }
    std::erase_if(spans, [](const Span &s) { return s.begin == s.end; });
    std::sort(spans.begin(), spans.end(),
              [](const Span &a, const Span &b) { return a.begin < b.begin; });
    for (size_t i = 0; i < spans.size(); ++i) {
      live += spans[i].end - spans[i].begin;
      if (i && spans[i].begin < spans[i - 1].end)
        return spans[i - 1].what + " and " + spans[i].what + " share bytes in epoch " +
               std::to_string(e);
    }
    bound = std::max(bound, live);
  }
  if (peak != packing.peak)
    return "the peak is " + std::to_string(peak) + ", not " + std::to_string(packing.peak);
  if (bound != packing.lowerBound)
    return "the lower bound is " + std::to_string(bound) + ", not " +
           std::to_string(packing.lowerBound);
  if (packing.fits != (peak <= problem.capacity))
    return "fits is wrong";
  return "";
}

std::string memoryMap(const PackProblem &problem, const Packing &packing) {
  std::string s = "SRAM of a node: " + grouped(problem.capacity) + " bytes; peak " +
                  grouped(packing.peak) + ", at least " + grouped(packing.lowerBound) + " needed";
  if (packing.lowerBound > problem.capacity)
    s += "; " + grouped(packing.lowerBound - problem.capacity) + " missing";
  else if (!packing.fits)
    s += "; " + grouped(packing.peak - problem.capacity) + " missing (no packing found)";
  s += "\n";
  // The fullest epoch.
  int32_t worst = 0;
  int64_t most = -1;
  std::set<int32_t> epochs;
  for (const PackBuffer &b : problem.buffers)
    epochs.insert(b.first);
  for (int32_t e : epochs) {
    int64_t live = 0;
    for (const PackBuffer &b : problem.buffers)
      live += b.first <= e && e <= b.last ? b.bytes : 0;
    if (live > most) {
      most = live;
      worst = e;
    }
  }
  for (const Reservation &r : problem.reservations)
    s += "  " + r.name + ": " + grouped(r.bytes) + " bytes at " + grouped(r.address) + "\n";
  std::map<std::string, std::vector<const PackBuffer *>> byLayer;
  for (const PackBuffer &b : problem.buffers)
    if (b.first <= worst && worst <= b.last)
      byLayer[b.layer].push_back(&b);
  std::vector<std::pair<int64_t, std::string>> order;
  for (auto &[layer, list] : byLayer) {
    int64_t sum = 0;
    for (const PackBuffer *b : list)
      sum += b->bytes;
    order.push_back({-sum, layer});
    std::sort(list.begin(), list.end(), [](const PackBuffer *a, const PackBuffer *b) {
      return std::tie(b->bytes, a->name) < std::tie(a->bytes, b->name);
    });
  }
  std::sort(order.begin(), order.end());
  s += "  fullest epoch " + std::to_string(worst) + ": " + grouped(std::max<int64_t>(most, 0)) +
       " bytes in " + std::to_string(order.size()) + " layers\n";
  constexpr size_t shownLayers = 12, shownBuffers = 4;
  for (size_t i = 0; i < order.size() && i < shownLayers; ++i) {
    const auto &list = byLayer[order[i].second];
    s += "    " + order[i].second + ": " + grouped(-order[i].first) + " bytes (";
    for (size_t j = 0; j < list.size() && j < shownBuffers; ++j)
      s += (j ? ", " : "") + list[j]->name + " " + grouped(list[j]->bytes);
    s += list.size() > shownBuffers
             ? ", and " + std::to_string(list.size() - shownBuffers) + " more)\n"
             : ")\n";
  }
  if (order.size() > shownLayers) {
    int64_t rest = 0;
    for (size_t i = shownLayers; i < order.size(); ++i)
      rest -= order[i].first;
    s += "    " + std::to_string(order.size() - shownLayers) + " further layers: " + grouped(rest) +
         " bytes\n";
  }
  return s;
}

} // namespace dojo::planning
