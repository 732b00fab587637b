// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Perfetto's trace packets, as far as a trace of the die needs them. docs/rationale/tracing.md says
// why they are written by hand.
#ifndef DOJO_EMULATOR_TRACEWRITER_H
#define DOJO_EMULATOR_TRACEWRITER_H

#include "dojo/Emulator/Trace.h"

#include <map>
#include <utility>

namespace dojo::emu {

/// Tracks by number, which is also their identity in the trace.
enum Track : uint32_t {
  DieTrack = 1, // the group of the layers' track
  LayersTrack = 2,
  // Of node n, from 16 * (n + 1): the node's group, then
  ThreadTrack = 1, // + thread
  SendsTrack = 8,
  ReceivesTrack = 9,
};
constexpr uint32_t trackOf(uint32_t node, uint32_t which) { return 16 * (node + 1) + which; }

class TraceWriter {
public:
  TraceWriter(TraceOptions options, TraceSink sink);

  const TraceOptions options;

  /// Values shown with a slice; their names must be literals.
  using Values = std::initializer_list<std::pair<const char *, uint64_t>>;

  /// `columns`: of the die, to describe nodes.
  void beginRun(uint32_t columns);
  void begin(uint32_t track, uint64_t cycle, const std::string &name, Values values = {});
  void end(uint32_t track, uint64_t cycle);
  void slice(uint32_t track, uint64_t cycle, uint64_t until, const std::string &name,
             Values values = {});
  void instant(uint32_t track, uint64_t cycle, const std::string &name);
  /// Ends all open slices and shows the layers, given by their last cycles. The next run begins
  /// where this one ends.
  void endRun(uint64_t cycles, const std::vector<uint64_t> &layerEnds);

  std::string layerName(size_t layer) const;
  bool isCut() const { return cut.has_value(); }

  uint64_t bytes = 0, events = 0;
  std::optional<uint64_t> cut;
  bool failed = false;

private:
  struct OpenTrack {
    bool described = false;
    uint32_t depth = 0;
    uint64_t last = 0; // time of the last event
  };

  OpenTrack &at(uint32_t track);
  void describe(uint32_t track);
  void appendDescriptor(uint32_t track, uint32_t parent, const std::string &name, uint32_t rank);
  uint64_t number(std::map<std::string, uint64_t> &numbers, const std::string &name,
                  unsigned field);
  void put(uint64_t time, const std::string &event);
  bool flush(uint64_t time, uint64_t keep);
  void stop(uint64_t time);
  void endOpen(uint64_t time);

  TraceSink sink;
  uint32_t columns = 1;
  uint64_t base = 0; // cycles of earlier runs
  uint64_t layerBytes = 0, openSlices = 0;
  std::map<uint32_t, OpenTrack> tracks;
  std::map<std::string, uint64_t> names, valueNames;
  std::string interned; // names that the next packet introduces
  std::string out;      // packets of the event that is being written
};

} // namespace dojo::emu

#endif
