// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random legal instructions for property tests.

#ifndef DOJO_TEST_UNIT_ISA_RANDOMINST_H
#define DOJO_TEST_UNIT_ISA_RANDOMINST_H

#include "dojo/ISA/ISA.h"
#include <random>

namespace dojo::isa::test {

/// An instruction of opcode `op` with every field drawn from its legal values; one in four fields
/// is the least or greatest of them.
inline Inst randomInst(Opcode op, std::mt19937_64 &rng) {
  const InstInfo &in = info(op);
  Inst inst{op, in.bytes, {}};
  for (unsigned i = 0; i < in.numOperands; ++i) {
    const OperandInfo &field = in.ops[i];
    int64_t unit = int64_t(1) << field.shift;
    std::uniform_int_distribution<int64_t> draw(field.min / unit, field.max / unit);
    do {
      unsigned edge = rng() % 8;
      int64_t value = edge == 0 ? field.min / unit : edge == 1 ? field.max / unit : draw(rng);
      inst.f[i] = int32_t(value * unit);
    } while (field.allowed && !(inst.f[i] < 32 && field.allowed >> inst.f[i] & 1));
  }
  return inst;
}

} // namespace dojo::isa::test

#endif // DOJO_TEST_UNIT_ISA_RANDOMINST_H
