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
  Results outputs;

  bool complete() const {
    return all_of(outputs, [](const ValueInfo &output) { return output.known; });
  }
};

void Importer::importInto(MeshBody &body, const Node &node, const onnx::GraphProto &graph,
                          ArrayRef<ValueInfo> inputs, const Twine &step, Scope &scope) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(&body.block);
  body.outputs = importGraph(node, graph, inputs, step, scope);
  for (ValueInfo &output : body.outputs)
    if (output.known)
      materialise(output);
  // What was computed here from a value outside is not there outside.
  for (Scope *outer = &scope; outer; outer = outer->outer)
    for (auto &[name, value] : outer->values)
      if (value.inFloat && value.inFloat.getParentBlock() == &body.block)
        value.inFloat = {};
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

Value Importer::setRow(Value rows, ValueInfo row, int64_t axis, Value step, bool fromEnd) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(rows);
  Dims one = row.type.dims;
  one.insert(one.begin() + axis, 1);
  Operand operands[] = {b.broadcast(rows, dims), b.broadcast(b.reshape(row.value, one), dims),
                        b.broadcast(step, dims)};
  const int64_t extent = dims[axis];
  return mapIndices(b, dims, TensorBuilder::elementOf(rows), operands,
                    [&](IndexBody &x, ValueRange v) {
                      Value place = fromEnd ? x.sub(x.same(v[2], extent - 1), v[2]) : v[2];
                      return x.select(x.equal(x.toInt(x.loop(axis), 64), place), v[1], v[0]);
                    });
}

ValueInfo Importer::getRow(Value rows, int32_t elem, int64_t axis, Value step, bool fromEnd) {
  Dims rest(TensorBuilder::dimsOf(rows));
  const int64_t extent = rest[axis];
  rest.erase(rest.begin() + axis);
  Operand operand = b.broadcast(step, rest);
  Value row =
      mapIndices(b, rest, TensorBuilder::elementOf(rows), operand, [&](IndexBody &x, ValueRange v) {
        Value place = fromEnd ? x.sub(x.same(v[0], extent - 1), v[0]) : v[0];
        SmallVector<Value> indices;
        for (size_t d = 0; d < rest.size(); ++d)
          indices.push_back(x.loop(d));
        indices.insert(indices.begin() + axis, x.inside(place, extent));
        return x.read(rows, indices);
      });
  return info(row, elem);
}

//===----------------------------------------------------------------------===//
// Loop, Scan, If
//===----------------------------------------------------------------------===//

std::string Importer::importMeshLoop(Node &node, const onnx::GraphProto &graph, Scope &scope,
                                     Results &results) {
  const size_t states = node.inputs.size() - 2, scans = graph.output_size() - states - 1;
  MeshBody body;
  ValueInfo step = argument(body, {TensorProto::INT64, {}});
  SmallVector<ValueInfo, 2> inputs{step, info(Constant({TensorProto::BOOL, {}}, "\1"))};
  for (size_t i = 0; i < states; ++i)
    inputs.push_back(argument(body, node.type(i + 2)));
  importInto(body, node, graph, inputs, "body", scope);
  Results &outputs = body.outputs;
  if (!body.complete()) {
    results.assign(states + scans, ValueInfo());
    return "";
  }
  if (outputs[0].type.elem != TensorProto::BOOL || elementCount(outputs[0].type.dims) != 1)
    return "the condition that its body yields must be one bool";

  // How it ends, as its body says after a step and as it stands before the first.
  std::optional<ValueInfo> first, more;
  auto alsoFirst = [&](ValueInfo value) { first = first ? both(*first, value) : value; };
  if (node.has(1))
    alsoFirst(*node.inputs[1]);
  if (node.has(0))
    alsoFirst(isBefore(info(Constant::ofInts(0, /*scalar=*/true)), *node.inputs[0]));
  if (!first)
    first = info(Constant({TensorProto::BOOL, {}}, "\1"));
  SmallVector<Value> returned, carried;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&body.block);
    if (!outputs[0].constant || !outputs[0].constant->asInt(0))
      more = outputs[0];
    ValueInfo next = nextStep(step);
    if (node.has(0)) {
      ValueInfo before = isBefore(next, *node.inputs[0]);
      more = more ? both(*more, before) : before;
    }
    if (!more)
      return "too large: it never ends";
    returned = {b.reshape(materialise(*more), {}), next.value};
  }
  carried.push_back(materialise(*std::make_unique<ValueInfo>(info(Constant::ofInts(0, true)))));

  // What it carries and never changes is only read.
  std::vector<bool> changes(states);
  for (size_t i = 0; i < states; ++i) {
    ValueInfo &next = outputs[i + 1];
    if (!(next.type == node.type(i + 2)))
      return "data-dependent shape: a value it carries changes from " + node.type(i + 2).str() +
             " to " + next.type.str() + " and how many steps it takes is known only at run time";
    changes[i] = next.value != inputs[i + 2].value;
    carried.push_back(materialise(*node.inputs[i + 2]));
    returned.push_back(next.value);
  }
  // What it collects has a row for each step that it may take, zeros where it takes fewer.
  std::optional<int64_t> rows;
  if (const Constant *trips = node.constant(0))
    rows = std::max<int64_t>(trips->asInt(0), 0);
  for (size_t i = 0; i < scans; ++i)
    if (auto stated =
            statedRows(node.proto.output_size() > int(states + i) ? node.proto.output(states + i)
                                                                  : std::string(),
                       scope))
      rows = stated;
  for (size_t i = 0; i < scans; ++i) {
    if (!node.outputUsed(states + i))
      continue;
    if (!rows)
      return "data-dependent shape: how many steps it takes, and with it the shape of what it "
             "collects, is known only at run time, and the model does not state it";
    TensorType type = outputs[states + 1 + i].type;
    type.dims.insert(type.dims.begin(), *rows);
    ValueInfo collected = argument(body, type);
    carried.push_back(
        b.filled(type.dims, scalarAttr(runtimeType(b.getContext(), type.elem), int64_t(0))));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&body.block);
    returned.push_back(
        setRow(collected.value, outputs[states + 1 + i], 0, step.value, /*fromEnd=*/false));
  }
  ValueRange made =
      outline(node, scope, body, returned, b.reshape(materialise(*first), {}), carried);
  for (size_t i = 0; i < states; ++i)
    results.push_back(changes[i] ? info(made[1 + i], node.elem(i + 2)) : *node.inputs[i + 2]);
  size_t at = 1 + states;
  for (size_t i = 0; i < scans; ++i)
    results.push_back(node.outputUsed(states + i)
                          ? info(made[at++], outputs[states + 1 + i].type.elem)
                          : ValueInfo());
  return "";
}

