// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes native code (NativeCode.h) with Xbyak. Included by the files that do so, and by no other.
#ifndef DOJO_EMULATOR_NATIVEEMITTER_H
#define DOJO_EMULATOR_NATIVEEMITTER_H

#include "Block.h"
#include "NativeCode.h"
#include "NativeStrip.h"

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#define XBYAK_NO_EXCEPTION
#include <xbyak/xbyak.h>

namespace dojo::emu {

/// Accesses through a base that only moves by constants, of one kind. Offsets count from the base
/// as the first of them finds it.
struct AccessGroup {
  /// Bytes [low, high); none at first.
  struct Range {
    int64_t low = 0, high = 0;
    bool empty() const { return low == high; }
    void add(int64_t offset, unsigned bytes);
  };
  unsigned base, version;
  bool write;
  int64_t moved; // the base since its version began, when the group begins
  Range all = {}, unmasked = {};
  unsigned alignment = 1;
  struct Access {
    int64_t offset;
    unsigned bytes, crossing;
  };
  std::vector<Access> accesses = {};
  // A turn of the block moves the base by a constant, and by nothing else.
  bool even = false;
  int64_t perTurn = 0;
};

/// The accesses that native code makes itself.
struct AccessPlan {
  explicit AccessPlan(const Block &block);
  std::vector<AccessGroup> groups;
  std::vector<int> groupOf; // of each instruction; -1: it accesses nothing, or its handler does
  std::vector<bool> leads;  // it is the first of its group
  // What its base has moved by since the group began, before it.
  std::vector<int64_t> moved;
};

/// Whether native code has the scalar operation itself.
bool computesScalar(std::string_view semantic);

class NativeEmitter : private Xbyak::CodeGenerator {
public:
  NativeEmitter(const Block &block, HostPath path, const Parameters &parameters);
  /// Null if the code has not become what it should.
  std::unique_ptr<const NativeCode> finish();

private:
  // Blocks and scalar instructions (NativeEmitter.cpp).
  void enter();
  void leave();
  void instruction(const Op &op);
  bool scalar(const Op &op);
  void callHandler(const Op &op);
  void loadSource(const Xbyak::Reg64 &to, const Op &op, unsigned source);
  void endTurn();
  Xbyak::Label &bail();
  Xbyak::Label &failure() { return failing ? *failing : bail(); }
  Xbyak::RegExp inContext(const void *memberOfModel) const;
  Xbyak::RegExp inFrame(unsigned offset) const { return rsp + offset; }
  Xbyak::RegExp x(unsigned reg) const { return rbp + int(offsetof(Registers, x) + 8 * reg); }
  Xbyak::RegExp v(unsigned reg) const { return rbp + int(offsetof(Registers, v) + 64 * reg); }
  Xbyak::RegExp m(unsigned reg) const { return rbp + int(offsetof(Registers, m) + 8 * reg); }

  // Memory and the matrix unit (NativeMemory.cpp).
  static Xbyak::RegExp rowPair(unsigned acc, unsigned rows) {
    return Xbyak::util::r13 + static_cast<int>(256 * acc + 64 * rows);
  }
  Xbyak::RegExp access(const Op &op);
  void check(const AccessGroup &group, const Xbyak::Reg64 &base);
  void checkAlignment(const AccessGroup &group, const Xbyak::Reg64 &base);
  void checkWindow(const AccessGroup &group, AccessGroup::Range range, const Xbyak::Reg64 &base,
                   bool inAllTurns = false);
  void checkLanes(const Op &op, const Xbyak::RegExp &at);
  void seekWindow(unsigned base, bool write);
  void writeSeek(bool operands);
  void noteCrossings(const AccessGroup &group, const Xbyak::Reg64 &base, const Xbyak::Reg64 &to);
  void moveBase(const Op &op);
  void loadWidened(const Xbyak::Zmm &to, const Op &op, const Xbyak::RegExp &from);
  void loadVector(const Op &op);
  void storeVector(const Op &op);
  void drain(const Op &op);
  enum Role : unsigned { Rows, Columns };
  struct Element {
    unsigned pair, odd;
  };
  unsigned numElements() const { return pairs ? 2 : 4; } // of a step, along k
  unsigned rowBytes() const { return pairs ? 64 : 128; } // of a slot for rows
  Element elementOf(unsigned number) const;
  void planOperands();
  void spreadRows(const Xbyak::Zmm &ordered, const Xbyak::Zmm &other, const Xbyak::Zmm &oddMask,
                  unsigned slot);
  void loadRows(const Xbyak::Zmm &to, unsigned slot, unsigned rows, Element element);
  void loadColumns(const Xbyak::Zmm &to, const Xbyak::RegExp &from, const Xbyak::Zmm &oddMask,
                   Element element);
  void widenElement(const Xbyak::Zmm &element, const Xbyak::Zmm &oddMask, Element e);
  void multiplyAdd(const Xbyak::Zmm &sum, const Xbyak::Zmm &a, const Xbyak::Zmm &b) {
    pairs ? vdpbf16ps(sum, a, b) : vfmadd231ps(sum, a, b);
  }
  unsigned rowsOf(const Op &op, const Xbyak::RegExp &memory);
  unsigned columnsOf(const Op &op, const Xbyak::RegExp &memory);
  void matrixStep(const Op &op);
  void weave(unsigned count);
  void finishStep() { weave(16); }
  void vectorChanged(unsigned reg);
  void forgetRegisters();

