// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors that move data, in the list of one node.

#include "Mutations.h"

namespace dojo::mutations {
namespace {

using isa::Descriptor;

/// A node's list, and a descriptor of it that moves data.
struct Picked {
  int64_t node = -1;
  std::vector<Descriptor> list;
  size_t at = 0;
  Descriptor &d() { return list[at]; }
};

bool moves(const Descriptor &d) {
  return d.kind == Descriptor::Kind::Push || d.kind == Descriptor::Kind::Pull ||
         d.kind == Descriptor::Kind::Copy;
}

bool pick(const Mutant &m, Random &random, Picked &p) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    p.node = random.oneOf(m.nodes());
    p.list = m.list(p.node);
    std::vector<size_t> candidates;
    for (size_t i = 0; i < p.list.size(); ++i)
      if (moves(p.list[i]))
        candidates.push_back(i);
    if (candidates.empty())
      continue;
    p.at = random.oneOf(candidates);
    return true;
  }
  return false;
}

/// Puts the list back.
std::string done(Mutant &m, const Picked &p, const std::string &what) {
  if (!m.setList(p.node, p.list))
    return "";
  return "node " + std::to_string(p.node) + ", descriptor " + std::to_string(p.at) + ": " + what;
}

std::string drop(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  p.list.erase(p.list.begin() + int64_t(p.at));
  return done(m, p, "dropped");
}

std::string duplicate(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  Descriptor copy = p.d();
  p.list.insert(p.list.begin() + int64_t(p.at), copy);
  return done(m, p, "twice");
}

/// In place of another one, so that the numbers of arrivals may stay.
std::string insteadOfAnother(Mutant &m, Random &random) {
  Picked p, other;
  if (!pick(m, random, p) || !pick(m, random, other))
    return "";
  Descriptor before = p.d();
  for (int i = 0; i < 20 && (other.node != p.node || other.d() == p.d()); ++i)
    pick(m, random, other);
  if (other.node != p.node || other.d() == p.d())
    return "";
  p.d() = other.d();
  p.d().farSemaphore = before.farSemaphore;
  return done(m, p, "another of the list in its place");
}

std::string reroute(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  Descriptor &d = p.d();
  if (d.multicast) {
    uint8_t &field = *random.oneOf({&d.first, &d.last, &d.column});
    uint8_t before = field;
    field = uint8_t(field + random.oneOf({-1, 1, 2}));
    return done(m, p, "run's " + std::to_string(before) + " is " + std::to_string(field));
  }
  uint16_t before = d.node;
  d.node = uint16_t(random.oneOf(m.nodes()));
  return d.node == before ? "" : done(m, p, "to node " + std::to_string(d.node));
}

/// Another way to the same node, or not quite.
std::string explicitRoute(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p) || p.d().multicast || p.d().node == p.node)
    return "";
  using image::Step;
  const Target &target = m.image.target;
  Position from = target.position(p.node), to = target.position(p.d().node);
  image::Route rows(size_t(std::abs(to.row - from.row)),
                    to.row > from.row ? Step::South : Step::North);
  image::Route columns(size_t(std::abs(to.column - from.column)),
                       to.column > from.column ? Step::East : Step::West);
  image::Route route = rows;
  route.insert(route.end(), columns.begin(), columns.end());
  if (random.flip())
    route.push_back(random.oneOf({Step::East, Step::West, Step::South, Step::North}));
  else if (random.flip() && !route.empty())
    route.pop_back();
  m.image.routes.push_back(route);
  p.d().route = uint16_t(m.image.routes.size() - 1);
  return done(m, p, "by a route of " + std::to_string(route.size()) + " links");
}

std::string address(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  uint32_t &field = random.flip() ? p.d().localAddress : p.d().remoteAddress;
  uint32_t before = field;
  if (random.below(4) == 0)
    field = random.oneOf(m.image.buffers).address;
  else
    field += uint32_t(random.oneOf({-64, -16, -8, -2, 2, 4, 8, 16, 64, 256}));
  return field == before
             ? ""
             : done(m, p, "address " + std::to_string(before) + " is " + std::to_string(field));
}

std::string shape(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  Descriptor &d = p.d();
  size_t i = random.below(3);
  int32_t by = random.oneOf({-16, -8, -4, -2, -1, 1, 2, 4, 8, 16, 64});
  switch (random.below(4)) {
  case 0:
    d.runBytes += uint32_t(by);
    return done(m, p, "runs of " + std::to_string(d.runBytes) + " bytes");
  case 1:
    d.count[i] += uint32_t(random.oneOf({-1, 1, 2}));
    return done(m, p, "count " + std::to_string(d.count[i]));
  case 2:
    d.localStride[i] += by;
    return done(m, p, "own stride " + std::to_string(d.localStride[i]));
  default:
    d.remoteStride[i] += by;
    return done(m, p, "far stride " + std::to_string(d.remoteStride[i]));
  }
}

std::string arrival(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  if (random.below(4) == 0) {
    p.d().hasFarSemaphore = false;
    return done(m, p, "announces no arrival");
  }
  p.d().farSemaphore = uint8_t(p.d().farSemaphore + random.oneOf({-2, -1, 1, 2}));
  return done(m, p, "semaphore " + std::to_string(p.d().farSemaphore));
}

/// Earlier or later in the list, perhaps across waits.
std::string move(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  size_t to = random.below(p.list.size() - 1);
  if (to == p.at)
    return "";
  Descriptor d = p.d();
  p.list.erase(p.list.begin() + int64_t(p.at));
  p.list.insert(p.list.begin() + int64_t(to), d);
  return done(m, p, "moved to place " + std::to_string(to));
}

/// Two of a list exchange their sources or their destinations.
std::string cross(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  std::vector<size_t> others;
  for (size_t i = 0; i < p.list.size(); ++i)
    if (i != p.at && moves(p.list[i]))
      others.push_back(i);
  if (others.empty())
    return "";
  Descriptor &a = p.d(), &b = p.list[random.oneOf(others)];
  uint32_t Descriptor::*field =
      random.flip() ? &Descriptor::localAddress : &Descriptor::remoteAddress;
  if (a.*field == b.*field)
    return "";
  std::swap(a.*field, b.*field);
  return done(m, p, "addresses exchanged with another's");
}

} // namespace

const std::vector<Mutation> &transferMutations() {
  static const std::vector<Mutation> list = {
      {"transfer-dropped", verify::Check::Transfers, drop},
      {"transfer-duplicated", verify::Check::Transfers, duplicate},
      {"transfer-replaced", verify::Check::Transfers, insteadOfAnother},
      {"transfer-elsewhere", verify::Check::Transfers, reroute},
      {"transfer-route", verify::Check::Transfers, explicitRoute},
      {"transfer-address", verify::Check::Transfers, address},
      {"transfer-shape", verify::Check::Transfers, shape},
      {"transfer-semaphore", verify::Check::Transfers, arrival},
      {"transfer-moved", verify::Check::Transfers, move},
      {"transfers-crossed", verify::Check::Transfers, cross},
  };
  return list;
}

} // namespace dojo::mutations
