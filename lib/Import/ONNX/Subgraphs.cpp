// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// If, Loop and Scan. Short loops are unrolled: each step imports the body again, so that what is
// constant in a step is folded in it. Long ones, and those that end at run time, become loops of
// the device.

#include "Importer.h"
#include "Infer.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

// Nodes of bodies in one model, counted once for each step.
static constexpr int64_t kMaxUnrolledNodes = 4000;

std::string Importer::checkUnrolling() const {
  if (unrolledNodes <= kMaxUnrolledNodes)
    return "";
  return "too large: with it, the unrolled loops of the model have more than " +
         std::to_string(kMaxUnrolledNodes) + " nodes";
}

Importer::Results Importer::importGraph(const Node &node, const onnx::GraphProto &graph,
                                        ArrayRef<ValueInfo> inputs, const Twine &step,
                                        Scope &scope) {
  Scope inner;
  inner.outer = &scope;
  inner.prefix = scope.nameOf(node.proto) + "/" + step.str() + "/";
  inner.oldPrefix = node.proto.name() + "/";
  for (const auto &init : graph.initializer()) {
    auto constant = Constant::fromTensor(init, files, model.path);
    if (constant)
      inner.values[init.name()] = info(*constant);
    else
      report.errors.push_back(toString(constant.takeError()));
  }
  for (auto [input, value] : zip(graph.input(), inputs))
    inner.values[input.name()] = value;
  SmallVector<const onnx::NodeProto *> nodes;
  for (const auto &inside : graph.node())
    nodes.push_back(&inside);
  SmallVector<StringRef> outputs;
  for (const auto &output : graph.output())
    outputs.push_back(output.name());
  unrolledNodes += graph.node_size();
  importBody(nodes, outputs, inner);
  b.setLoc(nameLoc(scope.nameOf(node.proto)));
  Results results;
  for (const auto &output : graph.output())
    results.push_back(inner.find(output.name()));
  return results;
}

void Importer::importControlFlow(const onnx::NodeProto &proto, Node &node, Scope &scope) {
  Results results;
  std::string reason;
  for (const auto &attribute : proto.attribute())
    if (attribute.has_g() && attribute.g().sparse_initializer_size())
      reason = "sparse initializers are not supported";
  if (reason.empty())
    reason = node.op() == "If"     ? importIf(node, scope, results)
             : node.op() == "Loop" ? importLoop(node, scope, results)
                                   : importScan(node, scope, results);
  if (reason.empty() && int(results.size()) < proto.output_size())
    reason = "it has more outputs than its graph";
  if (!reason.empty())
    return unsupported(proto, node, scope, reason);
  for (int i = 0; i < proto.output_size(); ++i)
    if (node.outputUsed(i))
      scope.values[proto.output(i)] = results[i];
}

