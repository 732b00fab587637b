// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a caller must know of straight code and loops between two control points: which registers
// it changes, how it is left, which accumulators it uses.
#ifndef DOJO_LIB_VERIFY_SEGMENTCODE_H
#define DOJO_LIB_VERIFY_SEGMENTCODE_H

#include "ImageIndex.h"
#include "dojo/ISA/ISA.h"

#include <map>
#include <string>
#include <tuple>

namespace dojo::verify {

struct SegmentCode {
  /// No semaphore, list, halt or undefined instruction; one way out.
  bool opaque = false;
  std::string why;          ///< if not opaque
  bool plain = true;        ///< scalar instructions only, no way back: as well followed in detail
  uint32_t changed = 0;     ///< bit r: scalar register xr may change
  uint8_t accumulators = 0; ///< bit a: accumulator a is used
  int exitRegister = -1;    ///< left by a jump to this register, or else
  int64_t exitPc = -1;      ///< by reaching this address
};

/// Instructions that other threads or nodes notice, or that end the thread.
bool isControlPoint(isa::Opcode op);
/// Scalar registers an instruction may change, one bit each.
uint32_t changedRegisters(const isa::Inst &inst);
/// Accumulators an instruction names, one bit each.
uint8_t usedAccumulators(const isa::Inst &inst);
/// Address of a direct branch's target, -1 if the instruction has none.
int64_t branchTarget(const isa::Inst &inst, int64_t pc);

/// Analyses code reached from `pc` inside [begin, end); remembers results by blob.
class SegmentCodeCache {
public:
  const SegmentCode &get(const ImageIndex &index, int64_t node, int64_t pc, uint32_t begin,
                         uint32_t end);

private:
  std::map<std::tuple<uint32_t, int64_t, int64_t, uint32_t, uint32_t>, SegmentCode> known;
};

} // namespace dojo::verify

#endif
