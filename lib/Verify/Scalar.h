// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar arithmetic on known values.
#ifndef DOJO_LIB_VERIFY_SCALAR_H
#define DOJO_LIB_VERIFY_SCALAR_H

#include "dojo/ISA/ISA.h"

#include <array>
#include <cstdint>
#include <optional>

namespace dojo::verify {

/// The scalar registers of a thread; unknown ones hold nothing. x0 is 0.
class ScalarRegisters {
public:
  ScalarRegisters() { values[0] = 0; }
  std::optional<uint64_t> get(int reg) const { return values[reg]; }
  void set(int reg, std::optional<uint64_t> value) {
    if (reg)
      values[reg] = value;
  }
  /// Forgets the registers of a mask, bit r for xr.
  void forget(uint32_t mask) {
    for (int r = 1; r < 32; ++r)
      if (mask >> r & 1)
        values[r].reset();
  }

private:
  std::array<std::optional<uint64_t>, 32> values;
};

/// Result of an instruction that makes one scalar from scalars and an immediate; nothing if an
/// operand is unknown or the instruction is not of that kind.
std::optional<uint64_t> evaluate(const isa::Inst &inst, const ScalarRegisters &x);

/// Does a conditional branch (loops not included) jump? Nothing if an operand is unknown.
std::optional<bool> branchTaken(const isa::Inst &inst, const ScalarRegisters &x);

/// Bytes of a scalar load as it extends them to 64 bits.
uint64_t extendLoad(isa::Opcode op, const uint8_t *bytes);

} // namespace dojo::verify

#endif
