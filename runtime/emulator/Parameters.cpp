// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Parameters.h"

namespace dojo::emu {

bool makeParameters(const Target &t, Parameters &p, std::string &error) {
  // What the instruction formats, the descriptors or the trains' rules fix.
  struct {
    const char *name;
    int64_t value, least, greatest;
  } limits[] = {
      {"threads", t.threads, 1, numThreads},
      {"scalar registers", t.scalarRegisters, numXRegisters, numXRegisters},
      {"vector registers", t.vectorRegisters, numVRegisters, numVRegisters},
      {"bytes of a vector register", t.vectorRegisterBytes, 64, 64},
      {"lanes", t.lanes, 16, 16},
      {"masks", t.masks, numMasks, numMasks},
      {"accumulators", t.accumulators, 1, maxAccumulators},
      {"rows of the matrix step", t.matrixRows, 8, 8},
      {"columns of the matrix step", t.matrixColumns, 8, 8},
      {"depth of the matrix step", t.matrixDepth, 4, 4},
      {"semaphores", t.semaphores, numSemaphores, numSemaphores},
      {"bits of a semaphore", t.semaphoreBits, 16, 16},
      {"bytes of a packet", t.packetBytes, 1, 1 << 16},
      {"packets of a train", t.trainPackets, 1, maxTrainPackets},
      {"links of a route", t.routeLinks, 1, maxRouteLinks},
      {"packets a cycle on a link", t.linkPackets, 1, 1},
      {"packets a cycle into the mesh", t.injectionPackets, 1, 1},
      {"packets a cycle out of the mesh", t.ejectionPackets, 1, 1},
      {"cycles of a hop", t.hopCycles, 1, 1 << 20},
      {"ALU slots", t.aluSlots, 1, 8},
      {"AGU slots", t.aguSlots, 2, 8},
      {"SIMD slots", t.simdSlots, 1, 8},
      {"matrix slots", t.matrixSlots, 1, 8},
      {"stores a cycle", t.storePorts, 1, 8},
      {"threads that decode in a cycle", t.decodeThreads, 1, numThreads},
      {"instructions a thread decodes in a cycle", t.decodePerThread, 1, 64},
      {"rows", t.rows, 1, 256},
      {"columns", t.columns, 1, 256},
      {"SRAM bytes", t.sramBytes, 1, 1 << 30},
      {"bytes of a code line", t.codeLineBytes, 8, 1 << 16},
      {"code lines", t.codeLines, 1, 1 << 14},
      {"bytes of an SRAM line", t.lineBytes, 64, 1 << 16},
      {"alignment of vectors", t.vectorAlignment, 1, 64},
      {"cycles of control latency", t.controlLatency, 1, 1 << 20},
      {"cycles of signal latency", t.signalLatency, 1, 1 << 20},
      {"cycles from arrival to semaphore", t.arrivalLatency, 1, 1 << 20},
      {"cycles to a pull's answer", t.pullAnswerLatency, 1, 1 << 20},
      {"cycles to a list's first descriptor", t.listStart, 1, 1 << 20},
      {"cycles to a list's next descriptor", t.listNext, 1, 1 << 20},
  };
  for (const auto &limit : limits)
    if (limit.value < limit.least || limit.value > limit.greatest) {
      error = "target " + t.name + ": the emulator does not model " + std::to_string(limit.value) +
              " as the number of " + limit.name + " (" + std::to_string(limit.least) + " to " +
              std::to_string(limit.greatest) + ")";
      return false;
    }
  p.rows = static_cast<uint32_t>(t.rows);
  p.columns = static_cast<uint32_t>(t.columns);
  p.nodes = p.rows * p.columns;
  p.sramBytes = static_cast<uint32_t>(t.sramBytes);
  p.lineBytes = static_cast<uint32_t>(t.lineBytes);
  p.packetBytes = static_cast<uint32_t>(t.packetBytes);
  p.accumulators = static_cast<unsigned>(t.accumulators);
  p.decodeThreads = static_cast<unsigned>(t.decodeThreads);
  p.decodePerThread = static_cast<unsigned>(t.decodePerThread);
  p.unitSlots = {static_cast<unsigned>(t.aluSlots), static_cast<unsigned>(t.simdSlots),
                 static_cast<unsigned>(t.matrixSlots)};
  p.aguSlots = static_cast<unsigned>(t.aguSlots);
  p.storePorts = static_cast<unsigned>(t.storePorts);

  auto latency = [&p](isa::TimingClass c, int64_t cycles) {
    p.latency[static_cast<size_t>(c)] = static_cast<uint64_t>(cycles);
  };
  latency(isa::TimingClass::Alu, t.addLatency);
  latency(isa::TimingClass::Mul, t.multiplyLatency);
  latency(isa::TimingClass::Div, t.divideLatency);
  latency(isa::TimingClass::Load, t.scalarLoadLatency);
  latency(isa::TimingClass::Store, 1);
  latency(isa::TimingClass::VLoad, t.vectorLoadLatency);
  latency(isa::TimingClass::VStore, 1);
  latency(isa::TimingClass::Gather, t.gatherLatency);
  latency(isa::TimingClass::Simd, t.simdLatency);
  latency(isa::TimingClass::Estimate, t.estimateLatency);
  latency(isa::TimingClass::Matrix, t.stepToDrain);
  latency(isa::TimingClass::Drain, t.drainLatency);
  latency(isa::TimingClass::Fill, t.fillLatency);
  latency(isa::TimingClass::Control, t.controlLatency);
  p.memoryOperandLatency = static_cast<uint64_t>(t.vectorLoadLatency);
  p.divideBusy = static_cast<uint64_t>(t.divideBusy);
  p.estimateBusy = static_cast<uint64_t>(t.estimateBusy);
  p.gatherBusy = static_cast<uint64_t>(t.gatherSlots);
  p.stepToDrain = static_cast<uint64_t>(t.stepToDrain);
  p.fillLatency = static_cast<uint64_t>(t.fillLatency);
  p.controlLatency = static_cast<uint64_t>(t.controlLatency);
  p.signalLatency = static_cast<uint64_t>(t.signalLatency);
  p.branchPenalty = static_cast<uint64_t>(t.branchPenalty);
  p.codeMiss = static_cast<uint64_t>(t.codeMissCycles);
  p.codeNextLine = static_cast<uint64_t>(t.codeNextLineCycles);
  p.codeLines = static_cast<uint32_t>(t.codeLines);
  p.codeLineBytes = static_cast<uint32_t>(t.codeLineBytes);
  p.lineCrossing = static_cast<uint64_t>(t.lineCrossingCycles);
  p.vectorAlignment = static_cast<uint32_t>(t.vectorAlignment);
  p.semaphoreLimit = (uint32_t(1) << t.semaphoreBits) - 1;

  p.hop = static_cast<uint64_t>(t.hopCycles);
  p.buffer = static_cast<uint64_t>(t.bufferPackets);
  p.listStart = static_cast<uint64_t>(t.listStart);
  p.listNext = static_cast<uint64_t>(t.listNext);
  p.arrival = static_cast<uint64_t>(t.arrivalLatency);
  p.pullAnswer = static_cast<uint64_t>(t.pullAnswerLatency);
  p.trainPackets = static_cast<unsigned>(t.trainPackets);
  p.routeLinks = static_cast<unsigned>(t.routeLinks);
  p.multicast = t.multicast;
  return true;
}

} // namespace dojo::emu
