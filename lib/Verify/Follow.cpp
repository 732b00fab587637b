// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Follows control text. Values are constants or unknown; what depends on an unknown one is
// undecided. Bytes the loader placed count as constants: nothing may write to them (Order).

#include "Callees.h"
#include "Network.h"
#include "Program.h"
#include "Scalar.h"
#include "Strided.h"

#include <map>

namespace dojo::verify {

using isa::Descriptor;
using isa::Inst;
using isa::Opcode;
using isa::OperandKind;

namespace {

/// Instructions of one thread before it counts as endless; a compiled thread has thousands.
constexpr uint64_t maxSteps = 1000000;
/// Events of the whole image, for the sake of memory.
constexpr uint64_t maxEvents = 4000000;

constexpr const char *conditionKind = "condition";

class Follower {
public:
  Follower(Program &program, Callees &callees, uint64_t &events, uint32_t node, uint32_t thread)
      : program(program), index(program.index), image(index.image), callees(callees),
        events(events), node(node) {
    trace.node = node, trace.thread = thread;
  }

  ThreadTrace run(int64_t entry) {
    pc = entry;
    callerLayer = -1;
    while (!ended && step())
      if (++steps > maxSteps || events > maxEvents) {
        note(Check::Order, Verdict::Undecided, "is longer than the checker follows");
        break;
      }
    program.steps += steps;
    trace.complete = ended;
    return std::move(trace);
  }

private:
  void note(Check check, Verdict verdict, const std::string &what) {
    program.findings.push_back({check, verdict,
                                program.threadName(trace) + " at " + ImageIndex::hex(pc) + " (" +
                                    index.layerName(index.layerAt(node, pc)) + ") " + what});
  }
  bool stop(Check check, Verdict verdict, const std::string &what) {
    note(check, verdict, what);
    return false;
  }

  Event &emit(Event::Kind kind) {
    ++events;
    Event e{kind};
    e.pc = uint32_t(pc);
    e.layer = layer;
    trace.events.push_back(e);
    return trace.events.back();
  }

  /// One instruction or one call of a segment; false when the thread cannot be followed further.
  bool step() {
    CallOutcome outcome = callees.enter(node, pc, callerLayer, x);
    if (outcome.kind == CallOutcome::Kind::Problem)
      return stop(Check::Order, outcome.verdict, outcome.problem);
    if (outcome.kind == CallOutcome::Kind::Call) {
      if (skip > 0)
        return stop(Check::Order, Verdict::Undecided, "enters a segment while predicated off");
      layer = outcome.layer;
      emit(Event::Kind::Call).index = outcome.call;
      pc = outcome.next;
      return true;
    }
    // Code that several layers share works for the one that called it.
    layer = index.layerAt(node, pc);
    if (layer < 0)
      layer = callerLayer;
    const Placed *load = index.placedAt(node, pc);
    if (!load || !image.blobs[load->blob].code)
      return stop(Check::Instructions, Verdict::Error, "runs where no code was placed");
    std::span<const uint8_t> code = index.bytesAt(node, pc);
    Inst inst;
    if (pc % 4 || !isa::decode(code.data(), code.size(), inst))
      return stop(Check::Instructions, Verdict::Error, "runs into an undefined instruction");
    callerLayer = layer;
    if (skip > 0) {
      --skip;
      pc += inst.bytes;
      return true;
    }
    return execute(inst);
  }