std::string Importer::importIf(Node &node, Scope &scope, Results &results) {
  const onnx::AttributeProto *then = node.attr("then_branch"), *other = node.attr("else_branch");
  if (!then || !other || !node.has(0) || node.elem(0) != TensorProto::BOOL ||
      elementCount(node.dims(0)) != 1)
    return "it needs a condition of one element and two branches";
  if (const Constant *condition = node.constant(0)) {
    results = condition->asInt(0) ? importGraph(node, then->g(), {}, "then", scope)
                                  : importGraph(node, other->g(), {}, "else", scope);
    return "";
  }
  return importBranches(node, then->g(), other->g(), scope, results);
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

std::optional<int64_t> Importer::statedRows(StringRef name, const Scope &scope) const {
  if (&scope != &main)
    return std::nullopt;
  auto rows = [&](const auto &values) -> std::optional<int64_t> {
    for (const auto &value : values)
      if (value.name() == name && value.type().tensor_type().shape().dim_size() &&
          value.type().tensor_type().shape().dim(0).has_dim_value())
        return value.type().tensor_type().shape().dim(0).dim_value();
    return std::nullopt;
  };
  auto stated = rows(model.proto.graph().output());
  return stated ? stated : rows(model.proto.graph().value_info());
}

Importer::Checkpoint Importer::checkpoint() {
  Block *block = b.getInsertionBlock();
  return {block, block->empty() ? nullptr : &block->back(), report.unsupported.size(),
          loopBodies.size(), unrolledNodes};
}

void Importer::rollBack(const Checkpoint &point) {
  Block &block = *point.block;
  while (!block.empty() && &block.back() != point.last && &block.back() != pool->getLast())
    block.back().erase();
  report.unsupported.resize(point.findings);
  while (loopBodies.size() > point.bodies)
    loopBodies.pop_back_val().erase();
  unrolledNodes = point.unrolled;
}

std::string Importer::importLoop(Node &node, Scope &scope, Results &results) {
  const onnx::AttributeProto *body = node.attr("body");
  const int states = std::max(int(node.inputs.size()) - 2, 0);
  if (!body || body->g().input_size() != states + 2 || body->g().output_size() < states + 1)
    return "its body does not fit its operands";
  auto isScalar = [&](unsigned i, int32_t elem) {
    return !node.has(i) || (node.elem(i) == elem && elementCount(node.dims(i)) == 1);
  };
  if (!isScalar(0, TensorProto::INT64) || !isScalar(1, TensorProto::BOOL))
    return "the trip count must be one int64 and the condition one bool";
  for (int i = 0; i < states; ++i)
    if (!node.has(i + 2))
      return "an operand is absent";
  const bool collects =
      any_of(seq(states, node.proto.output_size()), [&](int i) { return node.outputUsed(i); });
  // Unrolled, what is constant in a step is folded in it. Where that goes on for too long, or the
  // loop ends at run time, the device takes the steps.
  const Checkpoint before = checkpoint();
  bool onDevice = false;
  std::string reason = unrollLoop(node, scope, results, &onDevice);
  if (!onDevice)
    return reason;
  const bool tooLong = !reason.empty();
  rollBack(before);
  results.clear();
  if (!collects && importDeviceLoop(node, body->g(), scope, results))
    return "";
  reason = importMeshLoop(node, body->g(), scope, results);
  const bool fits = reason.empty() && report.unsupported.size() == before.findings;
  bool bounded = node.constant(0);
  for (int i = states; i < node.proto.output_size(); ++i)
    bounded |= statedRows(node.proto.output(i), scope).has_value();
  if (fits || tooLong || !bounded)
    return reason;
  // Shapes in the body may depend on the number of the step.
  rollBack(before);
  results.clear();
  return unrollLoop(node, scope, results, nullptr);
}

std::string Importer::unrollLoop(Node &node, Scope &scope, Results &results, bool *givesUp) {
  const onnx::AttributeProto *body = node.attr("body");
  const int states = int(node.inputs.size()) - 2;
  const int scans = body->g().output_size() - states - 1;
  std::optional<int64_t> trips, stated;
  if (const Constant *constant = node.constant(0))
    trips = std::max<int64_t>(constant->asInt(0), 0);
  for (int i = 0; i < scans && !stated; ++i)
    if (node.outputUsed(states + i))
      stated = statedRows(node.proto.output(states + i), scope);

  MeshLoops loops = meshLoops(node, scope);
  // `active` is what keeps the loop going, unset while that is certain.
  std::optional<ValueInfo> active;
  ValueInfo condition =
      node.has(1) ? *node.inputs[1] : info(Constant({TensorProto::BOOL, {}}, "\1"));
  SmallVector<ValueInfo, 2> carried;
  for (int i = 0; i < states; ++i)
    carried.push_back(*node.inputs[i + 2]);
  std::vector<SmallVector<ValueInfo, 2>> collected(scans);
  for (int64_t step = 0;; ++step) {
    if (trips && step >= *trips)
      break;
    if (condition.constant && !condition.constant->asInt(0))
      break;
    // Everything that may end the loop before this step at run time.
    ValueInfo index = info(Constant::ofInts(step, /*scalar=*/true));
    SmallVector<ValueInfo, 2> ends;
    if (node.isDynamic(0))
      ends.push_back(loops.isBefore(index, *node.inputs[0]));
    if (!condition.constant)
      ends.push_back(condition);
    for (ValueInfo &end : ends)
      active = active ? loops.both(*active, end) : end;
    if (active && givesUp) {
      *givesUp = true;
      return "";
    }
    if (active && stated && step >= *stated)
      break;
    if (std::string error = checkUnrolling(); !error.empty()) {
      if (givesUp)
        *givesUp = true;
      return error;
    }
    SmallVector<ValueInfo, 2> inputs{index, active ? *active : condition};
    append_range(inputs, carried);
    Results outputs = importGraph(node, body->g(), inputs, "iter" + Twine(step), scope);
    if (any_of(outputs, [](const ValueInfo &value) { return !value.known; })) {
      results.assign(states + scans, ValueInfo());
      return "";
    }
    for (int i = 0; i < states; ++i) {
      ValueInfo &next = outputs[i + 1];
      if (!active) {
        carried[i] = next;
        continue;
      }
      if (!(next.type == carried[i].type))
        return "data-dependent shape: a value it carries changes from " + carried[i].type.str() +
               " to " + next.type.str() + " and how many steps it takes is known only at run time";
      carried[i] = select(*active, next, carried[i]);
    }
    for (int i = 0; i < scans; ++i)
      collected[i].push_back(outputs[states + 1 + i]);
    condition = outputs[0];
    if (condition.type.elem != TensorProto::BOOL || elementCount(condition.type.dims) != 1)
      return "the condition that its body yields must be one bool";
  }
  results.append(carried.begin(), carried.end());
  for (int i = 0; i < scans; ++i) {
    if (!node.outputUsed(states + i)) {
      results.push_back({});
      continue;
    }
    auto rows = stackResults(collected[i], body->g().output(states + 1 + i), 0);
    if (!rows)
      return "data-dependent shape: what it collects has another shape in each step, or none that "
             "is stated";
    results.push_back(*rows);
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

std::string Importer::importScan(Node &node, Scope &scope, Results &results) {
  if (node.since < 9)
    return importBatchedScan(node, scope, results);
  const onnx::AttributeProto *body = node.attr("body");
  const int64_t scanned = node.intAttr("num_scan_inputs", 0);
  const int64_t states = int64_t(node.inputs.size()) - scanned;
  if (!body || scanned < 1 || states < 0 || body->g().input_size() != int(node.inputs.size()) ||
      body->g().output_size() < states)
    return "its body does not fit its operands";
  const int64_t scans = body->g().output_size() - states;
  auto list = [&](StringRef name, int64_t count) {
    auto values = node.intsAttr(name).value_or(SmallVector<int64_t>());
    return values.empty() ? SmallVector<int64_t>(count, 0) : values;
  };
  auto inAxes = list("scan_input_axes", scanned), inBack = list("scan_input_directions", scanned);
  auto outAxes = list("scan_output_axes", scans), outBack = list("scan_output_directions", scans);
  if (int64_t(inAxes.size()) != scanned || int64_t(inBack.size()) != scanned ||
      int64_t(outAxes.size()) != scans || int64_t(outBack.size()) != scans)
    return "its axes and directions must be as many as the operands and results they are for";
  std::optional<int64_t> steps;
  for (int64_t i = 0; i < scanned; ++i) {
    if (!node.has(states + i))
      return "an operand is absent";
    auto axis = normaliseAxis(inAxes[i], node.rank(states + i));
    if (!axis)
      return "the axis " + std::to_string(inAxes[i]) + " is outside the dimensions of its operand";
    inAxes[i] = *axis;
    const int64_t extent = node.dims(states + i)[*axis];
    if (steps.value_or(extent) != extent)
      return "what it scans differs in length";
    steps = extent;
  }
  SmallVector<ValueInfo, 2> carried(states);
  for (int64_t i = 0; i < states; ++i) {
    if (!node.has(i))
      return "an operand is absent";
    carried[i] = *node.inputs[i];
  }
  if (unrolledNodes + *steps * body->g().node_size() > kMaxUnrolledNodes)
    return importMeshScan(node, body->g(), {states, *steps, inAxes, inBack, outAxes, outBack},
                          scope, results);
  std::vector<SmallVector<ValueInfo, 2>> collected(scans);
  for (int64_t step = 0; step < *steps; ++step) {
    if (std::string error = checkUnrolling(); !error.empty())
      return error;
    SmallVector<ValueInfo, 2> inputs(carried);
    for (int64_t i = 0; i < scanned; ++i)
      inputs.push_back(
          takeIndex(*node.inputs[states + i], inAxes[i], inBack[i] ? *steps - 1 - step : step));
    Results outputs = importGraph(node, body->g(), inputs, "iter" + Twine(step), scope);
    if (any_of(outputs, [](const ValueInfo &value) { return !value.known; })) {
      results.assign(states + scans, ValueInfo());
      return "";
    }
    carried.assign(outputs.begin(), outputs.begin() + states);
    for (int64_t i = 0; i < scans; ++i)
      collected[i].push_back(outputs[states + i]);
  }
  results.append(carried.begin(), carried.end());
  for (int64_t i = 0; i < scans; ++i) {
    if (outBack[i])
      std::reverse(collected[i].begin(), collected[i].end());
    auto rows = stackResults(collected[i], body->g().output(int(states + i)), outAxes[i]);
    if (!rows)
      return "what it collects has another shape in each step, or none that is stated, or not the "
             "axis " +
             std::to_string(outAxes[i]);
    results.push_back(*rows);
  }
  return "";
}

/// Scan 8: every operand has the batch as its first dimension, what is scanned the sequence as its
/// second; operand 0 may give each batch entry a length of its own.
std::string Importer::importBatchedScan(Node &node, Scope &scope, Results &results) {
  const onnx::AttributeProto *body = node.attr("body");
  const int64_t scanned = node.intAttr("num_scan_inputs", 0);
  const int64_t states = int64_t(node.inputs.size()) - 1 - scanned;
  if (!body || scanned < 1 || states < 0 || body->g().input_size() != states + scanned ||
      body->g().output_size() < states)
    return "its body does not fit its operands";
  const int64_t scans = body->g().output_size() - states;
  auto back = node.intsAttr("directions").value_or(SmallVector<int64_t>(scanned, 0));
  if (int64_t(back.size()) != scanned)
    return "there must be one direction for each operand that is scanned";
  std::optional<int64_t> batch, steps;
  for (int64_t i = 0; i < states + scanned; ++i) {
    if (!node.has(i + 1) || node.rank(i + 1) < (i < states ? 1 : 2))
      return "an operand is absent or lacks the dimensions of batch and sequence";
    const int64_t entries = node.dims(i + 1)[0];
    const int64_t length = i < states ? steps.value_or(0) : node.dims(i + 1)[1];
    if (batch.value_or(entries) != entries || (i > states && *steps != length))
      return "its operands differ in batch or length";
    batch = entries;
    if (i >= states)
      steps = length;
  }
  if (node.has(0) && node.dims(0) != ArrayRef<int64_t>{*batch})
    return "there must be one length for each entry of the batch";

  std::vector<SmallVector<ValueInfo, 2>> finals(states), all(scans);
  for (int64_t entry = 0; entry < *batch; ++entry) {
    SmallVector<ValueInfo, 2> carried;
    for (int64_t i = 0; i < states; ++i)
      carried.push_back(takeIndex(*node.inputs[i + 1], 0, entry));
    std::vector<SmallVector<ValueInfo, 2>> collected(scans);
    std::optional<ValueInfo> length;
    if (node.has(0))
      length = takeIndex(*node.inputs[0], 0, entry);
    for (int64_t step = 0; step < *steps; ++step) {
      if (std::string error = checkUnrolling(); !error.empty())
        return error;
      SmallVector<ValueInfo, 2> inputs(carried);
      for (int64_t i = 0; i < scanned; ++i) {
        ValueInfo sequence = takeIndex(*node.inputs[states + 1 + i], 0, entry);
        inputs.push_back(takeIndex(sequence, 0, back[i] ? *steps - 1 - step : step));
      }
      Results outputs = importGraph(node, body->g(), inputs,
                                    "batch" + Twine(entry) + "/iter" + Twine(step), scope);
      if (any_of(outputs, [](const ValueInfo &value) { return !value.known; })) {
        results.assign(states + scans, ValueInfo());
        return "";
      }
      std::optional<ValueInfo> active;
      if (length) {
        MeshLoops loops = meshLoops(node, scope);
        active = loops.isBefore(loops.number(step), *length);
      }
      for (int64_t i = 0; i < states; ++i) {
        if (!(outputs[i].type == carried[i].type))
          return "a value it carries changes its type";
        carried[i] = active ? select(*active, outputs[i], carried[i]) : outputs[i];
      }
      for (int64_t i = 0; i < scans; ++i) {
        ValueInfo &row = outputs[states + i];
        if (active) {
          ValueInfo none =
              info(b.filled(row.type.dims,
                            scalarAttr(runtimeType(b.getContext(), row.type.elem), int64_t(0))),
                   row.type.elem);
          row = select(*active, row, none);
        }
        collected[i].push_back(row);
      }
    }
    for (int64_t i = 0; i < states; ++i)
      finals[i].push_back(carried[i]);
    for (int64_t i = 0; i < scans; ++i) {
      auto rows = stackResults(collected[i], body->g().output(int(states + i)), 0);
      if (!rows)
        return "what it collects has another shape in each step, or none that is stated";
      all[i].push_back(*rows);
    }
  }
  for (int64_t i = 0; i < states + scans; ++i) {
    auto &parts = i < states ? finals[i] : all[i - states];
    auto rows = stackResults(parts, body->g().output(int(i)), 0);
    if (!rows)
      return "its results have another shape for each entry of the batch";
    results.push_back(*rows);
  }
  return "";
}

} // namespace mlir::dojo::onnximport
