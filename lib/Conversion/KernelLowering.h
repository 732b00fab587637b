// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a vectorised kernel to instructions on virtual registers. Where values live:
//   integers and index, scalar     x register, sign-extended to 64 bits (i1: 0 or 1)
//   floats, scalar                 v register, the same number in all lanes
//   vector<16xi1>                  m register, bits 16 and up undefined
//   other vectors of 16            v register; narrow integers sign-extended, narrow floats as fp32
//                                  (as integers where they are only moved: NarrowBits.h)

#ifndef DOJO_LIB_CONVERSION_KERNELLOWERING_H
#define DOJO_LIB_CONVERSION_KERNELLOWERING_H

#include "D1Builder.h"
#include "LaneChoice.h"
#include "NarrowBits.h"
#include "PointerPlan.h"

#include "dialects/Dojo/DojoDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::dojo {

enum class RegisterFile { X, V, M };
RegisterFile registerFileOf(Type type);

/// Element type in memory; nothing for types that vectors cannot load.
std::optional<d1::EType> elementType(Type type);

class KernelLowering {
public:
  KernelLowering(func::FuncOp kernel, d1::FuncOp program, unsigned thread, unsigned threads,
                 unsigned accumulators);
  LogicalResult run();

  /// Lowers the body of an elementwise region once for each set of registers that its arguments
  /// stand for, operation by operation; its scalars are lanes. `results` gets the registers of the
  /// values that the terminator names, for each set.
  LogicalResult inlineBodies(Block &body, ArrayRef<SmallVector<Value>> arguments,
                             SmallVectorImpl<SmallVector<Value>> &results);

  struct Address {
    Value base;
    int64_t offset;
  };
  /// Brings the offset (plus `extra` bytes) into reach of an instruction.
  Address reachable(Address a, int64_t extra = 0);
  /// Number of the set of arguments that may share memory with the one behind `memref`.
  int regionOf(Value memref) const { return plan.region(memref); }

  D1Builder d;
  unsigned thread, threads, accumulators;

private:
  LogicalResult lowerBlock(Block &block);
  LogicalResult lower(Operation *op);

  // LowerControl.cpp
  LogicalResult lowerFor(scf::ForOp loop);
  LogicalResult lowerCountedFor(scf::ForOp loop, LoopBounds bounds);
  LogicalResult lowerOpenFor(scf::ForOp loop);
  LogicalResult lowerIf(scf::IfOp op);
  LogicalResult lowerWhile(scf::WhileOp loop);
  LogicalResult lowerBody(Block &block);
  /// What a body ends with, each in a register made in this body.
  SmallVector<Value> ownedIn(Block *block, ValueRange results);
  Type registerType(Type type) const;

  LogicalResult lowerArith(Operation *op);
  LogicalResult lowerMath(Operation *op);
  LogicalResult lowerVectorOp(Operation *op);
  LogicalResult lowerAccess(Operation *op);
  LogicalResult unsupported(Operation *op);

  // LowerArith.cpp, LowerConversions.cpp
  Value scalarInteger(Operation *op);
  /// A product that is only added to something waits for the sum and becomes part of it.
  static bool isFused(arith::MulFOp op);
  Value multiply(arith::MulFOp op);
  /// product + other, or other - product.
  Value fusedSum(arith::MulFOp product, Value other, bool subtract);
  Value laneArith(Operation *op);
  Value maskArith(Operation *op);
  Value compare(Operation *op);
  Value conversion(Operation *op);
  Value compareFloats(arith::CmpFPredicate predicate, Value a, Value b);
  Value select(Operation *op);
  Value intToFloat(Value in, Type from, bool isSigned);
  Value floatToInt(Value in, Type to, bool isSigned);
  /// Rounds the result of arithmetic on narrow floats to their type unless only stores read it.
  Value roundNarrow(Operation *op, Value result);
  Value roundToBF16(Value a);
  Value roundToF16(Value a);
  Value bitsOfF16(Value a);
  Value fromBitsOfF16(Value bits);
  Value affineExpr(AffineExpr e, ValueRange operands);

  // LowerVectorOps.cpp
  Value shuffle(vector::ShuffleOp op);
  Value combine(vector::CombiningKind kind, Type element, Value a, Value c);

  // LowerMemory.cpp
  Address addressOf(Operation *op);
  Value loadLanes(Address a, Type element, ArrayRef<int64_t> offsets, int used, int region);
  /// Lanes at the offsets in a vector register, in elements, among `elements` from the address on;
  /// null for elements that only single loads can read.
  Value gatherLanes(Address a, Type element, Value offsets, int64_t elements, int used, int region);
  void storeLanes(Address a, Value value, Type element, ArrayRef<int64_t> offsets, int used,
                  int region);

  RegisterFile fileOf(Type t) const;
  /// The register that holds a value.
  Value get(Value v);
  /// As second operand of a vector operation: an x register for a number that is one.
  Value second(Value v);
  std::optional<int64_t> constantBits(Value v);
  Value normalize(Value reg, Type type);
  void set(Value v, Value reg) { values[v] = reg; }

  func::FuncOp kernel;
  PointerPlan plan;
  NarrowBits narrowBits;
  DenseMap<Value, Value> values;
  /// Vectors that hold an integer scalar in all lanes: its x register.
  DenseMap<Value, Value> broadcasts;
  DenseMap<unsigned, Value> pointers;
  /// Inside inlineBody: scalars of the region are lanes.
  bool allLanes = false;
};

} // namespace mlir::dojo

#endif // DOJO_LIB_CONVERSION_KERNELLOWERING_H