  bool execute(const Inst &inst) {
    const isa::InstInfo &info = isa::info(inst.op);
    int64_t next = pc + inst.bytes;
    std::optional<uint64_t> a;
    auto known = [&](int field) {
      a = x.get(inst.f[field]);
      return a.has_value();
    };
    auto unknown = [&](const char *what) {
      return stop(Check::Order, Verdict::Undecided, std::string(what) + " is not known");
    };
    switch (inst.op) {
    case Opcode::J:
      next = pc + inst.f[0];
      break;
    case Opcode::JAL:
      x.set(inst.f[0], uint64_t(next));
      next = pc + inst.f[1];
      break;
    case Opcode::JR:
      if (!known(0))
        return unknown("jumps to a register whose value");
      next = int64_t(*a & 0xFFFFFFFF);
      break;
    case Opcode::LOOP:
      if (!known(0))
        return unknown("counts a loop whose length");
      x.set(inst.f[0], *a - 1);
      if (*a != 1)
        next = pc + inst.f[1];
      break;
    case Opcode::BEQ:
    case Opcode::BNE:
    case Opcode::BLT:
    case Opcode::BGE:
    case Opcode::BLTU:
    case Opcode::BGEU: {
      std::optional<bool> taken = branchTaken(inst, x);
      if (!taken)
        return unknown("branches on a condition that");
      if (*taken)
        next = pc + inst.f[2];
      break;
    }
    case Opcode::PRED:
    case Opcode::PREDZ:
      if (!known(0))
        return unknown("is predicated by a value that");
      if ((*a != 0) != (inst.op == Opcode::PRED))
        skip = inst.f[1];
      break;
    case Opcode::WAIT:
      emitWait(uint8_t(inst.f[0]), uint32_t(inst.f[1]));
      break;
    case Opcode::WAITX:
      if (!known(1))
        return unknown("waits for a number that");
      emitWait(uint8_t(inst.f[0]), *a > UINT32_MAX ? UINT32_MAX : uint32_t(*a));
      break;
    case Opcode::SIGNAL:
      emitSignal(uint8_t(inst.f[0]), 1);
      break;
    case Opcode::SIGNALR:
      if (!known(0))
        return unknown("signals a node whose number");
      signalNode(*a, uint8_t(inst.f[1]));
      break;
    case Opcode::LIST:
      if (!runList(uint32_t(inst.f[0])))
        return false;
      break;
    case Opcode::LISTX:
      if (!known(0))
        return unknown("starts a list whose address");
      if (*a >= uint64_t(index.sram))
        return stop(Check::Transfers, Verdict::Error, "starts a list outside of SRAM");
      if (!runList(uint32_t(*a)))
        return false;
      break;
    case Opcode::HALT:
      ended = true;
      break;
    case Opcode::NODEID:
      x.set(inst.f[0], node);
      break;
    default:
      if (info.readsMem || info.writesMem) {
        if (!accessMemory(inst, info))
          return false;
      } else {
        std::optional<uint64_t> value = evaluate(inst, x);
        uint32_t changed = changedRegisters(inst);
        x.forget(changed);
        if (changed && value)
          x.set(inst.f[0], value);
      }
      if (uint8_t mask = usedAccumulators(inst))
        emit(Event::Kind::Accumulators).amount = mask;
    }
    pc = next;
    return true;
  }

  bool accessMemory(const Inst &inst, const isa::InstInfo &info) {
    uint32_t bytes = isa::accessBytes(inst);
    std::optional<uint64_t> loaded;
    bool isScalarLoad = info.access == isa::MemAccess::Scalar && info.readsMem;
    uint32_t changed = changedRegisters(inst);
    ScalarRegisters after = x;
    after.forget(changed);
    bool found = false;
    for (unsigned i = 0; i < info.numOperands; ++i) {
      if (info.ops[i].kind != OperandKind::MemBase)
        continue;
      found = true;
      std::optional<uint64_t> base = x.get(inst.f[i]);
      if (!base)
        return stop(Check::Order, Verdict::Undecided,
                    "accesses memory outside of any segment at an address that is not known");
      bool post = inst.f[i + 1] == 1;
      uint64_t address = post ? *base : *base + uint64_t(int64_t(inst.f[i + 2]));
      if (post)
        after.set(inst.f[i], *base + uint64_t(int64_t(inst.f[i + 2])));
      if (address > uint64_t(index.sram) || bytes > uint64_t(index.sram) - address)
        return stop(Check::Order, Verdict::Error,
                    "accesses " + ImageIndex::hex(address) + ", outside of SRAM");
      if (!callees.declares(node, pc, info.writesMem, int64_t(address), int64_t(address) + bytes))
        return stop(Check::Order, Verdict::Error,
                    "accesses " + ImageIndex::bytesName(address, address + bytes) +
                        ", which its segment does not declare");
      uint8_t buffer[8];
      if (isScalarLoad && index.read(node, int64_t(address), bytes, buffer)) {
        loaded = extendLoad(inst.op, buffer);
        continue; // A constant: never written, so there is no order to check.
      }
      if (isScalarLoad && bytes == 1 && program.decides(node, int64_t(address)))
        loaded = decide(uint32_t(address));
      program.accesses.push_back({uint32_t(address), bytes, info.writesMem});
      emit(Event::Kind::Access).index = uint32_t(program.accesses.size() - 1);
    }
    if (!found)
      return stop(Check::Order, Verdict::Undecided,
                  std::string("uses ") + info.mnemonic + " outside of any segment");
    x = after;
    if (loaded)
      x.set(inst.f[0], loaded);
    return true;
  }

