// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A run in pieces: up to a cycle, a look at the machine, and on; or saved there and resumed later,
// by another process if need be. Where and how often it stops changes neither bytes nor cycles.
#ifndef DOJO_EMULATOR_SESSION_H
#define DOJO_EMULATOR_SESSION_H

#include "dojo/Emulator/Machine.h"
#include "dojo/Emulator/Stops.h"

namespace dojo::emu {

class Run;

class Session {
public:
  /// Starts a run of `machine`, which outlives it and runs nothing else meanwhile.
  Session(Machine &machine, const RunOptions &options);
  ~Session();
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  /// Does everything that happens in cycles up to `cycle`: what issues then, and the trains issued
  /// by then, whose bytes are in the receivers' memory though some would arrive later. Nothing that
  /// comes after has happened on any node, so that the state is the same for either engine and any
  /// number of host threads. False once the run has ended, by itself or with a fault. With timing
  /// off it runs to its end.
  bool advanceTo(uint64_t cycle);
  /// From now on advanceTo stops also where these say. The nodes concerned take the plain engine,
  /// all go cycle by cycle, and the results stay the same. Replaces what was set before; without
  /// conditions the run is as fast as ever.
  void setStops(const StopConditions &conditions);
  /// Why the last advanceTo stopped before its cycle; empty: it did not. By node, watchpoints that
  /// a train has written behind. Where a thread stands before an instruction, it is in the midst of
  /// the cycle after now(): other nodes have done what they do in it, except that trains issued in
  /// it wait. Going on passes over the breakpoint it stands at.
  const std::vector<Stop> &stops() const;

  /// The cycle up to which everything has happened.
  uint64_t now() const { return at; }
  bool ended() const { return hasEnded; }

  /// Counters so far. After the end also whether all was well.
  RunResult finish();

  /// Appends the whole state of the run, the machine's memory included, to `out`. False with
  /// `error` if the run has ended or has no timing.
  [[nodiscard]] bool save(std::vector<uint8_t> &out, std::string &error);
  /// Goes on with a saved run on a machine that was given the same program. Engine, host threads
  /// and watchdog come from `options`, the seed of the jitter from the saved run. Null with
  /// `error`, the machine's memory as it was, if the bytes are no state of this machine; no bytes
  /// make it crash.
  static std::unique_ptr<Session> resume(Machine &machine, RunOptions options,
                                         std::span<const uint8_t> state, std::string &error);

private:
  explicit Session(std::unique_ptr<Run> run);

  std::unique_ptr<Run> run;
  uint64_t at = 0;
  bool hasEnded = false;
};

} // namespace dojo::emu

#endif
