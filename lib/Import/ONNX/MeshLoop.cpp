// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops and branches whose steps the whole mesh takes together: dojo.loop. A body is imported once,
// in a block that is in no region; what it reads from outside becomes an operand of the loop,
// constants are cloned, and the block becomes a function. A branch is a loop of at most one step.

#include "Importer.h"
#include "Ops/Index.h"
#include "dialects/Dojo/DojoDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

// A branch costs the mesh some barriers. Up to here both sides are computed and one is chosen.
constexpr int64_t kMaxChosenOps = 12, kMaxChosenPoints = int64_t(1) << 26;
// Rows of a sequence that each step looks through.
constexpr int64_t kMaxRows = 128;

/// What ConstantPool makes, and tensors without content.
bool isConstant(Value value) {
  return isa_and_nonnull<arith::ConstantOp, WeightOp, tensor::EmptyOp>(value.getDefiningOp());
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

bool isWorthBranching(Block &block) {
  int64_t ops = 0, points = 0;
  for (Operation &op : block) {
    if (isa<LoopOp>(op))
      return true;
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (!structured)
      continue;
    ++ops;
    int64_t own = 1;
    for (int64_t range : structured.getStaticLoopRanges())
      own = llvm::SaturatingMultiply<uint64_t>(own, range);
    points = llvm::SaturatingAdd<uint64_t>(points, own);
  }
  return ops > kMaxChosenOps || points > kMaxChosenPoints;
}

void drop(Block &block) {
  // Uses are in later ops of the block only.
  while (!block.empty())
    block.back().erase();
}

} // namespace

/// A block for the body of a loop; it is emptied in any case.
struct Importer::MeshBody {
  ~MeshBody() { drop(block); }
  Block block;
};

Importer::Results Importer::importInto(MeshBody &body, const Node &node,
                                       const onnx::GraphProto &graph, ArrayRef<ValueInfo> inputs,
                                       const Twine &step, Scope &scope) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(&body.block);
  Results outputs = importGraph(node, graph, inputs, step, scope);
  for (ValueInfo &output : outputs)
    if (output.known)
      materialise(output);
  // What was computed here from a value outside is not there outside.
  for (Scope *outer = &scope; outer; outer = outer->outer)
    for (auto &[name, value] : outer->values)
      if (value.inFloat && value.inFloat.getParentBlock() == &body.block)
        value.inFloat = {};
  return outputs;
}

ValueInfo Importer::argument(MeshBody &body, const TensorType &type) {
  auto tensor = RankedTensorType::get(type.dims, runtimeType(b.getContext(), type.elem));
  return {type, true, std::nullopt, body.block.addArgument(tensor, b.getLoc())};
}

ValueRange Importer::outline(const Node &node, Scope &scope, MeshBody &body,
                             ArrayRef<Value> returned, Value condition, ArrayRef<Value> carried) {
  SetVector<Value> captured = capturedBy(body.block, returned);
  SmallVector<Value> invariants;
  SmallVector<Type> inputs(ValueRange(carried).getTypes());
  for (Value value : captured)
    if (!isConstant(value)) {
      invariants.push_back(value);
      inputs.push_back(value.getType());
    }
  std::string name = scope.nameOf(node.proto);
  name = name.empty() ? node.op().lower() : name;
  func::FuncOp function;
  {
    OpBuilder::InsertionGuard guard(b);
    ModuleOp module = func->getParentOfType<ModuleOp>();
    b.setInsertionPointToEnd(module.getBody());
    std::string unique = name;
    for (unsigned number = 2; module.lookupSymbol(unique); ++number)
      unique = name + "." + std::to_string(number);
    function =
        func::FuncOp::create(b, unique, b.getFunctionType(inputs, ValueRange(returned).getTypes()));
    function.setPrivate();
    loopBodies.push_back(function);
    Block *entry = function.addEntryBlock();
    entry->getOperations().splice(entry->end(), body.block.getOperations());
    IRMapping inside;
    inside.map(body.block.getArguments(), entry->getArguments().take_front(carried.size()));
    inside.map(invariants, entry->getArguments().drop_front(carried.size()));
    b.setInsertionPointToStart(entry);
    for (Value value : captured)
      if (isConstant(value))
        b.clone(*value.getDefiningOp(), inside);
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

ValueInfo Importer::nextStep(ValueInfo step) {
  return scalar(TensorProto::INT64, step, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Value one = arith::ConstantOp::create(b, loc, scalarAttr(v[0].getType(), int64_t(1)));
    return arith::AddIOp::create(b, loc, v[0], one);
  });
}

ValueInfo Importer::isBefore(ValueInfo step, ValueInfo end) {
  ValueInfo pair[] = {step, end};
  return scalar(TensorProto::BOOL, pair, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, v[0], v[1]);
  });
}

