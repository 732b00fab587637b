// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Follows the code between two control points instruction by instruction, as far as it depends on
// constants: which bytes it reads and writes, and which of the bytes it writes depend on bytes that
// nobody has defined. Numbers in registers are known or not; besides, each byte of a vector
// register, element of an accumulator, bit of a mask and scalar register is defined or not (the
// idea of Seward and Nethercote, Using Valgrind to detect undefined value errors, 2005).
#ifndef DOJO_LIB_VERIFY_KERNELRUN_H
#define DOJO_LIB_VERIFY_KERNELRUN_H

#include "Scalar.h"
#include "Strided.h"
#include "dojo/ISA/ISA.h"

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dojo::verify {

/// What one run of a piece of code does.
struct Footprint {
  bool known = false; ///< else `why`
  std::string why;
  /// Not known because it goes wrong, whatever the data: it leaves SRAM, say, or an address depends
  /// on a register that nobody has set.
  bool faulty = false;
  std::vector<Interval> reads; ///< but not what the code has written itself before
  std::vector<Interval> writes;
  std::vector<Interval> undefined; ///< the part of `writes` without a defined value
  bool reloads = false;            ///< it loads numbers again that it stored
  uint8_t accumulators = 0;        ///< bit a: uses accumulator a
  uint32_t used = 0;               ///< bit r: needs the value xr has at the start
  uint32_t changed = 0;            ///< bit r: xr may have another value at the end
  ScalarRegisters end;             ///< of `changed`; those without a defined value are not set
  int64_t exit = -1; ///< where it goes on; -1: where `exitRegister` pointed at the start
  int exitRegister = -1;
  uint64_t steps = 0;
};

class KernelRun {
public:
  /// \p sram: bytes of a node.
  /// \p vectorAlignment: bytes, of vector accesses.
  explicit KernelRun(int64_t sram, int64_t vectorAlignment = 2);

  /// Runs `code`, which lies at address `base`, from `pc` until it leaves [begin, end). Bytes
  /// outside of `defined` (null: none) are undefined. Of the registers only those set in `x` are
  /// defined.
  Footprint run(std::span<const uint8_t> code, int64_t base, int64_t pc, int64_t begin, int64_t end,
                const ScalarRegisters &x, const Bitmap *defined, uint64_t maxSteps);

private:
  enum class Class : uint8_t {
    Undecoded,
    Undefined,
    Scalar,
    Branch,
    ScalarLoad,
    ScalarStore,
    Load,
    LoadOne,
    Store,
    Gather,
    Mask,
    Compare,
    Matrix,
    Drain,
    Fill,
    Shuffle,
    Lanes,
    ControlPoint,
    Nothing
  };
  struct Op {
    Class kind = Class::Undecoded;
    isa::Inst inst{};
    const isa::InstInfo *info = nullptr;
    uint32_t uses = 0, changes = 0; ///< scalar registers
    uint8_t etype = 0;              ///< index of the operand of that kind, or 0
    bool predicable = false;
  };
  /// A vector register: which bytes are undefined, and the lanes' values if known.
  struct Vector {
    uint64_t undefined = ~uint64_t(0);
    bool known = false;
    std::array<uint32_t, 16> lanes{};
  };
  struct Mask {
    uint16_t undefined = 0xFFFF;
    std::optional<uint64_t> value;
  };

  const Op &decode(int64_t at);
  static Class classify(const isa::Inst &inst, const isa::InstInfo &info);
  bool step();
  bool branch(const Op &op);
  bool predicate(const Op &op, bool taken);

  // Memory.
  bool address(const isa::Inst &inst, unsigned field, uint32_t bytes, int64_t &out);
  uint64_t read(int64_t at, unsigned bytes, uint64_t wanted);
  void write(int64_t at, uint64_t wanted, uint64_t undefinedBytes);
  bool scalarLoad(const Op &op);
  bool scalarStore(const Op &op);
  bool vectorLoad(const Op &op);
  bool vectorStore(const Op &op);
  bool gather(const Op &op);
  /// Undefined lanes of a memory operand at operand `field`.
  bool memoryLanes(const Op &op, unsigned field, Vector &out);

  // Lanes.
  void mask(const Op &op);
  bool lanes(const Op &op);
  void shuffle(const Op &op);
  bool matrix(const Op &op);
  static uint64_t spread(uint16_t lanes);
  static uint16_t gatherLanes(uint64_t bytes);
  static bool evaluateLanes(const isa::Inst &inst, const Vector &a, const Vector &b, Vector &out);

  static bool evaluateFloats(const isa::Inst &inst, const std::array<Vector, 3> &operands,
                             unsigned count, Vector &out);

  bool fail(std::string why) {
    result.why = std::move(why);
    return false;
  }
  bool fault(std::string why) {
    result.faulty = true;
    return fail(std::move(why));
  }
  /// Depends on a value that is not known; whether data decides or nobody has set it.
  bool unknown(std::string why, bool isUndefined) {
    return isUndefined ? fault(std::move(why) + ": nothing has set it") : fail(std::move(why));
  }
  bool isUndefined(int reg) const { return undefinedScalars >> reg & 1; }

  int64_t sram, vectorAlignment;
  Bitmap readSet, writtenSet, undefinedSet; // empty between runs
  int64_t lowest = 0, highest = 0;          // of all accesses

  // One run.
  std::span<const uint8_t> code;
  int64_t base = 0, pc = 0;
  const Bitmap *defined = nullptr;
  ScalarRegisters x;
  uint32_t undefinedScalars = 0, set = 0; // set: scalar registers written by the code
  std::array<Vector, 32> v;
  std::array<Mask, 8> m;
  std::array<std::array<uint8_t, 8>, 8> accumulators{};       // undefined: bit j of row i
  std::map<int64_t, uint64_t> spilled;                        // 64-bit stores of known values
  std::map<int64_t, std::array<uint32_t, 16>> spilledVectors; // full ones of known lanes
  int skip = 0;
  Footprint result;

  std::map<std::pair<const uint8_t *, size_t>, std::vector<Op>> decoded;
  std::vector<Op> *ops = nullptr;
};

} // namespace dojo::verify

#endif
