// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Block.h"

#include "Handlers.h"
#include "IssueRules.h"

namespace dojo::emu {

using isa::TimingClass;

namespace {

// What a block's masks of lines and of crossing accesses have room for, and a bound that keeps
// blocks within the host's near cache.
constexpr unsigned maxOps = 160, maxAccesses = 62, maxLines = 32;

bool inBlock(const Op &op) {
  if (op.state != OpState::Valid)
    return false;
  switch (op.control) {
  case ControlKind::None:
  case ControlKind::Plain:
  case ControlKind::Jump:
  case ControlKind::JumpRegister:
  case ControlKind::Loop:
  case ControlKind::Branch:
  case ControlKind::Wait:
  case ControlKind::Signal:
    return true;
  default:
    return false;
  }
}

unsigned numAccesses(const Op &op) { return op.timing == TimingClass::Gather ? 1 : op.numMemory; }

} // namespace

Translation::Translation(const CodeImage &image, const Parameters &parameters, HostPath path)
    : path(path), image(image), address(image.address), p(parameters), blocks(image.ops.size()) {}

const Block *Translation::make(uint32_t pc, uint32_t limit) {
  std::lock_guard lock(making);
  std::atomic<const Block *> &slot = blocks[(pc - address) / 4];
  auto block = std::make_unique<Block>();
  block->begin = pc;
  block->owner = this;
  block->firstLine = pc / p.codeLineBytes;
  block->otherCut = slot.load(std::memory_order_relaxed);
  unsigned accesses = 0;
  uint32_t at = pc;
  while (at - address < 4 * image.ops.size()) {
    const Op &op = image.ops[(at - address) / 4];
    if (!inBlock(op) || (op.target && at + static_cast<uint32_t>(op.target) >= p.sramBytes))
      break;
    unsigned lastLine = (at + op.bytes - 1) / p.codeLineBytes - block->firstLine;
    if (block->ops.size() == maxOps || accesses + numAccesses(op) > maxAccesses ||
        lastLine >= maxLines)
      break;
    if (at + op.bytes > limit) {
      block->cut = at == limit;
      break;
    }
    Op &own = block->ops.emplace_back(op);
    own.handler = handlerOf(path, op);
    own.crossing = static_cast<uint8_t>(accesses);
    accesses += numAccesses(op);
    block->lines.push_back({static_cast<uint8_t>(at / p.codeLineBytes - block->firstLine),
                            static_cast<uint8_t>(lastLine)});
    block->numLines = static_cast<uint8_t>(lastLine + 1);
    block->usesAccumulators |= op.usesAcc;
    block->vectorsWritten |= op.vectorsWritten();
    block->matrixSteps += op.timing == TimingClass::Matrix;
    block->simdOperations += unitOf(op.timing) == Unit::Simd;
    block->lastPc = at;
    at += op.bytes;
    if (op.control != ControlKind::None && op.control != ControlKind::Plain) {
      block->ending = op.control;
      for (bool taken : {false, true})
        block->wrongGuesses |= static_cast<uint8_t>(guessedWrong(op, taken) << taken);
      break;
    }
  }
  block->end = at;
  block->first = block->ops.data();
  block->numOps = static_cast<uint16_t>(block->ops.size());
  const Block *made = owned.emplace_back(std::move(block)).get();
  slot.store(made, std::memory_order_release);
  return made->ops.empty() || made->end > limit ? nullptr : made;
}

void Translation::write(const Block &block) {
  std::unique_ptr<const NativeCode> code = makeNative(block, path, p);
  if (!code)
    return;
  std::lock_guard lock(making);
  block.native.store(code.get(), std::memory_order_release);
  written.push_back(std::move(code));
}

} // namespace dojo::emu
