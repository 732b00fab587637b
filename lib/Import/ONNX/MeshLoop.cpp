// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MeshLoop.h"
#include "Ops/Index.h"
#include "dialects/Dojo/DojoDialect.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

// Rows of a sequence that each step looks through.
constexpr int64_t kMaxRows = 128;

/// What ConstantPool makes, tensors without content, and parts of such.
bool isConstant(Value value) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<tensor::ExtractSliceOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
    return all_of(op->getOperands(), isConstant);
  return isa_and_nonnull<arith::ConstantOp, WeightOp, tensor::EmptyOp>(op);
}

void cloneConstant(OpBuilder &b, Value value, IRMapping &made) {
  if (made.contains(value))
    return;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    cloneConstant(b, operand, made);
  b.clone(*op, made);
}

/// What the ops of `block` and `returned` use that is not made in the block, in order of use.
SetVector<Value> capturedBy(Block &block, ArrayRef<Value> returned) {
  SetVector<Value> captured;
  auto visit = [&](Value value) {
    Block *home = value.getParentBlock();
    while (home != &block && home && home->getParentOp())
      home = home->getParentOp()->getBlock();
    if (home != &block)
      captured.insert(value);
  };
  for (Operation &op : block)
    op.walk([&](Operation *inner) { for_each(inner->getOperands(), visit); });
  for_each(returned, visit);
  return captured;
}

} // namespace

MeshLoops::Body::~Body() {
  // Uses are in later ops of the block only.
  while (!block.empty())
    block.back().erase();
}

ValueInfo MeshLoops::argument(Body &body, const TensorType &type) {
  auto tensor = RankedTensorType::get(type.dims, runtimeType(b.getContext(), type.elem));
  return {type, true, std::nullopt, body.block.addArgument(tensor, b.getLoc())};
}

ValueRange MeshLoops::outline(Body &body, ArrayRef<Value> returned, Value condition,
                              ArrayRef<Value> carried) {
  SetVector<Value> captured = capturedBy(body.block, returned);
  SmallVector<Value> invariants;
  SmallVector<Type> inputs(ValueRange(carried).getTypes());
  for (Value value : captured)
    if (!isConstant(value)) {
      invariants.push_back(value);
      inputs.push_back(value.getType());
    }
  func::FuncOp function;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(module.getBody());
    std::string unique = name;
    for (unsigned number = 2; module.lookupSymbol(unique); ++number)
      unique = name + "." + std::to_string(number);
    function =
        func::FuncOp::create(b, unique, b.getFunctionType(inputs, ValueRange(returned).getTypes()));
    function.setPrivate();
    bodies.push_back(function);
    Block *entry = function.addEntryBlock();
    entry->getOperations().splice(entry->end(), body.block.getOperations());
    IRMapping inside;
    inside.map(body.block.getArguments(), entry->getArguments().take_front(carried.size()));
    inside.map(invariants, entry->getArguments().drop_front(carried.size()));
    b.setInsertionPointToStart(entry);
    for (Value value : captured)
      if (isConstant(value))
        cloneConstant(b, value, inside);
    entry->walk([&](Operation *op) {
      for (OpOperand &operand : op->getOpOperands())
        operand.set(inside.lookupOrDefault(operand.get()));
    });
    b.setInsertionPointToEnd(entry);
    SmallVector<Value> results =
        map_to_vector(returned, [&](Value value) { return inside.lookupOrDefault(value); });
    func::ReturnOp::create(b, results);
  }
  return LoopOp::create(b, ValueRange(carried).getTypes(), function.getSymName(), condition,
                        carried, invariants)
      .getResults();
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

ValueInfo MeshLoops::nextStep(ValueInfo step) {
  return scalar(TensorProto::INT64, step, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Value one = arith::ConstantOp::create(b, loc, scalarAttr(v[0].getType(), int64_t(1)));
    return arith::AddIOp::create(b, loc, v[0], one);
  });
}

ValueInfo MeshLoops::isBefore(ValueInfo step, ValueInfo end) {
  ValueInfo pair[] = {step, end};
  return scalar(TensorProto::BOOL, pair, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, v[0], v[1]);
  });
}

