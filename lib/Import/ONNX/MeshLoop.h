// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops whose steps the whole mesh takes together: dojo.loop. A body is made once, in a block that
// is in no region; what it reads from outside becomes an operand of the loop, constants are cloned,
// and the block becomes a function.

#ifndef DOJO_LIB_IMPORT_ONNX_MESHLOOP_H
#define DOJO_LIB_IMPORT_ONNX_MESHLOOP_H

#include "Lowering.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::dojo::onnximport {

/// Makes loops at the insertion point of `b`. Functions that return a string return an empty one,
/// or why it cannot be done.
class MeshLoops {
public:
  using Results = SmallVector<ValueInfo, 2>;

  /// Functions are named after `name`, added at the end of the module and to `bodies`.
  MeshLoops(TensorBuilder &b, ConstantPool &pool, ModuleOp module, std::string name,
            SmallVectorImpl<func::FuncOp> &bodies)
      : b(b), pool(pool), module(module), name(std::move(name)), bodies(bodies) {}

  /// A block for the body of a loop; it is emptied in any case.
  struct Body {
    ~Body();
    Block block;
  };
  /// What one step makes: what the next one carries, a row of each collected tensor, and whether
  /// there is a next one; unset where that is not asked.
  struct Outcome {
    std::optional<ValueInfo> more;
    Results next, rows;
  };
  /// A tensor of which a step reads one element along `axis`.
  struct Sequence {
    ValueInfo *tensor;
    int64_t axis;
    bool fromEnd;
  };
  /// Makes a step at the insertion point, which is in the body.
  using StepFn = llvm::function_ref<std::string(Body &, ValueInfo step, ArrayRef<ValueInfo> states,
                                                Outcome &)>;
  using RowStepFn = llvm::function_ref<std::string(
      Body &, ValueInfo step, ArrayRef<ValueInfo> states, ArrayRef<ValueInfo> rows, Outcome &)>;

  /// A loop of at most `count` steps; it has to be there where rows are collected. `first`: whether
  /// there is a first step.
  std::string steps(std::optional<int64_t> count, ValueInfo first, ArrayRef<ValueInfo> inits,
                    StepFn make, Results &finals, Results &collected);
  /// The same with `sequences`, of `count` elements. Many rows are read and collected by a loop in
  /// a loop.
  std::string blocks(std::optional<int64_t> count, ValueInfo first, ArrayRef<ValueInfo> inits,
                     ArrayRef<Sequence> sequences, bool collects, RowStepFn make, Results &finals,
                     Results &collected);

  /// One more value that the loop of `body` carries.
  ValueInfo argument(Body &body, const TensorType &type);
  /// The results of a dojo.loop whose body is `body`, which returns `returned`: first the
  /// condition of the next step.
  ValueRange outline(Body &body, ArrayRef<Value> returned, Value condition,
                     ArrayRef<Value> carried);

  /// int64 and bool scalars.
  ValueInfo always() { return info(Constant({onnx::TensorProto::BOOL, {}}, "\1")); }
  ValueInfo number(int64_t value) { return info(Constant::ofInts(value, /*scalar=*/true)); }
  ValueInfo nextStep(ValueInfo step);
  ValueInfo sum(ValueInfo x, ValueInfo y);
  ValueInfo scaled(ValueInfo x, int64_t factor);
  ValueInfo isBefore(ValueInfo step, ValueInfo end);
  ValueInfo both(ValueInfo x, ValueInfo y);

private:
  /// `rows` with `row` at `place` of its first dimension.
  Value setRow(Value rows, ValueInfo row, Value place);
  /// Of `from`, which lies as the sequence does, the element at `place`; the `count` elements from
  /// there on, along a new first dimension, the last one again where there are no more.
  ValueInfo getRows(Value from, const Sequence &sequence, Value place,
                    std::optional<int64_t> count = std::nullopt);
  Value materialise(ValueInfo &info) { return pool.materialise(info, b.getLoc()); }
  ValueInfo scalar(int32_t elem, MutableArrayRef<ValueInfo> operands, BodyFn body) {
    return scalarOf(b, pool, elem, operands, body);
  }

  TensorBuilder &b;
  ConstantPool &pool;
  ModuleOp module;
  const std::string name;
  SmallVectorImpl<func::FuncOp> &bodies;
};

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_MESHLOOP_H
