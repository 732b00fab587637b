// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Outcome.h"

#include <algorithm>
#include <stdexcept>

namespace dojo::emu {

Outcome run(const Program &program, const RunOptions &options) {
  std::string error;
  std::unique_ptr<Machine> machine = Machine::create(program.target, error);
  if (!machine)
    throw std::runtime_error(error);
  program.place(*machine);
  RunOptions limited = options;
  limited.watchdog = program.watchdog;
  RunResult result = machine->run(limited);
  Outcome out;
  out.counters = result.counters;
  for (const CheckReport &report : result.checks.reports)
    out.reports += "\n    " + report.message(program.target, nullptr);
  if (result.fault) {
    out.fault = result.fault->message(program.target);
    return out;
  }
  std::vector<Interval> touched = program.memory();
  size_t bytesOfNode = 0;
  for (Interval i : touched)
    bytesOfNode += i.end - i.begin;
  out.memory.reserve(bytesOfNode * program.target.usableNodes().size());
  for (int64_t n : program.target.usableNodes()) {
    uint32_t node = static_cast<uint32_t>(n);
    for (Interval i : touched) {
      size_t at = out.memory.size(), bytes = i.end - i.begin;
      out.memory.resize(at + bytes);
      if (!machine->read(node, i.begin, std::span(out.memory).subspan(at, bytes), error))
        throw std::runtime_error(error);
    }
    for (unsigned t = 0; t < 4; ++t) {
      for (unsigned i = 0; i < 32; ++i) {
        out.registers.push_back(machine->scalarRegister(node, t, i));
        for (uint32_t w : machine->vectorRegister(node, t, i))
          out.registers.push_back(w);
      }
      for (unsigned i = 0; i < 8; ++i)
        out.registers.push_back(machine->maskRegister(node, t, i));
    }
    for (unsigned i = 0; i < static_cast<unsigned>(program.target.accumulators); ++i)
      for (uint32_t w : machine->accumulator(node, i))
        out.registers.push_back(w);
  }
  return out;
}

std::string difference(const Outcome &a, const Outcome &b, bool cycles) {
  if (a.fault != b.fault)
    return "\n    " + (a.fault.empty() ? "no fault" : a.fault) + "\n    " +
           (b.fault.empty() ? "no fault" : b.fault);
  if (!a.fault.empty())
    return "";
  std::string text = difference(a.counters, b.counters, cycles);
  auto first = [&](const std::string &what, const auto &p, const auto &q) {
    if (!text.empty() || p == q)
      return;
    size_t at = static_cast<size_t>(std::mismatch(p.begin(), p.end(), q.begin(), q.end()).first -
                                    p.begin());
    text = what + " " + std::to_string(at) + " of " + std::to_string(p.size()) + " is " +
           std::to_string(q[at]) + ", not " + std::to_string(p[at]);
  };
  first("register", a.registers, b.registers);
  first("byte", a.memory, b.memory);
  return text;
}

} // namespace dojo::emu
