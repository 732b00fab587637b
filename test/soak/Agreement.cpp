// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Agreement.h"

namespace dojo::emu {

std::string difference(const Counters &a, const Counters &b, bool cycles) {
  std::string text;
  auto compare = [&](const std::string &what, uint64_t x, uint64_t y) {
    if (x != y && text.empty())
      text = what + " " + std::to_string(y) + ", not " + std::to_string(x);
  };
  if (cycles)
    compare("cycles", a.cycles, b.cycles);
  compare("instructions", a.instructions, b.instructions);
  compare("matrix steps", a.matrixSteps, b.matrixSteps);
  compare("SIMD operations", a.simdOperations, b.simdOperations);
  compare("packets", a.packets, b.packets);
  compare("packets on links", a.linkPackets, b.linkPackets);
  compare("trains", a.trains, b.trains);
  compare("nodes used", a.nodesUsed, b.nodesUsed);
  compare("layers", a.layers.size(), b.layers.size());
  for (size_t i = 0; i < a.layers.size() && text.empty(); ++i) {
    const LayerCounters &l = a.layers[i], &m = b.layers[i];
    std::string layer = "layer " + std::to_string(i) + ": ";
    if (cycles)
      compare(layer + "end", l.end, m.end);
    compare(layer + "instructions", l.instructions, m.instructions);
    compare(layer + "matrix steps", l.matrixSteps, m.matrixSteps);
    compare(layer + "SIMD operations", l.simdOperations, m.simdOperations);
    compare(layer + "work of the busiest node", l.busiestNodeWork, m.busiestNodeWork);
    compare(layer + "nodes with work", l.nodesWithWork, m.nodesWithWork);
  }
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
