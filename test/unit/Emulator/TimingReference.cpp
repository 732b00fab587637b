// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "TimingReference.h"

#include <algorithm>
#include <string>

namespace dojo::emu {

using isa::Descriptor;
using isa::OperandKind;
using isa::TimingClass;
using Kind = Descriptor::Kind;

void TimingReference::addThread(int node, int thread, uint32_t base,
                                const std::vector<uint8_t> &code) {
  Thread th;
  th.node = node;
  th.number = thread;
  th.base = th.pc = base;
  th.code = code;
  threads.push_back(th);
}

void TimingReference::addList(int node, uint32_t address,
                              const std::vector<Descriptor> &descriptors) {
  auto &list = lists[{node, address}];
  list = descriptors;
  list.emplace_back();
}

uint64_t TimingReference::run(uint64_t limit) {
  std::set<int> nodes;
  for (Thread &th : threads) {
    nodes.insert(th.node);
    agu[th.node].assign(static_cast<size_t>(t.aguSlots), 0);
    store[th.node].assign(static_cast<size_t>(t.storePorts), 0);
  }
  for (uint64_t c = 0; c < limit; ++c) {
    for (auto [node, semaphore, amount] : shows[c])
      value[{node, semaphore}] += amount;
    shows.erase(c);
    bool active = !issues.empty();
    for (Thread &th : threads) {
      active |= !th.done;
      auto &v = value[{th.node, th.semaphore}];
      if (th.waiting && v >= th.need) {
        v -= th.need;
        th.waiting = false;
        th.from = c + 1;
        if (th.listed) {
          ++th.descriptor;
          th.acts = c + static_cast<uint64_t>(t.listNext);
        }
      }
      if (th.listed && !th.waiting && !th.sending && th.acts == c)
        act(th, c);
    }
    for (int node : nodes)
      cycleOf(node, c);
    // Trains of this cycle, in order.
    std::vector<Transfer> now;
    auto [begin, end] = issues.equal_range(c);
    for (auto it = begin; it != end; ++it)
      now.push_back(it->second);
    issues.erase(begin, end);
    std::sort(now.begin(), now.end(), [](const Transfer &a, const Transfer &b) {
      return std::tuple(a.node, a.order, a.asker, a.number) <
             std::tuple(b.node, b.order, b.asker, b.number);
    });
    for (Transfer &transfer : now)
      commit(transfer, c);
    if (!active)
      return last + 1;
  }
  return 0;
}

void TimingReference::cycleOf(int node, uint64_t c) {
  std::map<std::string, int> slots = {{"alu", int(t.aluSlots)},
                                      {"simd", int(t.simdSlots)},
                                      {"matrix", int(t.matrixSlots)},
                                      {"places", int(t.decodeThreads)}};
  int served = -1, p = asked[node];
  for (int k = 0; k < 4; ++k)
    for (Thread &th : threads) {
      if (th.node != node || th.number != (p + k) % 4)
        continue;
      bool placed = false;
      for (int count = 0; count < t.decodePerThread; ++count)
        if (!issueOne(th, c, slots, placed))
          break;
      if (slots["served " + std::to_string(th.number)])
        served = th.number;
    }
  if (served >= 0)
    asked[node] = (served + 1) % 4;
}

void TimingReference::touchLine(Thread &th, uint32_t line, uint64_t c) {
  auto known = std::find(th.lines.begin(), th.lines.end(), line);
  if (known != th.lines.end()) {
    th.lines.erase(known);
  } else {
    if (!th.stream || line <= th.streamLine) {
      th.stream = true;
      th.streamLine = line;
      th.streamCycle = c + static_cast<uint64_t>(t.codeMissCycles);
    }
    uint64_t comes = th.streamCycle + (line - th.streamLine) * uint64_t(t.codeNextLineCycles);
    th.from = std::max(th.from, comes);
  }
  th.lines.push_front(line);
  if (th.lines.size() > size_t(t.codeLines))
    th.lines.pop_back();
}

bool TimingReference::lineReady(Thread &th, uint64_t c, unsigned bytes) {
  if (!th.reached) {
    th.reached = true;
    uint32_t size = static_cast<uint32_t>(t.codeLineBytes);
    uint32_t first = th.pc / size, lastLine = (th.pc + bytes - 1) / size;
    touchLine(th, first, c);
    if (lastLine != first)
      touchLine(th, lastLine, c);
  }
  return th.from <= c;
}

// Issues the thread's next instruction if it can in cycle c.
bool TimingReference::issueOne(Thread &th, uint64_t c, std::map<std::string, int> &slots,
                               bool &placed) {
  if (th.done || th.waiting || th.listed || th.sending || th.from > c)
    return false;
  isa::Inst inst;
  if (!isa::decode(th.code.data() + (th.pc - th.base), th.code.size() - (th.pc - th.base), inst))
    return false;
  if (!lineReady(th, c, inst.bytes))
    return false;
  const isa::InstInfo &info = isa::info(inst.op);
  std::string name = info.mnemonic;
  bool control = info.timing == TimingClass::Control;

  // Operands.
  std::vector<int> sources, bases;
  std::vector<std::pair<int, int64_t>> memory; // base, offset
  std::vector<bool> post;
  int destination = -1, acc = -1, semaphore = 0;
  int64_t immediate = 0, target = 0, element = 4;
  for (unsigned i = 0; i < info.numOperands; ++i) {
    int f = inst.f[i];
    switch (info.ops[i].kind) {
    case OperandKind::XDef:
      destination = f;
      break;
    case OperandKind::XUseDef:
      destination = f;
      sources.push_back(f);
      break;
    case OperandKind::VDef:
      destination = 100 + f;
      break;
    case OperandKind::VUseDef:
      destination = 100 + f;
      sources.push_back(100 + f);
      break;
    case OperandKind::MDef:
      destination = 200 + f;
      break;
    case OperandKind::XUse:
      sources.push_back(f);
      break;
    case OperandKind::VUse:
      sources.push_back(100 + f);
      break;
    case OperandKind::MUse:
      sources.push_back(200 + f);
      break;
    case OperandKind::AccUse:
    case OperandKind::AccDef:
    case OperandKind::AccUseDef:
      acc = f;
      break;
    case OperandKind::MemBase:
      sources.push_back(f);
      memory.push_back({f, 0});
      break;
    case OperandKind::MemMode:
      post.push_back(f != 0);
      break;
    case OperandKind::MemOff:
      memory.back().second = f;
      break;
    case OperandKind::Simm:
    case OperandKind::Uimm:
      immediate = f;
      break;
    case OperandKind::Sem:
      semaphore = f;
      break;
    case OperandKind::Target:
      target = f;
      break;
    case OperandKind::EType:
      element = isa::elementBytes(isa::EType(f));
      break;
    default:
      break;
    }
  }
  if (destination == 0 || destination == 200)
    destination = -1;
  auto readyAt = [&](int reg) { return reg % 100 == 0 && reg != 100 ? 0 : th.ready[reg]; };

  // When the operands allow it.
  std::map<TimingClass, int64_t> latencies = {
      {TimingClass::Alu, t.addLatency},          {TimingClass::Mul, t.multiplyLatency},
      {TimingClass::Div, t.divideLatency},       {TimingClass::Load, t.scalarLoadLatency},
      {TimingClass::VLoad, t.vectorLoadLatency}, {TimingClass::Gather, t.gatherLatency},
      {TimingClass::Simd, t.simdLatency},        {TimingClass::Estimate, t.estimateLatency},
      {TimingClass::Drain, t.drainLatency},      {TimingClass::Fill, t.fillLatency},
      {TimingClass::Matrix, t.stepToDrain},      {TimingClass::Control, t.controlLatency}};
  uint64_t latency = static_cast<uint64_t>(latencies[info.timing]);
  bool simd = info.timing == TimingClass::Simd || info.timing == TimingClass::Estimate;
  if (simd && !memory.empty())
    latency += static_cast<uint64_t>(t.vectorLoadLatency);
  bool waitsForSources = !info.isBranch || name == "j" || name == "jal";
  if (waitsForSources) {
    for (int s : sources)
      if (readyAt(s) > c)
        return false;
    if (destination >= 0 && readyAt(destination) > c + latency)
      return false;
  }
  std::pair<int, int> a{th.node, acc};
  if (info.timing == TimingClass::Div && divider[th.node] > c)
    return false;
  if (info.timing == TimingClass::Estimate && estimator[th.node] > c)
    return false;
  if (info.timing == TimingClass::Matrix && (fillReady[a] > c || drained[a] > c))
    return false;
  if (info.timing == TimingClass::Drain && (fillReady[a] > c || stepReady[a] > c))
    return false;
  if (info.timing == TimingClass::Fill && stepReady[a] > c + latency)
    return false;

  uint64_t extra = 0;
  if (!control) {
    // A place among the threads, then slots.
    if (!placed) {
      if (slots["places"] == 0)
        return false;
      --slots["places"];
      placed = true;
    }
    std::string unit =
        info.timing <= TimingClass::Div                                                 ? "alu"
        : simd || info.timing == TimingClass::Drain || info.timing == TimingClass::Fill ? "simd"
        : info.timing == TimingClass::Matrix                                            ? "matrix"
                                                                                        : "";
    if (!unit.empty() && slots[unit] == 0)
      return false;
    auto freePorts = [&](std::vector<uint64_t> &ports) {
      return std::count_if(ports.begin(), ports.end(), [&](uint64_t f) { return f <= c; });
    };
    auto take = [&](std::vector<uint64_t> &ports, uint64_t until) {
      *std::find_if(ports.begin(), ports.end(), [&](uint64_t f) { return f <= c; }) = until;
    };
    size_t accesses = info.timing == TimingClass::Gather ? 1 : memory.size();
    if (freePorts(agu[th.node]) < static_cast<int64_t>(accesses))
      return false;
    if (info.writesMem && freePorts(store[th.node]) == 0)
      return false;
    if (!unit.empty())
      --slots[unit];
    for (size_t i = 0; i < accesses; ++i) {
      uint64_t crossing = 0, hold = 1;
      if (info.timing == TimingClass::Gather) {
        hold = static_cast<uint64_t>(t.gatherSlots);
      } else if (info.access != isa::MemAccess::Scalar) {
        int64_t bytes = info.access == isa::MemAccess::Lanes     ? 16 * element
                        : info.access == isa::MemAccess::Element ? element
                                                                 : 64;
        int64_t offset = memory[i].second;
        crossing = offset % 64 + bytes > 64 ? static_cast<uint64_t>(t.lineCrossingCycles) : 0;
      }
      take(agu[th.node], c + hold + crossing);
      if (info.writesMem)
        take(store[th.node], c + 1 + crossing);
      extra = std::max(extra, crossing);
    }
    slots["served " + std::to_string(th.number)] = 1;
  }
  last = std::max(last, c);
  th.reached = false;
  uint64_t done = c + latency + extra;
  uint32_t next = th.pc + inst.bytes;
  if (info.timing == TimingClass::Div)
    divider[th.node] = c + static_cast<uint64_t>(t.divideBusy);
  if (info.timing == TimingClass::Estimate)
    estimator[th.node] = c + static_cast<uint64_t>(t.estimateBusy);
  if (info.timing == TimingClass::Matrix)
    stepReady[a] = std::max(stepReady[a], done);
  if (info.timing == TimingClass::Drain)
    drained[a] = c + 1;
  if (info.timing == TimingClass::Fill)
    fillReady[a] = std::max(fillReady[a], done);
  if (name == "addi" && destination > 0)
    th.x[destination] = th.x[sources[0]] + immediate;
  if (name.substr(0, 2) == "li" && name != "list" && destination > 0)
    th.x[destination] = immediate;

  if (name == "loop") {
    uint64_t old = readyAt(sources[0]);
    done = std::max(c, old) + static_cast<uint64_t>(t.controlLatency);
    if (--th.x[destination] != 0) {
      next = th.pc + static_cast<uint32_t>(target);
      th.stream = false;
    }
  } else if (name == "bne" || name == "beq") {
    bool taken = (th.x[sources[0]] == th.x[sources[1]]) == (name == "beq");
    uint64_t condition = std::max(readyAt(sources[0]), readyAt(sources[1]));
    if (taken != (target <= 0))
      th.from = std::max(c, condition) + static_cast<uint64_t>(t.branchPenalty);
    if (taken) {
      next = th.pc + static_cast<uint32_t>(target);
      th.stream = false;
    }
  } else if (name == "signal") {
    signal(th.node, semaphore, c + 1, 1);
  } else if (name == "wait") {
    th.semaphore = semaphore;
    th.need = immediate;
    auto &v = value[{th.node, semaphore}];
    if (v >= immediate)
      v -= immediate;
    else
      th.waiting = true;
    th.from = c + 1;
  } else if (name == "signalr") {
    Transfer transfer;
    Descriptor d;
    d.node = static_cast<uint16_t>(th.x[sources[0]]);
    transfer.node = transfer.asker = th.node;
    transfer.order = th.number;
    transfer.thread = &th;
    transfer.packets = 1;
    transfer.hops = routes(th.node, d);
    transfer.farSemaphore = semaphore;
    th.sending = true;
    issues.emplace(c, transfer);
  } else if (name == "list") {
    th.listed = true;
    th.descriptor = lists.at({th.node, static_cast<uint32_t>(immediate)}).data();
    th.acts = c + static_cast<uint64_t>(t.listStart);
  } else if (name == "halt") {
    th.done = true;
    halted[{th.node, th.number}] = c;
  }
  if (destination >= 0)
    th.ready[destination] = done;
  for (size_t i = 0; i < memory.size(); ++i)
    if (post[i] && memory[i].first && memory[i].first != destination)
      th.ready[memory[i].first] = c + 1;
  th.pc = next;
  return true;
}

} // namespace dojo::emu
