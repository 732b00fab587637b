// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Mesh.h"

#include <algorithm>

namespace dojo::emu {

//===----------------------------------------------------------------------===//
// Routes
//===----------------------------------------------------------------------===//

Topology::Topology(const Target &target, const Parameters &p)
    : rows(p.rows), columns(p.columns), maxLinks(p.routeLinks), multicastAllowed(p.multicast),
      isUsable(p.nodes), forwards(p.nodes) {
  for (uint32_t n = 0; n < p.nodes; ++n) {
    isUsable[n] = target.isUsable(n);
    forwards[n] = target.forwards(n);
  }
}

std::string Topology::describe(uint32_t node) const {
  return std::to_string(node) + " (row " + std::to_string(row(node)) + ", column " +
         std::to_string(column(node)) + ")";
}

bool Topology::setRoutes(std::vector<std::vector<uint8_t>> newRoutes, std::string &error) {
  for (size_t r = 0; r < newRoutes.size(); ++r) {
    const std::vector<uint8_t> &route = newRoutes[r];
    auto fail = [&](const std::string &what) {
      error = "route " + std::to_string(r) + " " + what;
      return false;
    };
    if (route.empty() || route.size() > maxLinks)
      return fail("has " + std::to_string(route.size()) + " links (1 to " +
                  std::to_string(maxLinks) + ")");
    // Links taken, relative to the start: (row, column, direction).
    std::vector<std::array<int, 3>> taken;
    int y = 0, x = 0;
    for (uint8_t direction : route) {
      if (direction > 3)
        return fail("has direction " + std::to_string(direction) + " (0 to 3)");
      taken.push_back({y, x, direction});
      x += direction == 0 ? 1 : direction == 1 ? -1 : 0;
      y += direction == 2 ? 1 : direction == 3 ? -1 : 0;
    }
    std::sort(taken.begin(), taken.end());
    if (std::adjacent_find(taken.begin(), taken.end()) != taken.end())
      return fail("takes a link twice");
  }
  routes = std::move(newRoutes);
  return true;
}

bool Topology::walk(uint32_t &at, Direction direction, Path &out, std::string &error) const {
  if (!out.steps.empty() && !forwards[at]) {
    error = "the router of position " + describe(at) + " does not forward";
    return false;
  }
  uint32_t link = 4 * at + static_cast<uint32_t>(direction);
  bool inside = true;
  switch (direction) {
  case Direction::East:
    inside = column(at) + 1 < columns;
    at += 1;
    break;
  case Direction::West:
    inside = column(at) > 0;
    at -= 1;
    break;
  case Direction::South:
    inside = row(at) + 1 < rows;
    at += columns;
    break;
  case Direction::North:
    inside = row(at) > 0;
    at -= columns;
    break;
  }
  if (!inside) {
    error = "the route leaves the die";
    return false;
  }
  out.steps.push_back({link, at, false});
  return true;
}

bool Topology::walkRow(uint32_t &at, uint32_t toColumn, Path &out, std::string &error) const {
  while (column(at) != toColumn)
    if (!walk(at, column(at) < toColumn ? Direction::East : Direction::West, out, error))
      return false;
  return true;
}

bool Topology::walkColumn(uint32_t &at, uint32_t toRow, Path &out, std::string &error) const {
  while (row(at) != toRow)
    if (!walk(at, row(at) < toRow ? Direction::South : Direction::North, out, error))
      return false;
  return true;
}

bool Topology::pathTo(uint32_t from, uint32_t to, Path &out, std::string &error) const {
  out.clear();
  if (!usable(to)) {
    error = "destination " + (to < isUsable.size() ? describe(to) : std::to_string(to)) +
            " is not a usable node";
    return false;
  }
  uint32_t at = from;
  if (!walkRow(at, column(to), out, error) || !walkColumn(at, row(to), out, error))
    return false;
  if (out.steps.empty())
    out.receivers.push_back(to);
  else
    out.eject();
  return true;
}

bool Topology::explicitRoute(uint32_t from, uint32_t to, unsigned route, Path &out,
                             std::string &error) const {
  out.clear();
  if (route >= routes.size()) {
    error = "route index " + std::to_string(route) + " is not in the table of " +
            std::to_string(routes.size());
    return false;
  }
  uint32_t at = from;
  for (uint8_t direction : routes[route])
    if (!walk(at, static_cast<Direction>(direction), out, error))
      return false;
  if (at != to || !usable(to)) {
    error = "route " + std::to_string(route) + " leads to " + describe(at) +
            ", the destination is " + std::to_string(to);
    return false;
  }
  out.eject();
  return true;
}

bool Topology::multicast(uint32_t from, const isa::Descriptor &d, Path &out,
                         std::string &error) const {
  out.clear();
  if (!multicastAllowed) {
    error = "the target has no multicast";
    return false;
  }
  if (d.route != isa::Descriptor::rowThenColumn) {
    error = "a multicast takes no route index";
    return false;
  }
  bool rowRun = d.run == isa::Descriptor::Run::Row;
  uint32_t extent = rowRun ? columns : rows;
  if (d.first >= extent || d.last >= extent || (!rowRun && d.column >= columns)) {
    error = "the multicast run is not on the die";
    return false;
  }
  uint32_t at = from;
  if (!rowRun && !walkRow(at, d.column, out, error))
    return false;
  uint32_t own = rowRun ? column(from) : row(from);
  bool oneSide = rowRun ? d.first != own && (d.first > own ? d.last >= d.first : d.last <= d.first)
                 : d.first == own ? true
                                  : (d.first > own ? d.last >= d.first : d.last <= d.first);
  if (!oneSide) {
    error = "the multicast run is not on one side of the sender";
    return false;
  }
  // A column run may begin where the row part ends.
  if (!rowRun && d.first == own && !out.steps.empty() && usable(at))
    out.eject();
  uint32_t position = own;
  bool increasing = d.last > own;
  while (position != d.last) {
    Direction direction = rowRun ? (increasing ? Direction::East : Direction::West)
                                 : (increasing ? Direction::South : Direction::North);
    if (!walk(at, direction, out, error))
      return false;
    position = increasing ? position + 1 : position - 1;
    bool inRun = increasing ? position >= d.first : position <= d.first;
    if (inRun && usable(at))
      out.eject();
  }
  if (out.receivers.empty()) {
    error = "the multicast run has no usable node beside the sender";
    return false;
  }
  return true;
}

bool Topology::path(uint32_t from, const isa::Descriptor &d, Path &out, std::string &error) const {
  if (d.multicast)
    return multicast(from, d, out, error);
  if (d.die != 0) {
    error = "destination is on die " + std::to_string(d.die) + "; there is only die 0";
    return false;
  }
  if (d.route != isa::Descriptor::rowThenColumn)
    return explicitRoute(from, d.node, d.route, out, error);
  return pathTo(from, d.node, out, error);
}

//===----------------------------------------------------------------------===//
// Trains
//===----------------------------------------------------------------------===//

Ports::Ports(const Parameters &p)
    : hop(p.hop), buffer(p.buffer), injection(p.nodes), ejection(p.nodes), links(4 * p.nodes),
      entered(maxRouteLinks + p.rows + p.columns) {}

void Ports::reset() {
  std::fill(injection.begin(), injection.end(), 0);
  std::fill(ejection.begin(), ejection.end(), 0);
  std::fill(links.begin(), links.end(), 0);
}

void Ports::commit(uint32_t from, const Path &path, uint64_t issue, unsigned packets,
                   TrainTiming &out) {
  out.firstWrite.clear();
  if (path.steps.empty()) { // a copy: both ports of the node at once
    uint64_t t = std::max({issue, injection[from], ejection[from]});
    injection[from] = ejection[from] = t + packets;
    out.start = t;
    out.left = t + packets;
    out.firstWrite.push_back(t);
    return;
  }
  // A resource is free again once the train has passed, or later if what does not fit the next
  // buffer waits in it.
  auto freeAgain = [&](uint64_t t, uint64_t next) {
    uint64_t passed = t + packets, held = next + packets;
    return held > buffer ? std::max(passed, held - buffer) : passed;
  };
  size_t count = path.steps.size();
  uint64_t t0 = std::max(issue, injection[from]);
  uint64_t t = t0;
  for (size_t i = 0; i < count; ++i) {
    t = std::max(t + hop, links[path.steps[i].link]);
    entered[i] = t;
  }
  injection[from] = freeAgain(t0, entered[0]);
  for (size_t i = 0; i < count; ++i) {
    const Path::Step &step = path.steps[i];
    uint64_t next = i + 1 < count ? entered[i + 1] : entered[i] + hop;
    if (step.ejects) {
      uint64_t te = std::max(entered[i] + hop, ejection[step.node]);
      ejection[step.node] = te + packets;
      out.firstWrite.push_back(te);
      next = i + 1 < count ? std::max(next, te) : te;
    }
    links[step.link] = freeAgain(entered[i], next);
  }
  out.start = t0;
  out.left = injection[from];
}

} // namespace dojo::emu
