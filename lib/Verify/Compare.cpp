// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The image against what the compiler meant to put there.

#include "Checks.h"
#include "dojo/ISA/ISA.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

namespace dojo::verify {
namespace {

using isa::Descriptor;

/// Node, then the bytes of a descriptor that says the same thing in one way.
using Key = std::pair<uint32_t, std::array<uint8_t, Descriptor::bytes>>;

Key keyOf(uint32_t node, Descriptor d) {
  bool toSelf = d.kind == Descriptor::Kind::Push && !d.multicast && d.node == node && d.die == 0;
  if (toSelf || d.kind == Descriptor::Kind::Copy) {
    d.kind = Descriptor::Kind::Copy;
    d.node = uint16_t(node);
    d.route = Descriptor::rowThenColumn;
  }
  d.addressFromRegister = d.countFromRegister = d.hasFarSemaphore = d.hasOwnSemaphore = false;
  d.addressRegister = d.countRegister = d.farSemaphore = d.ownSemaphore = 0;
  d.amount = 0;
  for (int i = 0; i < 3; ++i)
    if (d.count[i] == 1)
      d.localStride[i] = d.remoteStride[i] = 0;
  Key key{node, {}};
  d.encode(key.second.data());
  return key;
}

/// Lines of a listing against the instructions from `address` on.
void compare(const ImageIndex &index, int64_t node, uint32_t address,
             const std::vector<std::string> &lines, Report &report) {
  uint32_t offset = 0;
  for (const std::string &line : lines) {
    std::span<const uint8_t> code = index.bytesAt(node, int64_t(address) + offset);
    isa::Inst inst;
    bool defined = isa::decode(code.data(), code.size(), inst);
    std::string text = defined ? isa::disassemble(inst, offset) : "undefined";
    if (text != line) {
      report.add(Check::Instructions, Verdict::Error,
                 index.nodeName(node) + " at " + ImageIndex::hex(uint64_t(address) + offset) +
                     ": \"" + text + "\" was placed where \"" + line + "\" was emitted");
      return;
    }
    offset += inst.bytes;
  }
}

} // namespace

void checkPlanned(const Program &program, const std::vector<PlannedTransfer> &planned,
                  Report &report) {
  const ImageIndex &index = program.index;
  if (!program.complete())
    report.add(Check::Transfers, Verdict::Undecided,
               "not every thread could be followed to its end");
  std::vector<Key> meant;
  std::vector<std::pair<Key, uint32_t>> found; // with its place in program.transfers
  for (const PlannedTransfer &p : planned)
    meant.push_back(keyOf(p.node, p.descriptor));
  for (const Transfer &t : program.transfers)
    found.push_back({keyOf(t.node, t.d), uint32_t(found.size())});
  std::sort(meant.begin(), meant.end());
  std::sort(found.begin(), found.end());
  auto m = meant.begin();
  auto f = found.begin();
  while (m != meant.end() || f != found.end()) {
    if (f == found.end() || (m != meant.end() && *m < f->first)) {
      Transfer t;
      t.node = m->first;
      (void)Descriptor::decode(m->second.data(), t.d, nullptr);
      report.add(Check::Transfers, Verdict::Error,
                 index.nodeName(t.node) + " was planned to send " +
                     ImageIndex::bytesName(t.d.localAddress, t.d.localAddress + t.d.runBytes) +
                     (t.d.multicast ? " by multicast" : " to " + index.nodeName(t.d.node)) +
                     ", address " + std::to_string(t.d.remoteAddress) + ", but does not");
      ++m;
    } else if (m == meant.end() || f->first < *m) {
      report.add(Check::Transfers, Verdict::Error,
                 program.transferName(program.transfers[f->second]) +
                     ", was not planned, or not as often");
      ++f;
    } else {
      ++m, ++f;
    }
  }
}

void checkListings(const ImageIndex &index, const std::vector<Listing> &listings, Report &report) {
  for (const Listing &listing : listings) {
    // Bytes of a blob that were compared already: nodes that hold the same load, and the same blob
    // at other addresses.
    std::set<std::pair<uint32_t, uint32_t>> done;
    for (const Listing::Place &place : listing.places) {
      if (place.nodeSet >= index.image.nodeSets.size()) {
        report.add(Check::Instructions, Verdict::Error, "a listing names no node set");
        continue;
      }
      for (int64_t node : index.image.nodeSets[place.nodeSet].nodes()) {
        const Placed *load = index.placedAt(node, place.address);
        if (load && !done.insert({load->blob, place.address - load->begin}).second)
          continue;
        compare(index, node, place.address, listing.lines, report);
      }
    }
  }
}

/// A box of a tensor on a node, all its numbers in a row.
using PlacedBox = std::tuple<std::string, uint32_t, std::vector<int64_t>>;

static PlacedBox placedBox(const std::string &tensor, uint32_t node, const image::Box &box) {
  std::vector<int64_t> numbers{box.address};
  for (const auto *list : {&box.lo, &box.size, &box.strides})
    numbers.insert(numbers.end(), list->begin(), list->end());
  return {tensor, node, std::move(numbers)};
}

void checkBoxes(const ImageIndex &index, const std::vector<PlannedBox> &planned, Report &report) {
  const image::Image &image = index.image;
  std::map<PlacedBox, int64_t> missing;
  for (const PlannedBox &p : planned)
    ++missing[placedBox(p.tensor, p.node, p.box)];
  for (const auto *list : {&image.inputs, &image.outputs, &image.tensors})
    for (const image::TensorRef &tensor : *list)
      for (const image::Box &box : tensor.boxes)
        for (int64_t node : image.nodeSets[box.nodeSet].nodes())
          --missing[placedBox(tensor.name, uint32_t(node), box)];
  for (const auto &[box, count] : missing)
    if (count != 0)
      report.add(Check::Layouts, Verdict::Error,
                 "\"" + std::get<0>(box) + "\" has a box at address " +
                     std::to_string(std::get<2>(box)[0]) + " of " +
                     index.nodeName(std::get<1>(box)) +
                     (count < 0 ? " that was not planned, or not as often"
                                : " in the plan that the image lacks"));
}

} // namespace dojo::verify