  /// One for each step that the loop takes, then zero; all nodes agree on it.
  uint64_t decide(uint32_t address) {
    unsigned &taken = stepsTaken[address];
    taken = taken < program.loopSteps ? taken + 1 : 0;
    return taken != 0;
  }

  void emitWait(uint8_t semaphore, uint32_t amount) {
    if (amount == 0)
      return;
    Event &e = emit(Event::Kind::Wait);
    e.semaphore = semaphore, e.amount = amount;
  }
  void emitSignal(uint8_t semaphore, uint32_t amount) {
    if (amount == 0)
      return;
    Event &e = emit(Event::Kind::Signal);
    e.semaphore = semaphore, e.amount = amount;
  }

  void signalNode(uint64_t value, uint8_t semaphore) {
    Descriptor d;
    d.kind = Descriptor::Kind::Signal;
    d.hasFarSemaphore = true;
    d.farSemaphore = semaphore;
    d.node = value & 0xFFF;
    d.die = uint16_t(value >> 12 & 0xFFF);
    signalRemote(d, 1);
  }

  /// Where a descriptor goes; bad ones reach nobody and are findings.
  uint32_t addReceivers(const Descriptor &d) {
    std::string problem;
    if (!pathOf(image, node, d, path, problem)) {
      note(Check::Transfers, Verdict::Error, "has a descriptor that " + problem);
      return 0;
    }
    program.receivers.insert(program.receivers.end(), path.receivers.begin(), path.receivers.end());
    return uint32_t(path.receivers.size());
  }

  void signalRemote(const Descriptor &d, uint32_t amount) {
    if (amount == 0)
      return;
    RemoteSignal signal;
    signal.d = d;
    signal.semaphore = d.farSemaphore, signal.amount = amount;
    signal.firstReceiver = uint32_t(program.receivers.size());
    signal.numReceivers = addReceivers(d);
    program.remoteSignals.push_back(signal);
    emit(Event::Kind::RemoteSignal).index = uint32_t(program.remoteSignals.size() - 1);
  }

  bool runList(uint32_t address) {
    trace.usesLists = true;
    for (;; address += Descriptor::bytes) {
      uint8_t bytes[Descriptor::bytes];
      auto where = [&] { return "the descriptor at " + std::to_string(address); };
      if (address > uint64_t(index.sram) - Descriptor::bytes)
        return stop(Check::Transfers, Verdict::Error, "runs a list that does not end inside SRAM");
      if (!index.read(node, address, Descriptor::bytes, bytes))
        return stop(Check::Transfers, Verdict::Error,
                    "runs a list; " + where() + " was not placed by the loader");
      Descriptor d;
      std::string error;
      if (!Descriptor::decode(bytes, d, &error))
        return stop(Check::Transfers, Verdict::Error, "runs a list; " + where() + ": " + error);
      uint32_t amount;
      if (!putRegisters(d, amount))
        return stop(Check::Order, Verdict::Undecided,
                    "runs a list; " + where() +
                        " takes a register whose value is not known or too large");
      switch (d.kind) {
      case Descriptor::Kind::End:
        return true;
      case Descriptor::Kind::Wait:
        emitWait(d.ownSemaphore, amount);
        break;
      case Descriptor::Kind::Signal:
        if (!d.hasFarSemaphore || d.hasOwnSemaphore)
          emitSignal(d.ownSemaphore, amount);
        if (d.hasFarSemaphore)
          signalRemote(d, amount);
        break;
      case Descriptor::Kind::Push:
      case Descriptor::Kind::Pull:
      case Descriptor::Kind::Copy:
        emitTransfer(d, address);
        break;
      }
      if (events > maxEvents)
        return stop(Check::Order, Verdict::Undecided, "is longer than the checker follows");
    }
  }

