// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Routes and the trains' timing: one number, 'free from', for every injection port, link and
// ejection port.
#ifndef DOJO_EMULATOR_MESH_H
#define DOJO_EMULATOR_MESH_H

#include "Parameters.h"
#include "dojo/ISA/Descriptor.h"

#include <string>
#include <vector>

namespace dojo::emu {

enum class Direction : uint8_t { East, West, South, North };

/// The links a train takes, in order, and who receives it.
struct Path {
  struct Step {
    uint32_t link; // 4 * node it leaves + direction
    uint32_t node; // it leads to
    bool ejects;   // that node receives
  };
  std::vector<Step> steps; // none: a copy within the node
  std::vector<uint32_t> receivers;

  void clear() {
    steps.clear();
    receivers.clear();
  }
  /// The node the last step leads to receives.
  void eject() {
    steps.back().ejects = true;
    receivers.push_back(steps.back().node);
  }

  template <class Archive> void archive(Archive &a, const Parameters &p) {
    steps.resize(a.count(steps.size(), maxRouteLinks + p.rows + p.columns));
    if (Archive::reading)
      receivers.clear();
    for (Step &step : steps) {
      a(step.link);
      a(step.node);
      a(step.ejects);
      a.require(step.link < 4 * p.nodes && step.node < p.nodes);
      if (Archive::reading && step.ejects)
        receivers.push_back(step.node);
    }
    a.require(steps.empty() || !receivers.empty());
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

private:
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
  bool multicastAllowed;
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
  explicit Ports(const Parameters &parameters);
  void reset();

  /// Commits a train of `packets` packets of node `from`, issued in cycle `issue`.
  void commit(uint32_t from, const Path &path, uint64_t issue, unsigned packets, TrainTiming &out);

  template <class Archive> void archive(Archive &a) {
    for (auto *ports : {&injection, &ejection, &links})
      for (uint64_t &from : *ports)
        a.readyAt(from);
  }

private:
  uint64_t hop, buffer;
  std::vector<uint64_t> injection, ejection, links;
  std::vector<uint64_t> entered; // scratch: cycle in which the train enters each link
};

} // namespace dojo::emu

#endif
