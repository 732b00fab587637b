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
  std::string text;
  auto compare = [&](const std::string &what, uint64_t x, uint64_t y) {
    if (x != y && text.empty())
      text = what + " " + std::to_string(x) + ", not " + std::to_string(y);
  };
  const Counters &x = a.counters, &y = b.counters;
  if (cycles)
    compare("cycles", x.cycles, y.cycles);
  compare("instructions", x.instructions, y.instructions);
  compare("matrix steps", x.matrixSteps, y.matrixSteps);
  compare("SIMD operations", x.simdOperations, y.simdOperations);
  compare("packets", x.packets, y.packets);
  compare("packets on links", x.linkPackets, y.linkPackets);
  compare("trains", x.trains, y.trains);
  compare("nodes used", x.nodesUsed, y.nodesUsed);
  compare("layers", x.layers.size(), y.layers.size());
  for (size_t i = 0; i < x.layers.size() && text.empty(); ++i) {
    const LayerCounters &l = x.layers[i], &m = y.layers[i];
    std::string layer = "layer " + std::to_string(i) + ": ";
    if (cycles)
      compare(layer + "end", l.end, m.end);
    compare(layer + "instructions", l.instructions, m.instructions);
    compare(layer + "matrix steps", l.matrixSteps, m.matrixSteps);
    compare(layer + "SIMD operations", l.simdOperations, m.simdOperations);
    compare(layer + "work of the busiest node", l.busiestNodeWork, m.busiestNodeWork);
    compare(layer + "nodes with work", l.nodesWithWork, m.nodesWithWork);
  }
  auto first = [&](const std::string &what, const auto &p, const auto &q) {
    if (!text.empty() || p == q)
      return;
    size_t at = static_cast<size_t>(std::mismatch(p.begin(), p.end(), q.begin(), q.end()).first -
                                    p.begin());
    compare(what + " " + std::to_string(at) + " of " + std::to_string(p.size()), p[at], q[at]);
  };
  first("register", a.registers, b.registers);
  first("byte", a.memory, b.memory);
  return text;
}

std::string describe(const RunOptions &options) {
  std::string text = options.engine == Engine::Plain ? "plain" : "fast";
  if (options.engine == Engine::Fast && options.hostPath)
    text += std::string(" ") + name(*options.hostPath);
  if (options.engine == Engine::Fast)
    text += options.tier == Tier::Native     ? ", native code"
            : options.tier == Tier::Handlers ? ", handlers"
                                             : "";
  text += ", threads " + std::to_string(options.threads) + ", timing " +
          (options.timing ? "on" : "off");
  if (options.jitterSeed)
    text += ", jitter " + std::to_string(*options.jitterSeed);
  if (options.nodeOrderSeed)
    text += ", order " + std::to_string(*options.nodeOrderSeed);
  return text;
}

} // namespace dojo::emu