  // Strips (NativeStrip.cpp).
  void planStrip();
  void writeStrip();
  void evenAddresses();
  void moveTurns();
  void stripAddresses();
  void stripSteps();
  void stripTurn(const StripPlan::Group &group);
  bool alikeInTurns(const AccessGroup &group) const;
  const Xbyak::Reg64 *turnBase(size_t group) const;
  Xbyak::RegExp addressOf(const StripPlan::Value &value);
  bool inRegister(const StripPlan::Value &value) const;
  bool plainValue(const StripPlan::Value &value) const;
  void loadValue(const StripPlan::Value &value);
  Xbyak::RegExp placeOf(const StripPlan::Operand &operand);
  void placeOperand(const StripPlan::Operand &operand);
  void loadSums(const StripPlan::Member &member);
  void storeSums(const StripPlan::Member &member);

  static const FastContext model; // for the places of members

  const Block &block;
  const Parameters &p;
  const bool pairs;   // the form of matrix steps (MatrixForms.h)
  const bool counted; // it ends with a loop to its begin
  const AccessPlan plan;
  const StripPlan strip;
  bool handlersAccess = false;     // memory
  size_t current = 0;              // instruction
  std::vector<Xbyak::Label> bails; // by instruction: to here if a check fails
  std::vector<bool> bailed;
  Xbyak::Label *failing = nullptr; // where checks go instead
  Xbyak::Label turn, single, allTurns, stop, leaving, oddElements, canonical, drainOrder;
  // Looks for windows; with operands in registers, or without.
  Xbyak::Label seek[2];
  bool seeks[2] = {};

  // Operands of matrix steps, by vector register: rows spread in the frame, columns in sets of
  // registers.
  static constexpr unsigned memoryOperand = 32, noValue = 33, numSets = 4;
  bool rowsSpread[33] = {};
  unsigned rowSlots[33] = {};
  unsigned frameBytes = 0;
  struct Set {
    unsigned value = noValue, lastUse = 0;
  } sets[numSets];
  unsigned uses = 0;
  bool constants = false; // are in registers
  // Of groups of accesses: what the base was when the group began.
  const Xbyak::Reg64 bases[6] = {r8, r9, r10, r11, rsi, rdi};
  int baseOf[6] = {-1, -1, -1, -1, -1, -1};
  std::array<bool, maxAccumulators> loose{}; // known to be
  // The matrix step whose multiply-adds are being written, among what comes after it.
  struct Step {
    unsigned slot = 0, set = 0, acc = 0; // rows, columns
    unsigned left = 0;                   // multiply-adds
  } step;
  // Of strips: scalar registers that the block changes; whether nothing but their moves by
  // constants tells the turns apart. Slots in the frame: by group of accesses, of an even one its
  // base in the first turn and in the present one, else its base in every turn; of registers' old
  // values; of the number of turns. What rcx holds. Whether the first turn is being
  // written.
  std::vector<unsigned> changed;
  bool evenTurns = false;
  std::vector<unsigned> slotOf;
  unsigned savedSlots = 0, turnsSlot = 0;
  unsigned baseInRcx = ~0u;
  bool firstTurn = false;
};

} // namespace dojo::emu

#endif
