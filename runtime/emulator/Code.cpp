// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Code.h"

#include "Block.h"

#include <cstdlib>

namespace dojo::emu {
namespace {

using isa::OperandKind;
using isa::TimingClass;

ControlKind controlKind(isa::Opcode opcode) {
  switch (opcode) {
  case isa::Opcode::J:
  case isa::Opcode::JAL:
    return ControlKind::Jump;
  case isa::Opcode::JR:
    return ControlKind::JumpRegister;
  case isa::Opcode::LOOP:
    return ControlKind::Loop;
  case isa::Opcode::BEQ:
  case isa::Opcode::BNE:
  case isa::Opcode::BLT:
  case isa::Opcode::BGE:
  case isa::Opcode::BLTU:
  case isa::Opcode::BGEU:
    return ControlKind::Branch;
  case isa::Opcode::PRED:
  case isa::Opcode::PREDZ:
    return ControlKind::Predicate;
  case isa::Opcode::WAIT:
  case isa::Opcode::WAITX:
    return ControlKind::Wait;
  case isa::Opcode::SIGNAL:
    return ControlKind::Signal;
  case isa::Opcode::SIGNALR:
    return ControlKind::SignalRemote;
  case isa::Opcode::LIST:
  case isa::Opcode::LISTX:
    return ControlKind::List;
  case isa::Opcode::HALT:
    return ControlKind::Halt;
  default:
    return ControlKind::Plain;
  }
}

// Collects the operands of one instruction.
class OpBuilder {
public:
  OpBuilder(Op &op) : op(op) {}

  void add(OperandKind kind, int32_t value) {
    uint8_t reg = static_cast<uint8_t>(value);
    switch (kind) {
    case OperandKind::XUseDef:
      read(xScore(reg));
      [[fallthrough]];
    case OperandKind::XDef:
      define(reg, reg ? static_cast<uint8_t>(score::x + reg) : score::sink);
      break;
    case OperandKind::VUseDef:
      read(score::v + reg);
      [[fallthrough]];
    case OperandKind::VDef:
      define(reg, score::v + reg);
      break;
    case OperandKind::MDef:
      define(reg, reg ? static_cast<uint8_t>(score::m + reg) : score::sink);
      break;
    case OperandKind::XUse:
      source(SourceKind::X, reg);
      read(xScore(reg));
      break;
    case OperandKind::VUse:
      source(SourceKind::V, reg);
      read(score::v + reg);
      break;
    case OperandKind::MUse:
      source(SourceKind::M, reg);
      op.mask = reg;
      read(reg ? static_cast<uint8_t>(score::m + reg) : score::alwaysReady);
      break;
    case OperandKind::AccUse:
    case OperandKind::AccDef:
    case OperandKind::AccUseDef:
      op.usesAcc = true;
      op.acc = reg;
      break;
    case OperandKind::Simm:
    case OperandKind::Uimm:
      source(SourceKind::Immediate, 0);
      op.immediate = value;
      break;
    case OperandKind::Target:
      op.target = value;
      break;
    case OperandKind::Sem:
      op.semaphore = reg;
      break;
    case OperandKind::EType:
      op.etype = static_cast<isa::EType>(value);
      break;
    case OperandKind::Cond:
      op.cond = static_cast<isa::Cond>(value);
      break;
    case OperandKind::MatFormat:
      break; // only bfloat16 decodes
    case OperandKind::MemBase:
      source(SourceKind::Memory, op.numMemory);
      op.memory[op.numMemory].base = reg;
      read(xScore(reg));
      break;
    case OperandKind::MemMode:
      op.memory[op.numMemory].postIncrement = value != 0;
      break;
    case OperandKind::MemOff:
      op.memory[op.numMemory++].offset = static_cast<int16_t>(value);
      break;
    }
  }

private:
  static uint8_t xScore(uint8_t reg) {
    return reg ? static_cast<uint8_t>(score::x + reg) : score::alwaysReady;
  }
  void define(uint8_t reg, unsigned place) {
    op.d = reg;
    op.destination = static_cast<uint8_t>(place);
  }
  void read(unsigned place) {
    if (numSources < 4)
      op.sources[numSources++] = static_cast<uint8_t>(place);
  }
  void source(SourceKind kind, uint8_t reg) {
    if (numOperands < 3)
      op.s[numOperands++] = {kind, reg};
  }

  Op &op;
  unsigned numSources = 0, numOperands = 0;
};

} // namespace

Op decodeOp(const uint8_t *p, size_t available, const Parameters &parameters) {
  Op op;
  isa::Inst inst;
  if (!isa::decode(p, available, inst)) {
    op.state = OpState::Undefined;
    return op;
  }
  const isa::InstInfo &info = isa::info(inst.op);
  op.state = OpState::Valid;
  op.opcode = inst.op;
  op.bytes = inst.bytes;
  op.timing = info.timing;
  op.function = semanticOf(inst.op);
  OpBuilder builder(op);
  for (unsigned i = 0; i < info.numOperands; ++i)
    builder.add(info.ops[i].kind, inst.f[i]);
  if (op.usesAcc && op.acc >= parameters.accumulators)
    op.state = OpState::Undefined;

  op.access = info.access;
  op.readsMemory = info.readsMem;
  op.writesMemory = info.writesMem;
  if (info.access == isa::MemAccess::Granules)
    op.accessBytes = info.accessBytes;
  else if (op.numMemory)
    op.accessBytes = static_cast<uint8_t>(isa::accessBytes(inst));
  switch (info.access) {
  case isa::MemAccess::Scalar:
    op.alignment = op.accessBytes;
    break;
  case isa::MemAccess::Element:
    op.alignment = op.accessBytes == 1 ? 1 : static_cast<uint8_t>(parameters.vectorAlignment);
    break;
  default:
    op.alignment = static_cast<uint8_t>(parameters.vectorAlignment);
  }

  op.latency = static_cast<uint32_t>(parameters.latency[static_cast<size_t>(info.timing)]);
  if (op.numMemory && (op.timing == TimingClass::Simd || op.timing == TimingClass::Estimate))
    op.latency += static_cast<uint32_t>(parameters.memoryOperandLatency);
  if (op.timing == TimingClass::Control)
    op.control = controlKind(op.opcode);
  return op;
}

CodeImage::CodeImage(std::span<const uint8_t> content, uint32_t address,
                     const Parameters &parameters)
    : bytes(content.begin(), content.end()), ops((content.size() + 3) / 4), address(address),
      parameters(parameters) {
  for (size_t at = 0; at < bytes.size();) {
    Op &op = ops[at / 4];
    op = decodeOp(bytes.data() + at, bytes.size() - at, parameters);
    at += op.state == OpState::Undefined ? 4 : op.bytes;
  }
}

CodeImage::~CodeImage() {
  for (auto &t : translations)
    delete t.load();
}

Translation &CodeImage::translation(HostPath path) const {
  std::atomic<Translation *> &slot = translations[static_cast<size_t>(path)];
  if (Translation *t = slot.load(std::memory_order_acquire))
    return *t;
  std::lock_guard lock(translating);
  Translation *t = slot.load(std::memory_order_relaxed);
  if (!t) {
    t = new Translation(*this, parameters, path);
    slot.store(t, std::memory_order_release);
  }
  return *t;
}

} // namespace dojo::emu