ValueInfo Importer::both(ValueInfo x, ValueInfo y) {
  ValueInfo pair[] = {x, y};
  return scalar(TensorProto::BOOL, pair, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::AndIOp::create(b, loc, v[0], v[1]);
  });
}

ValueInfo Importer::sum(ValueInfo x, ValueInfo y) {
  ValueInfo pair[] = {x, y};
  return scalar(TensorProto::INT64, pair, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::AddIOp::create(b, loc, v[0], v[1]);
  });
}

ValueInfo Importer::scaled(ValueInfo x, int64_t factor) {
  return scalar(TensorProto::INT64, x, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Value times = arith::ConstantOp::create(b, loc, scalarAttr(v[0].getType(), factor));
    return arith::MulIOp::create(b, loc, v[0], times);
  });
}

Value Importer::setRow(Value rows, ValueInfo row, Value place) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(rows);
  Operand operands[] = {b.broadcast(rows, dims), b.broadcast(materialise(row), dims),
                        b.broadcast(place, dims)};
  return mapIndices(b, dims, TensorBuilder::elementOf(rows), operands,
                    [&](IndexBody &x, ValueRange v) {
                      return x.select(x.equal(x.toInt(x.loop(0), 64), v[2]), v[1], v[0]);
                    });
}

ValueInfo Importer::getRows(Value from, const Sequence &sequence, Value place,
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

//===----------------------------------------------------------------------===//
// Loop and Scan
//===----------------------------------------------------------------------===//

std::string Importer::importSteps(const Node &node, Scope &scope, std::optional<int64_t> count,
                                  ValueInfo first, ArrayRef<ValueInfo> inits, StepFn make,
                                  Results &finals, Results &collected) {
  MeshBody body;
  ValueInfo index = argument(body, {TensorProto::INT64, {}});
  Results states;
  for (const ValueInfo &init : inits)
    states.push_back(argument(body, init.type));
  StepOutcome outcome;
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
      ValueInfo before = isBefore(next, info(Constant::ofInts(*count, /*scalar=*/true)));
      outcome.more = outcome.more ? both(*outcome.more, before) : before;
    }
    if (!outcome.more)
      return "too large: it never ends";
    returned = {b.reshape(materialise(*outcome.more), {}), next.value};
  }
  ValueInfo zero = info(Constant::ofInts(0, /*scalar=*/true));
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
  ValueRange made =
      outline(node, scope, body, returned, b.reshape(materialise(first), {}), carried);
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
std::string Importer::importBlocks(const Node &node, Scope &scope, std::optional<int64_t> count,
                                   ValueInfo first, ArrayRef<ValueInfo> inits,
                                   ArrayRef<Sequence> sequences, bool collects, RowStepFn make,
                                   Results &finals, Results &collected) {
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
    return importSteps(
        node, scope, count, first, inits,
        [&](MeshBody &body, ValueInfo step, ArrayRef<ValueInfo> states, StepOutcome &outcome) {
          return make(body, step, states, rowsAt(wholes, step.value), outcome);
        },
        finals, collected);

  const int64_t size = int64_t(llvm::PowerOf2Ceil(uint64_t(std::sqrt(double(*count)))));
  const int64_t blocks = llvm::divideCeil(*count, size);
  ValueInfo always = info(Constant({TensorProto::BOOL, {}}, "\1"));
  Results rows;
  std::string error = importSteps(
      node, scope, blocks, first, inits,
      [&](MeshBody &, ValueInfo block, ArrayRef<ValueInfo> states, StepOutcome &outcome) {
        ValueInfo begin = scaled(block, size);
        Results parts;
        for (auto [i, sequence] : enumerate(sequences))
          parts.push_back(getRows(wholes[i].value, sequence, begin.value, size));
        Results starts(states), ends;
        starts.push_back(always); // whether the loop goes on, behind the last step of the block
        std::string error = importSteps(
            node, scope, size, always, starts,
            [&](MeshBody &body, ValueInfo place, ArrayRef<ValueInfo> states, StepOutcome &outcome) {
              ValueInfo step = sum(begin, place);
              Results rows;
              for (auto [part, sequence] : zip(parts, sequences))
                rows.push_back(getRows(part.value, {sequence.tensor, 0, false}, place.value));
              std::string error = make(body, step, states.drop_back(), rows, outcome);
              if (!error.empty())
                return error;
              ValueInfo before =
                  isBefore(nextStep(step), info(Constant::ofInts(*count, /*scalar=*/true)));
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

std::string Importer::importMeshLoop(Node &node, const onnx::GraphProto &graph, Scope &scope,
                                     Results &results) {
  const size_t states = node.inputs.size() - 2, scans = graph.output_size() - states - 1;
  std::optional<int64_t> rows;
  if (const Constant *trips = node.constant(0))
    rows = std::max<int64_t>(trips->asInt(0), 0);
  bool collects = false;
  for (size_t i = 0; i < scans; ++i)
    if (node.outputUsed(states + i)) {
      collects = true;
      if (auto stated = statedRows(node.proto.output(int(states + i)), scope))
        rows = stated;
    }
  if (collects && !rows)
    return "data-dependent shape: how many steps it takes, and with it the shape of what it "
           "collects, is known only at run time, and the model does not state it";

  std::optional<ValueInfo> first;
  if (node.has(1))
    first = *node.inputs[1];
  if (node.isDynamic(0)) {
    ValueInfo before = isBefore(info(Constant::ofInts(0, /*scalar=*/true)), *node.inputs[0]);
    first = first ? both(*first, before) : before;
  }
  ValueInfo always = info(Constant({TensorProto::BOOL, {}}, "\1"));
  Results inits, finals, collected;
  for (size_t i = 0; i < states; ++i)
    inits.push_back(*node.inputs[i + 2]);
  std::string error = importBlocks(
      node, scope, rows, first.value_or(always), inits, {}, collects,
      [&](MeshBody &body, ValueInfo step, ArrayRef<ValueInfo> carried, ArrayRef<ValueInfo>,
          StepOutcome &outcome) -> std::string {
        SmallVector<ValueInfo, 2> inputs{step, always};
        append_range(inputs, carried);
        Results outputs = importInto(body, node, graph, inputs, "body", scope);
        if (outputs[0].known &&
            (outputs[0].type.elem != TensorProto::BOOL || elementCount(outputs[0].type.dims) != 1))
          return "the condition that its body yields must be one bool";
        if (outputs[0].known && (!outputs[0].constant || !outputs[0].constant->asInt(0)))
          outcome.more = outputs[0];
        if (node.isDynamic(0)) {
          ValueInfo before = isBefore(nextStep(step), *node.inputs[0]);
          outcome.more = outcome.more ? both(*outcome.more, before) : before;
        }
        outcome.next.assign(outputs.begin() + 1, outputs.begin() + 1 + states);
        for (size_t i = 0; i < scans; ++i)
          if (node.outputUsed(states + i))
            outcome.rows.push_back(outputs[states + 1 + i]);
        if (!outputs[0].known)
          outcome.next.assign(states, ValueInfo());
        return "";
      },
      finals, collected);
  results = finals;
  for (size_t i = 0, at = 0; i < scans && error.empty(); ++i)
    results.push_back(node.outputUsed(states + i) ? collected[at++] : ValueInfo());
  return error;
}

std::string Importer::importMeshScan(Node &node, const onnx::GraphProto &graph,
                                     const ScanForm &form, Scope &scope, Results &results) {
  Results inits, collected;
  SmallVector<Sequence> sequences;
  for (int64_t i = 0; i < form.states; ++i)
    inits.push_back(*node.inputs[i]);
  for (auto [i, axis] : enumerate(form.inAxes))
    sequences.push_back({node.inputs[form.states + i], axis, form.inBack[i] != 0});
  std::string error = importBlocks(
      node, scope, form.steps, info(Constant({TensorProto::BOOL, {}}, "\1")), inits, sequences,
      /*collects=*/true,
      [&](MeshBody &body, ValueInfo, ArrayRef<ValueInfo> carried, ArrayRef<ValueInfo> rows,
          StepOutcome &outcome) -> std::string {
        SmallVector<ValueInfo, 2> inputs(carried);
        append_range(inputs, rows);
        Results outputs = importInto(body, node, graph, inputs, "body", scope);
        outcome.next.assign(outputs.begin(), outputs.begin() + form.states);
        outcome.rows.assign(outputs.begin() + form.states, outputs.end());
        return "";
      },
      results, collected);
  for (auto [i, rows] : enumerate(collected)) {
    const int64_t rank = rows.type.dims.size();
    auto axis = normaliseAxis(form.outAxes[i], rank);
    if (!axis)
      return "what it collects has not the axis " + std::to_string(form.outAxes[i]);
    if (rows.known && form.outBack[i]) {
      SliceSpec spec{Dims(rank, 0), Dims(rank, 1), rows.type.dims};
      spec.starts[0] = form.steps - 1;
      spec.steps[0] = -1;
      rows = info(b.slice(rows.value, spec), rows.type.elem);
    }
    if (rows.known && *axis != 0) {
      SmallVector<int64_t> order;
      for (int64_t d = 1; d < rank; ++d)
        order.push_back(d);
      order.insert(order.begin() + *axis, 0);
      rows = info(b.transpose(rows.value, order), rows.type.elem);
    }
    results.push_back(rows);
  }
  return error;
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

std::string Importer::importBranches(Node &node, const onnx::GraphProto &then,
                                     const onnx::GraphProto &other, Scope &scope,
                                     Results &results) {
  MeshBody bodies[2];
  Results chosen = importInto(bodies[0], node, then, {}, "then", scope);
  Results rest = importInto(bodies[1], node, other, {}, "else", scope);
  if (chosen.size() != rest.size())
    return "its branches have different numbers of outputs";
  auto isKnown = [](const ValueInfo &value) { return value.known; };
  if (!all_of(chosen, isKnown) || !all_of(rest, isKnown)) {
    results.assign(chosen.size(), ValueInfo());
    return "";
  }
  for (auto [i, x, y] : enumerate(chosen, rest))
    if (!(x.type == y.type))
      return "data-dependent shape: output " + std::to_string(i) + " is " + x.type.str() +
             " from one branch and " + y.type.str() + " from the other";

  if (!isWorthBranching(bodies[0].block) && !isWorthBranching(bodies[1].block)) {
    for (MeshBody &body : bodies)
      b.getInsertionBlock()->getOperations().splice(b.getInsertionPoint(),
                                                    body.block.getOperations());
    for (auto [x, y] : zip(chosen, rest))
      results.push_back(select(*node.inputs[0], x, y));
    return "";
  }
  Value condition = b.reshape(materialise(*node.inputs[0]), {});
  Value negated = b.elementwise({}, b.getI1Type(), b.along(condition, {}, 0),
                                [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                                  Value one =
                                      arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
                                  return arith::XOrIOp::create(b, loc, v[0], one);
                                });
  SmallVector<Value> carried;
  for (ValueInfo &output : chosen)
    carried.push_back(b.filled(
        output.type.dims, scalarAttr(runtimeType(b.getContext(), output.type.elem), int64_t(0))));
  for (auto [body, asked, outputs] :
       zip(bodies, std::array{condition, negated}, std::array{chosen, rest})) {
    ValueInfo once = info(Constant({TensorProto::BOOL, {}}, StringRef("\0", 1).str()));
    SmallVector<Value> returned{materialise(once)};
    for (ValueInfo &output : outputs) {
      argument(body, output.type);
      returned.push_back(output.value);
    }
    ValueRange made = outline(node, scope, body, returned, asked, carried);
    carried.assign(made.begin(), made.end());
  }
  for (auto [value, output] : zip(carried, chosen))
    results.push_back(info(value, output.type.elem));
  return "";
}

} // namespace mlir::dojo::onnximport
