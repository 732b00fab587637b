// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A trace of runs for ui.perfetto.dev: layers of the die; per node its threads (layers, semaphore
// waits, lists, transfers) and the use of its ports. docs/tracing.md says how to read it.
//
// Format: Perfetto's protobuf trace, packets of track events in a stream. One cycle is written as
// one nanosecond, the format's finest unit.
#ifndef DOJO_EMULATOR_TRACE_H
#define DOJO_EMULATOR_TRACE_H

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::emu {

class TraceWriter;

struct TraceOptions {
  std::vector<uint32_t> nodes;     ///< to watch; empty: all
  uint64_t maxBytes = 256u << 20;  ///< the trace ends early rather than exceed it
  std::vector<std::string> layers; ///< names by layer number
};

/// Takes the bytes of the trace in order; false if they cannot be written.
using TraceSink = std::function<bool(std::string_view)>;

/// Runs given the same trace (RunOptions::trace) follow each other in it. The bytes depend on the
/// program and the options alone, not on the number of host threads.
class Trace {
public:
  Trace(TraceOptions options, TraceSink sink);
  ~Trace();
  Trace(const Trace &) = delete;
  Trace &operator=(const Trace &) = delete;

  uint64_t bytes() const;
  uint64_t events() const;
  /// The cycle, counted over all runs, of the first event that had no place.
  std::optional<uint64_t> cutAt() const;
  bool failed() const; ///< the sink did

  TraceWriter &writer() { return *impl; } ///< the emulator's own

private:
  std::unique_ptr<TraceWriter> impl;
};

} // namespace dojo::emu

#endif