ValueInfo MeshLoops::both(ValueInfo x, ValueInfo y) {
  ValueInfo pair[] = {x, y};
  return scalar(TensorProto::BOOL, pair, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::AndIOp::create(b, loc, v[0], v[1]);
  });
}

ValueInfo MeshLoops::sum(ValueInfo x, ValueInfo y) {
  ValueInfo pair[] = {x, y};
  return scalar(TensorProto::INT64, pair, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::AddIOp::create(b, loc, v[0], v[1]);
  });
}

ValueInfo MeshLoops::scaled(ValueInfo x, int64_t factor) {
  return scalar(TensorProto::INT64, x, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Value times = arith::ConstantOp::create(b, loc, scalarAttr(v[0].getType(), factor));
    return arith::MulIOp::create(b, loc, v[0], times);
  });
}

Value MeshLoops::setRow(Value rows, ValueInfo row, Value place) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(rows);
  Operand operands[] = {b.broadcast(rows, dims), b.broadcast(materialise(row), dims),
                        b.broadcast(place, dims)};
  return mapIndices(b, dims, TensorBuilder::elementOf(rows), operands,
                    [&](IndexBody &x, ValueRange v) {
                      return x.select(x.equal(x.toInt(x.loop(0), 64), v[2]), v[1], v[0]);
                    });
}

ValueInfo MeshLoops::getRows(Value from, const Sequence &sequence, Value place,
                             std::optional<int64_t> count) {
  Dims dims(TensorBuilder::dimsOf(from));
  const int64_t extent = dims[sequence.axis];
  dims.erase(dims.begin() + sequence.axis);
  if (count)
    dims.insert(dims.begin(), *count);
  Operand operand = b.broadcast(place, dims);
  Value rows =
      mapIndices(b, dims, TensorBuilder::elementOf(from), operand, [&](IndexBody &x, ValueRange v) {
        Value step = count ? x.add(v[0], x.toInt(x.loop(0), 64)) : v[0];
        if (sequence.fromEnd)
          step = x.sub(x.same(step, extent - 1), step);
        SmallVector<Value> indices;
        for (size_t d = count ? 1 : 0; d < dims.size(); ++d)
          indices.push_back(x.loop(d));
        indices.insert(indices.begin() + sequence.axis, x.inside(step, extent));
        return x.read(from, indices);
      });
  return info(rows, sequence.tensor->type.elem);
}

std::string MeshLoops::steps(std::optional<int64_t> count, ValueInfo first,
                             ArrayRef<ValueInfo> inits, StepFn make, Results &finals,
                             Results &collected) {
  Body body;
  ValueInfo index = argument(body, {TensorProto::INT64, {}});
  Results states;
  for (const ValueInfo &init : inits)
    states.push_back(argument(body, init.type));
  Outcome outcome;
  SmallVector<Value> returned, carried;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&body.block);
    if (std::string error = make(body, index, states, outcome); !error.empty())
      return error;
    auto isKnown = [](const ValueInfo &value) { return value.known; };
    if (!all_of(outcome.next, isKnown) || !all_of(outcome.rows, isKnown)) {
      finals.assign(inits.size(), ValueInfo());
      collected.assign(outcome.rows.size(), ValueInfo());
      return "";
    }
    ValueInfo next = nextStep(index);
    if (count) {
      ValueInfo before = isBefore(next, number(*count));
      outcome.more = outcome.more ? both(*outcome.more, before) : before;
    }
    if (!outcome.more)
      return "too large: it never ends";
    returned = {b.reshape(materialise(*outcome.more), {}), next.value};
  }
  ValueInfo zero = number(0);
  carried.push_back(materialise(zero));
  IRMapping fixed; // what never changes is only read
  for (auto [i, init] : enumerate(inits)) {
    ValueInfo &next = outcome.next[i];
    if (!(next.type == init.type))
      return "data-dependent shape: a value it carries changes from " + init.type.str() + " to " +
             next.type.str();
    finals.push_back(init);
    Value start = materialise(finals.back());
    finals.back().known = next.value == states[i].value;
    if (finals.back().known)
      fixed.map(states[i].value, start);
    else
      carried.push_back(start);
  }
  for (auto [next, end] : zip(outcome.next, finals))
    if (!end.known)
      returned.push_back(materialise(next));
  for (ValueInfo &row : outcome.rows) {
    TensorType type = row.type;
    type.dims.insert(type.dims.begin(), *count);
    ValueInfo rows = argument(body, type);
    carried.push_back(
        b.filled(type.dims, scalarAttr(runtimeType(b.getContext(), type.elem), int64_t(0))));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&body.block);
    returned.push_back(setRow(rows.value, row, index.value));
  }
  for (Value &value : returned)
    value = fixed.lookupOrDefault(value);
  for (size_t i = inits.size(); i-- > 0;)
    if (finals[i].known) {
      states[i].value.replaceAllUsesWith(finals[i].value);
      body.block.eraseArgument(i + 1);
    }
  ValueRange made = outline(body, returned, b.reshape(materialise(first), {}), carried);
  made = made.drop_front();
  for (auto [value, init] : zip(finals, inits))
    if (!value.known) {
      value = info(made.front(), init.type.elem);
      made = made.drop_front();
    }
  for (auto [value, row] : zip(made, outcome.rows))
    collected.push_back(info(value, row.type.elem));
  return "";
}

