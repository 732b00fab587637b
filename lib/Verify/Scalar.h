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

/// The scalar registers of a thread; unknown ones hold nothing. x0 is 0. A register may be set all
/// the same, to a value that depends on data; one that is not set holds what nobody put there.
class ScalarRegisters {
public:
  ScalarRegisters() { values[0] = 0; }
  std::optional<uint64_t> get(int reg) const { return values[reg]; }
  void set(int reg, std::optional<uint64_t> value) {
    if (reg)
      values[reg] = value, written |= uint32_t(1) << reg;
  }
  bool isSet(int reg) const { return written >> reg & 1; }
  /// Forgets the values of the registers of a mask, bit r for xr.
  void forget(uint32_t mask) {
    for (int r = 1; r < 32; ++r)
      if (mask >> r & 1)
        set(r, std::nullopt);
  }
  /// Nobody knows what these registers hold.
  void unset(uint32_t mask) {
    forget(mask);
    written &= ~(mask & ~uint32_t(1));
  }

private:
  std::array<std::optional<uint64_t>, 32> values;
  uint32_t written = 1;
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
