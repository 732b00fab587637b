// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Emulator/Session.h"

#include "Die.h"

namespace dojo::emu {

Session::Session(Machine &machine, const RunOptions &options)
    : Session(std::make_unique<Run>(*machine.die, options)) {}

Session::Session(std::unique_ptr<Run> run) : run(std::move(run)) {}

Session::~Session() = default;

bool Session::advanceTo(uint64_t cycle) {
  if (hasEnded || cycle < at)
    return !hasEnded;
  hasEnded = !run->advance(cycle);
  at = run->now();
  return !hasEnded;
}

void Session::setStops(const StopConditions &conditions) { run->setStops(conditions); }

const std::vector<Stop> &Session::stops() const { return run->stops(); }

RunResult Session::finish() { return run->finish(); }

bool Session::save(std::vector<uint8_t> &out, std::string &error) {
  if (hasEnded) {
    error = "the run has ended";
    return false;
  }
  return run->save(at, out, error);
}

std::unique_ptr<Session> Session::resume(Machine &machine, RunOptions options,
                                         std::span<const uint8_t> state, std::string &error) {
  uint64_t at = 0;
  std::unique_ptr<Run> run = Run::resume(*machine.die, options, state, at, error);
  if (!run)
    return nullptr;
  std::unique_ptr<Session> session(new Session(std::move(run)));
  session->at = at;
  return session;
}

} // namespace dojo::emu