  bool putRegisters(Descriptor &d, uint32_t &amount) {
    amount = d.amount;
    if (d.addressFromRegister) {
      std::optional<uint64_t> value = x.get(d.addressRegister);
      if (!value)
        return false;
      d.localAddress = uint32_t(*value);
    }
    if (d.countFromRegister) {
      std::optional<uint64_t> value = x.get(d.countRegister);
      if (!value)
        return false;
      bool moves = d.kind == Descriptor::Kind::Push || d.kind == Descriptor::Kind::Pull ||
                   d.kind == Descriptor::Kind::Copy;
      if (*value > (moves ? UINT32_MAX : UINT16_MAX))
        return false;
      (moves ? d.count[0] : amount) = uint32_t(*value);
    }
    return true;
  }

  void emitTransfer(const Descriptor &d, uint32_t listed) {
    if (Strided::localOf(d).empty() && !d.hasFarSemaphore && !d.hasOwnSemaphore)
      return; // sends nothing
    Transfer t;
    t.d = d, t.node = node, t.listed = listed, t.layer = layer;
    t.firstReceiver = uint32_t(program.receivers.size());
    t.numReceivers = addReceivers(d);
    program.transfers.push_back(t);
    emit(Event::Kind::Transfer).index = uint32_t(program.transfers.size() - 1);
  }

  Program &program;
  const ImageIndex &index;
  const image::Image &image;
  Callees &callees;
  uint64_t &events;
  uint32_t node;
  ThreadTrace trace;
  ScalarRegisters x;
  int64_t pc = 0;
  int32_t layer = -1, callerLayer = -1;
  int skip = 0;
  bool ended = false;
  uint64_t steps = 0;
  Path path;
  std::map<uint32_t, unsigned> stepsTaken; // by the address of the condition
};

} // namespace

Program::Program(const ImageIndex &index, unsigned steps)
    : index(index), loopSteps(steps), footprints(std::make_shared<Footprints>(index.image)) {
  for (const image::Buffer &buffer : index.image.buffers)
    if (buffer.kind == conditionKind)
      conditions.push_back(&buffer);
}

bool Program::decides(int64_t node, int64_t address) const {
  for (const image::Buffer *buffer : conditions)
    if (address >= buffer->address && address < int64_t(buffer->address) + buffer->bytes &&
        index.image.nodeSets[buffer->nodeSet].contains(node))
      return true;
  return false;
}

bool hasConditions(const image::Image &image) {
  for (const image::Buffer &buffer : image.buffers)
    if (buffer.kind == conditionKind)
      return true;
  return false;
}

bool Program::complete() const {
  for (const ThreadTrace &t : threads)
    if (!t.complete)
      return false;
  return true;
}

std::string Program::threadName(const ThreadTrace &t) const {
  return index.nodeName(t.node) + " thread " + std::to_string(t.thread);
}

std::string Program::placeName(const ThreadTrace &t, const Event &e) const {
  return threadName(t) + " at " + ImageIndex::hex(e.pc) + " (" + index.layerName(e.layer) + ")";
}

std::string Program::transferName(const Transfer &t) const {
  static const char *const names[] = {"end", "push", "pull", "copy", "wait", "signal"};
  return std::string(names[unsigned(t.d.kind)]) + " of " + index.nodeName(t.node) +
         ", descriptor at " + std::to_string(t.listed);
}

Program followImage(const ImageIndex &index, unsigned steps) {
  Program program(index, steps);
  Callees callees(program);
  uint64_t events = 0;
  std::vector<const image::Entry *> entryOf(index.image.target.positions(), nullptr);
  for (const image::Entry &entry : index.image.entries)
    for (int64_t node : index.image.nodeSets[entry.nodeSet].nodes())
      entryOf[node] = &entry;
  for (int64_t node : index.nodes) {
    if (!entryOf[node])
      continue;
    for (uint32_t t = 0; t < entryOf[node]->pc.size(); ++t)
      if (int32_t pc = entryOf[node]->pc[t]; pc >= 0)
        program.threads.push_back(Follower(program, callees, events, uint32_t(node), t).run(pc));
  }
  return program;
}

} // namespace dojo::verify
