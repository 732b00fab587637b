// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Mesh.h"

#include <algorithm>

namespace dojo::emu {

//===----------------------------------------------------------------------===//
// Routes
//===----------------------------------------------------------------------===//

Topology::Topology(const Target &target, const Parameters &p)
    : rows(p.rows), columns(p.columns), maxLinks(p.routeLinks), multicastAllowed(p.multicast),
      steps{1, -1u, p.columns, -p.columns}, isUsable(p.nodes), forwards(p.nodes) {
  for (uint32_t n = 0; n < p.nodes; ++n) {
    isUsable[n] = target.isUsable(n);
    forwards[n] = target.forwards(n);
  }
  allForward = std::find(forwards.begin(), forwards.end(), 0) == forwards.end();
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

void Topology::start(uint32_t from, Path &out) const {
  out = Path();
  out.from = static_cast<uint16_t>(from);
}

// The nodes from the end of link `links` on receive.
void Topology::receive(Path &out, unsigned links, unsigned receivers) const {
  out.firstReceiver = static_cast<uint16_t>(links - 1);
  out.receivers = static_cast<uint16_t>(receivers);
}

bool Topology::walk(uint32_t &at, Direction direction, Path &out, std::string &error) const {
  if (out.links && !forwards[at]) {
    error = "the router of position " + describe(at) + " does not forward";
    return false;
  }
  bool inside = direction == Direction::East    ? column(at) + 1 < columns
                : direction == Direction::West  ? column(at) > 0
                : direction == Direction::South ? row(at) + 1 < rows
                                                : row(at) > 0;
  if (!inside) {
    error = "the route leaves the die";
    return false;
  }
  at += steps[static_cast<size_t>(direction)];
  // The second leg is the one that is in use, or that begins where the first has another direction.
  Path::Leg *leg = &out.legs[out.legs[1].links ? 1 : 0];
  if (leg->links && leg->direction != direction)
    leg = &out.legs[1];
  *leg = {direction, static_cast<uint16_t>(leg->links + 1)};
  ++out.links;
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
  start(from, out);
  if (!usable(to)) {
    error = "destination " + (to < isUsable.size() ? describe(to) : std::to_string(to)) +
            " is not a usable node";
    return false;
  }
  if (allForward) {
    bool east = column(from) < column(to), south = row(from) < row(to);
    uint32_t across = east ? column(to) - column(from) : column(from) - column(to);
    uint32_t along = south ? row(to) - row(from) : row(from) - row(to);
    out.legs[0] = {east ? Direction::East : Direction::West, static_cast<uint16_t>(across)};
    out.legs[1] = {south ? Direction::South : Direction::North, static_cast<uint16_t>(along)};
    out.links = static_cast<uint16_t>(across + along);
  } else {
    uint32_t at = from;
    if (!walkRow(at, column(to), out, error) || !walkColumn(at, row(to), out, error))
      return false;
  }
  if (!out.isCopy())
    receive(out, out.links, 1);
  return true;
}

bool Topology::explicitRoute(uint32_t from, uint32_t to, unsigned route, Path &out,
                             std::string &error) const {
  start(from, out);
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
  out.route = static_cast<uint16_t>(route);
  out.legs[0] = out.legs[1] = Path::Leg();
  receive(out, out.links, 1);
  return true;
}

bool Topology::holds(const Path &path) const {
  if (path.from >= isUsable.size() || path.firstReceiver > path.links ||
      path.links > maxRouteLinks + rows + columns)
    return false;
  if (path.route != Path::byLegs &&
      (path.route >= routes.size() || path.firstReceiver + 1 != path.links))
    return false;
  for (const Path::Leg &leg : path.legs)
    if (leg.direction > Direction::North)
      return false;
  Path again;
  std::string error;
  start(path.from, again);
  uint32_t at = path.from;
  auto take = [&](Direction direction) {
    return again.links < path.links && walk(at, direction, again, error);
  };
  if (path.route != Path::byLegs) {
    for (uint8_t direction : routes[path.route])
      if (!take(static_cast<Direction>(direction)))
        return false;
  } else {
    for (const Path::Leg &leg : path.legs)
      for (unsigned k = 0; k < leg.links; ++k)
        if (!take(leg.direction))
          return false;
  }
  if (again.links != path.links || (path.route != Path::byLegs && !usable(at)))
    return false;
  unsigned receivers = 0;
  forReceivers(path, [&receivers](uint32_t) { ++receivers; });
  return receivers > 0 && receivers == path.receivers;
}

bool Topology::multicast(uint32_t from, const isa::Descriptor &d, Path &out,
                         std::string &error) const {
  start(from, out);
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
  unsigned first = 0, receivers = 0; // the link to the first receiver, from 1 on
  auto reached = [&] {
    if (!usable(at))
      return;
    first = receivers++ ? first : out.links;
  };
  if (!rowRun && d.first == own && out.links)
    reached();
  uint32_t position = own;
  bool increasing = d.last > own;
  while (position != d.last) {
    Direction direction = rowRun ? (increasing ? Direction::East : Direction::West)
                                 : (increasing ? Direction::South : Direction::North);
    if (!walk(at, direction, out, error))
      return false;
    position = increasing ? position + 1 : position - 1;
    bool inRun = increasing ? position >= d.first : position <= d.first;
    if (inRun)
      reached();
  }
  if (receivers == 0) {
    error = "the multicast run has no usable node beside the sender";
    return false;
  }
  receive(out, first, receivers);
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

Ports::Ports(const Parameters &p, const Topology &topology)
    : topology(topology), hop(p.hop), buffer(p.buffer), injection(p.nodes), ejection(p.nodes),
      links(4 * p.nodes), taken(maxRouteLinks + p.rows + p.columns) {}

void Ports::reset() {
  std::fill(injection.begin(), injection.end(), 0);
  std::fill(ejection.begin(), ejection.end(), 0);
  std::fill(links.begin(), links.end(), 0);
}

void Ports::commit(uint32_t from, const Path &path, uint64_t issue, unsigned packets,
                   TrainTiming &out) {
  out.firstWrite.clear();
  if (path.isCopy()) { // a copy: both ports of the node at once
    uint64_t t = std::max({issue, injection[from], ejection[from]});
    injection[from] = ejection[from] = t + packets;
    out.start = t;
    out.left = t + packets;
    out.firstWrite.push_back(t);
    return;
  }
  // A resource is free again once the train has passed, or later if what does not fit the next
  // buffer waits in it.
  int64_t behind = int64_t(packets) - int64_t(buffer);
  auto freeAgain = [&](uint64_t t, uint64_t next) {
    return static_cast<uint64_t>(std::max(int64_t(t + packets), int64_t(next) + behind));
  };
  uint64_t t0 = std::max(issue, injection[from]);
  uint64_t t = t0;
  Taken *end = taken.data();
  topology.forLinks(path, [&](uint32_t link) {
    t = std::max(t + hop, links[link]);
    *end++ = {t, link};
  });
  injection[from] = freeAgain(t0, taken[0].entered);
  const Taken *here = taken.data(), *receiving = here + path.firstReceiver;
  for (; here != receiving; ++here)
    links[here->link] = freeAgain(here->entered, here[1].entered);
  for (; here != end; ++here) {
    bool last = here + 1 == end;
    uint64_t next = last ? 0 : here[1].entered;
    if (uint32_t node = topology.endOf(here->link); topology.usable(node)) {
      uint64_t te = std::max(here->entered + hop, ejection[node]);
      ejection[node] = te + packets;
      out.firstWrite.push_back(te);
      next = std::max(next, te);
    } else if (last) {
      next = here->entered + hop;
    }
    links[here->link] = freeAgain(here->entered, next);
  }
  out.start = t0;
  out.left = injection[from];
}

} // namespace dojo::emu
