// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Routes and the trains' timing: one number, 'free from', for every injection port, link and
// ejection port.
#ifndef DOJO_EMULATOR_MESH_H
#define DOJO_EMULATOR_MESH_H

#include "Parameters.h"
#include "dojo/ISA/Descriptor.h"

#include <array>
#include <string>
#include <vector>

namespace dojo::emu {

enum class Direction : uint8_t { East, West, South, North };

/// The links a train takes, in order, and who receives it.
struct Path {
  static constexpr uint16_t byLegs = 0xFFFF;
  struct Leg {
    Direction direction = Direction::East;
    uint16_t links = 0;
  };
  uint16_t from = 0;
  uint16_t links = 0;         // none: a copy within the node
  uint16_t firstReceiver = 0; // usable nodes receive from the end of this link on
  uint16_t receivers = 1;
  uint16_t route = byLegs; // of the table, or:
  Leg legs[2];             // one after the other

  bool isCopy() const { return links == 0; }

  /// What was read has still to be checked: Topology::holds.
  template <class Archive> void archive(Archive &a) {
    for (uint16_t *value : {&from, &links, &firstReceiver, &receivers, &route})
      a(*value);
    for (Leg &leg : legs) {
      a(leg.direction);
      a(leg.links);
    }
  }
};

/// Shape of the die and its routes; the same for all threads and runs.
class Topology {
public:
  Topology(const Target &target, const Parameters &parameters);

  bool usable(uint32_t node) const { return node < isUsable.size() && isUsable[node]; }
  /// "21 (row 1, column 1)"
  std::string describe(uint32_t node) const;

  [[nodiscard]] bool setRoutes(std::vector<std::vector<uint8_t>> newRoutes, std::string &error);

  /// The path of a descriptor's transfer from `from`; to the sender itself it is empty. False with
  /// a reason if there is none.
  [[nodiscard]] bool path(uint32_t from, const isa::Descriptor &d, Path &out,
                          std::string &error) const;
  /// Along the row, then the column, to one node.
  [[nodiscard]] bool pathTo(uint32_t from, uint32_t to, Path &out, std::string &error) const;
  /// Whether it is a path on this die.
  bool holds(const Path &path) const;

  /// Calls f(link) for each link: 4 * the node it leaves + direction.
  template <typename F> void forLinks(const Path &path, F f) const {
    uint32_t at = path.from;
    if (path.route != Path::byLegs) {
      for (uint8_t direction : routes[path.route]) {
        f(4 * at + direction);
        at += steps[direction];
      }
      return;
    }
    for (const Path::Leg &leg : path.legs)
      for (unsigned k = 0; k < leg.links; ++k) {
        f(4 * at + static_cast<uint32_t>(leg.direction));
        at += steps[static_cast<size_t>(leg.direction)];
      }
  }
  /// The node a link leads to.
  uint32_t endOf(uint32_t link) const { return link / 4 + steps[link % 4]; }
  /// Calls f(node) for each receiver, in the order of the path.
  template <typename F> void forReceivers(const Path &path, F f) const {
    uint32_t at = path.from;
    if (path.isCopy())
      return f(at);
    if (path.route != Path::byLegs) { // to one node
      for (uint8_t direction : routes[path.route])
        at += steps[direction];
      return f(at);
    }
    uint32_t before = path.firstReceiver; // links
    for (const Path::Leg &leg : path.legs) {
      uint32_t step = steps[static_cast<size_t>(leg.direction)];
      uint32_t passed = std::min<uint32_t>(before, leg.links);
      at += passed * step;
      before -= passed;
      for (uint32_t k = passed; k < leg.links; ++k)
        if (isUsable[at += step])
          f(at);
    }
  }

private:
  void start(uint32_t from, Path &out) const;
  void receive(Path &out, unsigned links, unsigned receivers) const;
  bool walk(uint32_t &at, Direction direction, Path &out, std::string &error) const;
  bool walkRow(uint32_t &at, uint32_t column, Path &out, std::string &error) const;
  bool walkColumn(uint32_t &at, uint32_t row, Path &out, std::string &error) const;
  bool multicast(uint32_t from, const isa::Descriptor &d, Path &out, std::string &error) const;
  bool explicitRoute(uint32_t from, uint32_t to, unsigned route, Path &out,
                     std::string &error) const;
  uint32_t row(uint32_t node) const { return node / columns; }
  uint32_t column(uint32_t node) const { return node % columns; }

  uint32_t rows, columns;
  unsigned maxLinks;
  bool multicastAllowed, allForward;
  std::array<uint32_t, 4> steps; // to the next node, by direction; modulo 2^32
  std::vector<char> isUsable, forwards;
  std::vector<std::vector<uint8_t>> routes;
};

/// When a train leaves and arrives.
struct TrainTiming {
  uint64_t start = 0;               // first packet enters the injection port
  uint64_t left = 0;                // the train has left the injection port
  std::vector<uint64_t> firstWrite; // first packet written, receiver by receiver in path order
};

class Ports {
public:
  Ports(const Parameters &parameters, const Topology &topology);
  void reset();

  /// Commits a train of `packets` packets of node `from`, issued in cycle `issue`.
  void commit(uint32_t from, const Path &path, uint64_t issue, unsigned packets, TrainTiming &out);

  template <class Archive> void archive(Archive &a) {
    for (auto *ports : {&injection, &ejection, &links})
      for (uint64_t &from : *ports)
        a.readyAt(from);
  }

private:
  const Topology &topology;
  uint64_t hop, buffer;
  std::vector<uint64_t> injection, ejection, links;
  // Scratch: the train's links, and when it enters them.
  struct Taken {
    uint64_t entered;
    uint32_t link;
  };
  std::vector<Taken> taken;
};

} // namespace dojo::emu

#endif