std::string Importer::importMeshScan(Node &node, const onnx::GraphProto &graph,
                                     const ScanForm &form, Scope &scope, Results &results) {
  const size_t states = form.states, scans = form.outAxes.size();
  MeshBody body;
  ValueInfo step = argument(body, {TensorProto::INT64, {}});
  SmallVector<ValueInfo, 2> inputs;
  SmallVector<Value> returned, carried;
  for (size_t i = 0; i < states; ++i) {
    inputs.push_back(argument(body, node.type(i)));
    carried.push_back(materialise(*node.inputs[i]));
  }
  for (size_t i = 0; i < form.inAxes.size(); ++i) {
    Value sequence = materialise(*node.inputs[states + i]);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&body.block);
    inputs.push_back(
        getRow(sequence, node.elem(states + i), form.inAxes[i], step.value, form.inBack[i]));
  }
  importInto(body, node, graph, inputs, "body", scope);
  Results &outputs = body.outputs;
  if (!body.complete()) {
    results.assign(states + scans, ValueInfo());
    return "";
  }
  ValueInfo zero = info(Constant::ofInts(0, /*scalar=*/true));
  ValueInfo end = info(Constant::ofInts(form.steps, /*scalar=*/true));
  carried.insert(carried.begin(), materialise(zero));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&body.block);
    ValueInfo next = nextStep(step);
    returned = {isBefore(next, end).value, next.value};
  }
  for (size_t i = 0; i < states; ++i) {
    if (!(outputs[i].type == node.type(i)))
      return "a value it carries changes its type";
    returned.push_back(outputs[i].value);
  }
  for (size_t i = 0; i < scans; ++i) {
    TensorType type = outputs[states + i].type;
    auto axis = normaliseAxis(form.outAxes[i], int64_t(type.dims.size()) + 1);
    if (!axis)
      return "what it collects has not the axis " + std::to_string(form.outAxes[i]);
    type.dims.insert(type.dims.begin() + *axis, form.steps);
    ValueInfo collected = argument(body, type);
    carried.push_back(
        b.filled(type.dims, scalarAttr(runtimeType(b.getContext(), type.elem), int64_t(0))));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&body.block);
    returned.push_back(
        setRow(collected.value, outputs[states + i], *axis, step.value, form.outBack[i]));
  }
  ValueInfo always = info(Constant({TensorProto::BOOL, {}}, "\1"));
  ValueRange made = outline(node, scope, body, returned, materialise(always), carried);
  for (size_t i = 0; i < states + scans; ++i)
    results.push_back(info(made[1 + i], outputs[i].type.elem));
  return "";
}

std::string Importer::importBranches(Node &node, const onnx::GraphProto &then,
                                     const onnx::GraphProto &other, Scope &scope,
                                     Results &results) {
  MeshBody bodies[2];
  importInto(bodies[0], node, then, {}, "then", scope);
  importInto(bodies[1], node, other, {}, "else", scope);
  Results &chosen = bodies[0].outputs, &rest = bodies[1].outputs;
  if (chosen.size() != rest.size())
    return "its branches have different numbers of outputs";
  if (!bodies[0].complete() || !bodies[1].complete()) {
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
  for (auto [body, asked] : zip(bodies, std::array{condition, negated})) {
    ValueInfo once = info(Constant({TensorProto::BOOL, {}}, StringRef("\0", 1).str()));
    SmallVector<Value> returned{materialise(once)};
    for (ValueInfo &output : body.outputs) {
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
