// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Control instructions: what they compute. What follows from it is the issue logic's business.
#include "Semantics.h"

namespace dojo::emu::DOJO_HOST::semantics {
namespace {

void goTo(C &c, const Op &op) {
  c.taken = true;
  c.value = static_cast<uint32_t>(c.pc + static_cast<uint32_t>(op.target));
}

template <typename F> void branch(C &c, const Op &op, F condition) {
  c.taken = false;
  if (condition(c.scalar(op, 0), c.scalar(op, 1)))
    goTo(c, op);
}

} // namespace

void jump(C &c, const Op &op) { goTo(c, op); }

void jumpLink(C &c, const Op &op) {
  c.setX(op, uint64_t(c.pc) + op.bytes);
  goTo(c, op);
}

void jumpReg(C &c, const Op &op) {
  c.taken = true;
  c.value = c.scalar(op, 0);
}

void loopX(C &c, const Op &op) {
  uint64_t count = c.x(op.d) - 1;
  c.setX(op, count);
  c.taken = false;
  if (count != 0)
    goTo(c, op);
}

void branchEq(C &c, const Op &op) {
  branch(c, op, [](uint64_t a, uint64_t b) { return a == b; });
}
void branchNe(C &c, const Op &op) {
  branch(c, op, [](uint64_t a, uint64_t b) { return a != b; });
}
void branchLt(C &c, const Op &op) {
  branch(c, op, [](uint64_t a, uint64_t b) { return int64_t(a) < int64_t(b); });
}
void branchGe(C &c, const Op &op) {
  branch(c, op, [](uint64_t a, uint64_t b) { return int64_t(a) >= int64_t(b); });
}
void branchLtu(C &c, const Op &op) {
  branch(c, op, [](uint64_t a, uint64_t b) { return a < b; });
}
void branchGeu(C &c, const Op &op) {
  branch(c, op, [](uint64_t a, uint64_t b) { return a >= b; });
}

void predNonZero(C &c, const Op &op) { c.skip = c.scalar(op, 0) == 0; }
void predZero(C &c, const Op &op) { c.skip = c.scalar(op, 0) != 0; }

// The immediate of `wait` and `list` is unsigned and below 2^21.
void waitSem(C &c, const Op &op) { c.value = c.scalar(op, 0); }
void startList(C &c, const Op &op) { c.value = c.scalar(op, 0); }
void signalRemote(C &c, const Op &op) { c.value = c.scalar(op, 0); }
void signalSem(C &, const Op &) {}
void halt(C &, const Op &) {}
void nop(C &, const Op &) {}

void nodeId(C &c, const Op &op) { c.setX(op, c.node); }

} // namespace dojo::emu::DOJO_HOST::semantics
