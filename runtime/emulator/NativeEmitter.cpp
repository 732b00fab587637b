// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frame of native code, its turns, scalar instructions and calls of handlers.
//
// Registers of the host: rbx the context, rbp the thread's registers, r12 the SRAM, r13 the
// accumulators, r14 the turn's crossings, r15 the turns completed. The frame holds spread operands,
// the caller's stack pointer, the number of turns allowed, and what strips keep (NativeStrip.h).
#include "NativeEmitter.h"

#include "MatrixForms.h"
#include "dojo/Emulator/Numerics.h"

#include <atomic>
#include <string_view>

namespace dojo::emu {

using namespace Xbyak;

const FastContext NativeEmitter::model{};

namespace {

std::atomic<uint64_t> numWritten = 0;

// Where code is written before it is copied to where it runs.
constexpr size_t mostBytes = 1 << 18;
struct alignas(64) Room {
  uint8_t bytes[mostBytes];
};
Room &room() {
  thread_local const auto room = std::make_unique_for_overwrite<Room>();
  return *room;
}

bool loopsToBegin(const Block &block) {
  const Op &last = block.ops.back();
  return last.control == ControlKind::Loop && last.d != 0 &&
         block.end - last.bytes + static_cast<uint32_t>(last.target) == block.begin;
}

std::string_view semanticOf(const Op &op) { return isa::info(op.opcode).semantic; }

} // namespace

uint64_t numNativeBlocks() { return numWritten.load(std::memory_order_relaxed); }

NativeEmitter::NativeEmitter(const Block &block, HostPath path, const Parameters &parameters)
    : CodeGenerator(mostBytes, room().bytes), block(block), p(parameters),
      pairs(path == HostPath::Avx512Bf16), counted(loopsToBegin(block)), plan(block),
      strip(block, plan, counted, pairs), bails(block.ops.size()), bailed(block.ops.size()) {
  for (size_t i = 0; i < block.ops.size(); ++i)
    handlersAccess |= block.ops[i].access != isa::MemAccess::None && plan.groupOf[i] < 0;
  planOperands();
  planStrip();
  enter();
  for (; current < block.ops.size(); ++current)
    instruction(block.ops[current]);
  if (!counted)
    endTurn();
  leave();
}

std::unique_ptr<const NativeCode> NativeEmitter::finish() {
  if (GetError() != ERR_NONE || hasUndefinedLabel()) {
    ClearError();
    return nullptr;
  }
  numWritten.fetch_add(1, std::memory_order_relaxed);
  return std::make_unique<NativeCode>(getCode(), getSize());
}

RegExp NativeEmitter::inContext(const void *memberOfModel) const {
  return rbx + static_cast<int>(static_cast<const char *>(memberOfModel) -
                                reinterpret_cast<const char *>(&model));
}

//===----------------------------------------------------------------------===//
// The frame
//===----------------------------------------------------------------------===//

void NativeEmitter::enter() {
  for (const Reg64 &saved : {rbx, rbp, r12, r13, r14, r15})
    push(saved);
  mov(rax, rsp);
  sub(rsp, frameBytes + 16);
  and_(rsp, -64);
  mov(ptr[inFrame(frameBytes)], rax);
  mov(dword[inFrame(frameBytes + 8)], esi);
  mov(rbx, rdi);
  mov(rbp, ptr[inContext(&model.r)]);
  mov(r12, ptr[inContext(&model.sram)]);
  mov(r13, ptr[inContext(&model.acc)]);
  xor_(r15d, r15d);
  align(32);
  L(turn);
  if (strip.leastTurns)
    writeStrip();
  L(single);
  xor_(r14d, r14d);
  if (handlersAccess)
    mov(qword[inContext(&model.crossings)], 0);
}

void NativeEmitter::endTurn() {
  finishStep();
  if (handlersAccess)
    or_(r14, ptr[inContext(&model.crossings)]);
  mov(ptr[inContext(model.turnCrossings) + r15 * 8], r14);
  inc(r15d);
  if (!counted)
    return;
  sub(qword[x(block.ops.back().d)], 1);
  jz(stop, T_NEAR);
  cmp(r15d, dword[inFrame(frameBytes + 8)]);
  jb(turn, T_NEAR);
  L(allTurns);
  mov(byte[inContext(&model.taken)], 1);
  mov(qword[inContext(&model.value)], block.begin);
}

void NativeEmitter::leave() {
  L(stop);
  mov(eax, NativeCode::stopped);
  L(leaving);
  mov(dword[inContext(&model.turns)], r15d);
  vzeroupper();
  mov(rsp, ptr[inFrame(frameBytes)]);
  for (const Reg64 &saved : {r15, r14, r13, r12, rbp, rbx})
    pop(saved);
  ret();
  for (size_t i = 0; i < bails.size(); ++i)
    if (bailed[i]) {
      L(bails[i]);
      or_(ptr[inContext(&model.crossings)], r14);
      mov(eax, static_cast<uint32_t>(i));
      jmp(leaving, T_NEAR);
    }
  for (bool operands : {false, true})
    if (seeks[operands])
      writeSeek(operands);
  align(64);
  L(drainOrder);
  for (unsigned half : {0u, 1u})
    for (unsigned i = 0; i < 16; ++i)
      dd(quarterWord(2 * half, i));
  L(oddElements);
  dd(oddElement);
  L(canonical);
  dd(quietNaN);
}

Label &NativeEmitter::bail() {
  bailed[current] = true;
  return bails[current];
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

void NativeEmitter::instruction(const Op &op) {
  std::string_view semantic = semanticOf(op);
  if (op.destination >= score::v && op.destination < score::v + numVRegisters)
    vectorChanged(op.destination - score::v);
  bool plainAccess = plan.groupOf[current] >= 0;
  if (&op == &block.ops.back() && counted)
    endTurn();
  else if (semantic == "vload" && plainAccess)
    loadVector(op);
  else if (semantic == "vstore" && plainAccess)
    storeVector(op);
  else if (semantic == "matrixStep" && (plainAccess || op.numMemory == 0))
    matrixStep(op);
  else if (semantic == "drain")
    drain(op);
  else if (semantic != "nop" && !scalar(op))
    callHandler(op);
}

void NativeEmitter::callHandler(const Op &op) {
  finishStep();                   // registers are the handler's
  if (semanticOf(op) == "fill") { // what it brings may be any NaN
    Label tight;
    cmp(byte[inContext(&model.loose[op.acc])], 0);
    je(tight);
    mov(rdi, rbx);
    mov(rax, reinterpret_cast<size_t>(&settle));
    call(rax);
    L(tight);
    loose.fill(false);
  }
  mov(rdi, rbx);
  mov(rsi, reinterpret_cast<size_t>(&op));
  mov(rax, reinterpret_cast<size_t>(op.handler));
  call(rax);
  if (op.access != isa::MemAccess::None) {
    test(al, al);
    jz(bail(), T_NEAR);
  }
  forgetRegisters();
}

void NativeEmitter::loadSource(const Reg64 &to, const Op &op, unsigned source) {
  if (op.s[source].kind == SourceKind::X)
    mov(to, ptr[x(op.s[source].reg)]);
  else
    mov(to, static_cast<size_t>(int64_t(op.immediate)));
}

bool computesScalar(std::string_view semantic) {
  static constexpr std::string_view all[] = {"addX", "subX", "andX", "orX",   "xorX", "sllX",
                                             "srlX", "sraX", "sltX", "sltuX", "selX", "liX"};
  return std::find(std::begin(all), std::end(all), semantic) != std::end(all);
}

// What computes addresses and counts. False: its handler is called.
bool NativeEmitter::scalar(const Op &op) {
  std::string_view semantic = semanticOf(op);
  using Binary = void (CodeGenerator::*)(const Xbyak::Operand &, const Xbyak::Operand &);
  static constexpr std::pair<std::string_view, Binary> binaries[] = {
      {"addX", &CodeGenerator::add},
      {"subX", &CodeGenerator::sub},
      {"andX", &CodeGenerator::and_},
      {"orX", &CodeGenerator::or_},
      {"xorX", &CodeGenerator::xor_}};
  using Shift = void (CodeGenerator::*)(const Xbyak::Operand &, const Reg8 &);
  static constexpr std::pair<std::string_view, Shift> shifts[] = {
      {"sllX", &CodeGenerator::shl}, {"srlX", &CodeGenerator::shr}, {"sraX", &CodeGenerator::sar}};
  auto find = [&](const auto &table) {
    return std::find_if(std::begin(table), std::end(table),
                        [&](const auto &entry) { return entry.first == semantic; });
  };
  if (auto found = find(binaries); found != std::end(binaries)) {
    loadSource(rax, op, 0);
    loadSource(rcx, op, 1);
    (this->*found->second)(rax, rcx);
  } else if (auto found = find(shifts); found != std::end(shifts)) { // by the low six bits
    loadSource(rax, op, 0);
    loadSource(rcx, op, 1);
    (this->*found->second)(rax, cl);
  } else if (semantic == "sltX" || semantic == "sltuX") {
    loadSource(rdx, op, 0);
    loadSource(rcx, op, 1);
    xor_(eax, eax);
    cmp(rdx, rcx);
    semantic == "sltX" ? setl(al) : setb(al);
  } else if (semantic == "selX") {
    loadSource(rdx, op, 0);
    loadSource(rcx, op, 1);
    loadSource(rax, op, 2);
    test(rdx, rdx);
    cmovnz(rax, rcx);
  } else if (semantic == "liX") {
    loadSource(rax, op, 0);
  } else {
    return false;
  }
  if (op.d)
    mov(ptr[x(op.d)], rax);
  return true;
}

} // namespace dojo::emu
