// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a semantic function sees: one thread's registers and its node's memory. Addresses have been
// computed and checked by then; a semantic function cannot fail.
#ifndef DOJO_EMULATOR_EXECUTE_H
#define DOJO_EMULATOR_EXECUTE_H

#include "Code.h"

#include <cstring>

namespace dojo::emu {

struct alignas(64) Vec {
  uint32_t w[16];
};

/// Accumulators are kept in pairs of rows, turn and turn about, so that operands of a matrix step
/// need next to no reordering (MatrixForms.h): a register of the host for each pair.
constexpr unsigned accWord(unsigned row, unsigned column) {
  return 16 * (row / 2) + 2 * column + row % 2;
}
/// The same for the elements of a quarter in the order in which `drain` takes them.
constexpr unsigned quarterWord(unsigned quarter, unsigned element) {
  return accWord(4 * (quarter & 1) + element / 4, 4 * (quarter >> 1) + element % 4);
}

struct Registers {
  Vec v[numVRegisters];
  uint64_t x[numXRegisters];
  uint64_t m[numMasks]; // m[0] stays all ones
};

struct ExecContext {
  Registers *r = nullptr;
  uint32_t (*acc)[64] = nullptr; // the node's accumulators; elements by accWord()
  uint8_t *sram = nullptr;
  uint32_t node = 0;
  uint32_t pc = 0;
  /// Of the memory operands: of lane 0, which may lie below 0 if the mask takes it away.
  int32_t address[2] = {};
  uint32_t granule[8] = {}; // of a gather's granules
  uint32_t granuleMask = 0; // the granules to read

  // Results of control instructions.
  bool taken = false; // branch
  bool skip = false;  // predicate: the next instructions have no effect
  uint64_t value = 0; // jump address, semaphore amount, node, list address

  uint64_t x(unsigned reg) const { return r->x[reg]; }
  const Vec &v(unsigned reg) const { return r->v[reg]; }
  void setX(const Op &op, uint64_t result) {
    if (op.d)
      r->x[op.d] = result;
  }
  void setM(const Op &op, uint64_t result) {
    if (op.d)
      r->m[op.d] = result;
  }
  /// A scalar source: register or immediate, sign-extended.
  uint64_t scalar(const Op &op, unsigned i) const {
    return op.s[i].kind == SourceKind::X ? r->x[op.s[i].reg]
                                         : static_cast<uint64_t>(int64_t(op.immediate));
  }
};

} // namespace dojo::emu

// What is compiled once for each host path (HostPath.h) has the path's name as a namespace.
#ifndef DOJO_HOST
#define DOJO_HOST portable
#endif

namespace dojo::emu::DOJO_HOST {

/// 16 elements widened into lanes; one element into all lanes.
void loadLanes(const uint8_t *p, isa::EType type, Vec &out);
void loadElement(const uint8_t *p, isa::EType type, Vec &out);

/// A vector source. Memory operands and scalars are brought into `room`, which the result may name.
inline const Vec &vectorSource(const ExecContext &c, const Op &op, unsigned i, Vec &room) {
  switch (op.s[i].kind) {
  case SourceKind::V:
    return c.r->v[op.s[i].reg];
  case SourceKind::Memory: {
    const uint8_t *p = c.sram + c.address[op.s[i].reg];
    if (op.access == isa::MemAccess::Element)
      loadElement(p, op.etype, room);
    else
      loadLanes(p, op.etype, room);
    return room;
  }
  default: {
    uint32_t lane = static_cast<uint32_t>(c.scalar(op, i));
    for (uint32_t &w : room.w)
      w = lane;
    return room;
  }
  }
}

} // namespace dojo::emu::DOJO_HOST

#endif
