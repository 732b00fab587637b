// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes native code (NativeCode.h) with Xbyak. Included by the files that do so, and by no other.
#ifndef DOJO_EMULATOR_NATIVEEMITTER_H
#define DOJO_EMULATOR_NATIVEEMITTER_H

#include "Block.h"
#include "NativeCode.h"
#include "NativeStrip.h"

#include <cstddef>
#include <string_view>
#include <vector>

#define XBYAK_NO_EXCEPTION
#include <xbyak/xbyak.h>

namespace dojo::emu {

/// Accesses through a base that only moves by constants, of one kind. Offsets count from the base
/// as the first of them finds it.
struct AccessGroup {
  unsigned base, version;
  bool write;
  int64_t moved; // the base since its version began, when the group begins
  int64_t low = 0, high = 0;
  unsigned alignment = 1;
  struct Access {
    int64_t offset;
    unsigned bytes, crossing;
  };
  std::vector<Access> accesses;
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
  static Xbyak::RegExp quarter(unsigned acc, unsigned q) {
    return Xbyak::util::r13 + static_cast<int>(256 * acc + 64 * q);
  }
  Xbyak::RegExp access(const Op &op);
  void check(const AccessGroup &group, const Xbyak::Reg64 &base);
  void checkAlignment(const AccessGroup &group, const Xbyak::Reg64 &base);
  void checkWindow(const AccessGroup &group, const Xbyak::Reg64 &base, unsigned turns = 1);
  void noteCrossings(const AccessGroup &group, const Xbyak::Reg64 &base, const Xbyak::Reg64 &to);
  void moveBase(const Op &op);
  void loadWidened(const Xbyak::Zmm &to, const Op &op, const Xbyak::RegExp &from);
  void loadVector(const Op &op);
  void storeVector(const Op &op);
  void drain(const Op &op);
  enum Role : unsigned { Rows, Columns };
  void planOperands();
  unsigned operand(Role role, const Op &op, unsigned source, const Xbyak::RegExp &memory);
  void spread(Role role, const Xbyak::RegExp &from, unsigned slot);
  void loadPiece(const Xbyak::Zmm &to, Role role, unsigned slot, unsigned half, unsigned pair,
                 unsigned element);
  void loadSet(Role role, unsigned first, unsigned slot);
  void matrixStep(const Op &op);
  void weave(unsigned count);
  void finishStep() { weave(16); }
  void vectorChanged(unsigned reg);
  void forgetRegisters();

  // Strips (NativeStrip.cpp).
  void planStrip();
  void writeStrip();
  void stripAddresses();
  void stripSteps();
  void moveNow(unsigned reg);
  bool alikeInTurns(const AccessGroup &group) const;
  Xbyak::RegExp addressOf(const StripPlan::Value &value);
  bool plainValue(const StripPlan::Value &value) const;
  void loadValue(const StripPlan::Value &value);
  bool spreadPart(const StripPlan::Operand &operand, unsigned part);
  unsigned baseSlot(unsigned turnOfStrip, size_t group) const {
    return strip.frameBytes + static_cast<unsigned>(8 * (turnOfStrip * plan.groups.size() + group));
  }
  unsigned savedSlot(size_t i) const {
    return baseSlot(strip.turns, 0) + static_cast<unsigned>(8 * i);
  }

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
  Xbyak::Label turn, single, undo, allTurns, stop, leaving, oddElements, canonical, order;

  // Operands of matrix steps: spread in the frame, by role and vector register, and from there in
  // sets of registers.
  static constexpr unsigned memoryOperand = 32, noValue = 33, numSets = 3;
  bool isSpread[2][33] = {};
  unsigned slots[2][33] = {};
  unsigned frameBytes = 0;
  struct Set {
    Role role = Rows;
    unsigned value = noValue, lastUse = 0;
  } sets[numSets];
  unsigned uses = 0;
  bool constants = false; // are in registers
  // Of groups of accesses: what the base was when the group began.
  const Xbyak::Reg64 bases[6] = {r8, r9, r10, r11, rsi, rdi};
  int baseOf[6] = {-1, -1, -1, -1, -1, -1};
  uint8_t loose[maxAccumulators] = {}; // quarters that are known to be
  // The matrix step whose multiply-adds are being written, among what comes after it.
  struct Step {
    unsigned sets[2] = {}, acc = 0;
    unsigned left = 0; // multiply-adds
  } step;
  // Of strips: scalar registers that the block changes; moves of them not yet written; the slot
  // whose base rcx holds.
  std::vector<unsigned> changed;
  int64_t pending[numXRegisters] = {};
  unsigned baseInRcx = ~0u;
};

} // namespace dojo::emu

#endif