/// Rows are written by steps that go over all rows: many are divided in blocks, each by a loop of
/// its own inside.
std::string MeshLoops::blocks(std::optional<int64_t> count, ValueInfo first,
                              ArrayRef<ValueInfo> inits, ArrayRef<Sequence> sequences,
                              bool collects, RowStepFn make, Results &finals, Results &collected) {
  auto rowsAt = [&](ArrayRef<ValueInfo> from, Value place) {
    Results rows;
    for (auto [i, sequence] : enumerate(sequences))
      rows.push_back(getRows(from[i].value, sequence, place));
    return rows;
  };
  Results wholes;
  for (const Sequence &sequence : sequences) {
    ValueInfo whole = *sequence.tensor;
    materialise(whole);
    wholes.push_back(whole);
  }
  if (!count || *count <= kMaxRows || (sequences.empty() && !collects))
    return steps(
        count, first, inits,
        [&](Body &body, ValueInfo step, ArrayRef<ValueInfo> states, Outcome &outcome) {
          return make(body, step, states, rowsAt(wholes, step.value), outcome);
        },
        finals, collected);

  const int64_t size = int64_t(llvm::PowerOf2Ceil(uint64_t(std::sqrt(double(*count)))));
  const int64_t blocks = llvm::divideCeil(*count, size);
  Results rows;
  std::string error = steps(
      blocks, first, inits,
      [&](Body &, ValueInfo block, ArrayRef<ValueInfo> states, Outcome &outcome) {
        ValueInfo begin = scaled(block, size);
        Results parts;
        for (auto [i, sequence] : enumerate(sequences))
          parts.push_back(getRows(wholes[i].value, sequence, begin.value, size));
        Results starts(states), ends;
        starts.push_back(always()); // whether the loop goes on, behind the last step of the block
        std::string error = steps(
            size, always(), starts,
            [&](Body &body, ValueInfo place, ArrayRef<ValueInfo> states, Outcome &outcome) {
              ValueInfo step = sum(begin, place);
              Results rows;
              for (auto [part, sequence] : zip(parts, sequences))
                rows.push_back(getRows(part.value, {sequence.tensor, 0, false}, place.value));
              std::string error = make(body, step, states.drop_back(), rows, outcome);
              if (!error.empty())
                return error;
              ValueInfo before = isBefore(nextStep(step), number(*count));
              outcome.more = outcome.more ? both(*outcome.more, before) : before;
              outcome.next.push_back(*outcome.more);
              return error;
            },
            ends, outcome.rows);
        outcome.next = ends;
        if (error.empty())
          outcome.more = outcome.next.pop_back_val();
        return error;
      },
      finals, rows);
  for (ValueInfo &row : rows) {
    if (row.known) {
      Dims dims = row.type.dims;
      dims.erase(dims.begin());
      dims[0] = blocks * size;
      Value whole = b.reshape(row.value, dims);
      SliceSpec spec{Dims(dims.size(), 0), Dims(dims.size(), 1), dims};
      spec.sizes[0] = *count;
      row = info(b.slice(whole, spec), row.type.elem);
    }
    collected.push_back(row);
  }
  return error;
}

} // namespace mlir::dojo::onnximport
