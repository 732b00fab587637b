// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loop, Scan and If where the whole mesh takes their steps. A branch is a loop of at most one step.

#include "Importer.h"
#include "dialects/Dojo/DojoDialect.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

// A branch costs the mesh some barriers. Up to here both sides are computed and one is chosen.
static constexpr int64_t kMaxChosenOps = 12, kMaxChosenPoints = int64_t(1) << 26;

static bool isWorthBranching(Block &block) {
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

Importer::Results Importer::importInto(MeshLoops::Body &body, const Node &node,
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

MeshLoops Importer::meshLoops(const Node &node, const Scope &scope) {
  std::string name = scope.nameOf(node.proto);
  return {b, *pool, func->getParentOfType<ModuleOp>(), name.empty() ? node.op().lower() : name,
          loopBodies};
}

std::string Importer::importMeshLoop(Node &node, const onnx::GraphProto &graph, Scope &scope,
                                     Results &results) {
  const size_t states = node.inputs.size() - 2, scans = graph.output_size() - states - 1;
  MeshLoops loops = meshLoops(node, scope);
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
    ValueInfo before = loops.isBefore(loops.number(0), *node.inputs[0]);
    first = first ? loops.both(*first, before) : before;
  }
  ValueInfo always = loops.always();
  Results inits, finals, collected;
  for (size_t i = 0; i < states; ++i)
    inits.push_back(*node.inputs[i + 2]);
  std::string error = loops.blocks(
      rows, first.value_or(always), inits, {}, collects,
      [&](MeshLoops::Body &body, ValueInfo step, ArrayRef<ValueInfo> carried, ArrayRef<ValueInfo>,
          MeshLoops::Outcome &outcome) -> std::string {
        SmallVector<ValueInfo, 2> inputs{step, always};
        append_range(inputs, carried);
        Results outputs = importInto(body, node, graph, inputs, "body", scope);
        if (outputs[0].known &&
            (outputs[0].type.elem != TensorProto::BOOL || elementCount(outputs[0].type.dims) != 1))
          return "the condition that its body yields must be one bool";
        if (outputs[0].known && (!outputs[0].constant || !outputs[0].constant->asInt(0)))
          outcome.more = outputs[0];
        if (node.isDynamic(0)) {
          ValueInfo before = loops.isBefore(loops.nextStep(step), *node.inputs[0]);
          outcome.more = outcome.more ? loops.both(*outcome.more, before) : before;
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
  MeshLoops loops = meshLoops(node, scope);
  Results inits, collected;
  SmallVector<MeshLoops::Sequence> sequences;
  for (int64_t i = 0; i < form.states; ++i)
    inits.push_back(*node.inputs[i]);
  for (auto [i, axis] : enumerate(form.inAxes))
    sequences.push_back({node.inputs[form.states + i], axis, form.inBack[i] != 0});
  std::string error = loops.blocks(
      form.steps, loops.always(), inits, sequences,
      /*collects=*/true,
      [&](MeshLoops::Body &body, ValueInfo, ArrayRef<ValueInfo> carried, ArrayRef<ValueInfo> rows,
          MeshLoops::Outcome &outcome) -> std::string {
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
  MeshLoops loops = meshLoops(node, scope);
  MeshLoops::Body bodies[2];
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
    for (MeshLoops::Body &body : bodies)
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
      loops.argument(body, output.type);
      returned.push_back(output.value);
    }
    ValueRange made = loops.outline(body, returned, asked, carried);
    carried.assign(made.begin(), made.end());
  }
  for (auto [value, output] : zip(carried, chosen))
    results.push_back(info(value, output.type.elem));
  return "";
}

} // namespace mlir::dojo::onnximport
