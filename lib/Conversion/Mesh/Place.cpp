// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adapter between the layers and the planner.

#include "Connected.h"
#include "MeshLowering.h"
#include "PlanProblem.h"
#include "SplitReduction.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Conversion/Machine.h"
#include "dojo/Conversion/MeshPasses.h"
#include "dojo/Planning/Planner.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_PLACE
#include "dojo/Conversion/MeshPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

namespace {
/// SRAM that plans leave to code, tables and transfer lists, and to what is alive beside a layer:
/// results and patches of its neighbours.
constexpr int64_t programBytes = 128 * 1024, neighbourBytes = 192 * 1024;

struct PlacePass : public mlir::dojo::impl::PlaceBase<PlacePass> {
  using PlaceBase::PlaceBase;

  void runOnOperation() override {
    if (failed(place(getOperation())))
      signalPassFailure();
  }

  LogicalResult place(ModuleOp module) {
    ::dojo::Target machine;
    std::string error;
    SmallVector<std::string> positions(dead.begin(), dead.end());
    if (!loadMachine(target, nodes, positions, machine, error))
      return mlir::emitError(module.getLoc(), error);
    setMachine(module, target, nodes, positions, machine);
    planning::Mesh mesh = planning::Mesh::fromTarget(machine);
    if (failed(checkConnected(module.getLoc(), mesh)))
      return failure();

    SmallVector<LayerOp> layers;
    module.walk([&](LayerOp layer) { layers.push_back(layer); });
    planning::GraphProblem problem;
    DenseMap<Value, int32_t> producers;
    for (auto [i, layer] : llvm::enumerate(layers)) {
      FailureOr<LayerAccess> access = analyzeLayer(layer);
      if (failed(access))
        return failure();
      problem.layers.push_back(planProblemOf(layer, *access));
      if (std::string fault = planning::checkLayerProblem(problem.layers.back()); !fault.empty())
        return layer.emitError("cannot be planned: ") << fault;
      for (auto [k, input] : llvm::enumerate(layer.getInputs()))
        addEdges(input, i, k, producers, problem.edges);
      producers[layer->getResult(0)] = i;
    }
    problem.constantBudget = 0; // the planner chooses
    planning::GraphPlan plan;
    planning::CostModel model = planning::CostModel::fromTarget(machine);
    if (!planning::fitGraph(problem, machine.sramBytes - programBytes, neighbourBytes, mesh, model,
                            plan, error)) {
      InFlightDiagnostic diag = mlir::emitError(module.getLoc(), "does not fit on the machine: ")
                                << error;
      if (plan.layers.size() == layers.size())
        diag.attachNote() << memoryMap(problem, plan);
      return diag;
    }
    SmallVector<LayerOp> placed;
    for (auto [layer, description, chosen] : llvm::zip_equal(layers, problem.layers, plan.layers)) {
      if (chosen.k == 1) {
        if (failed(setPlan(layer, description, chosen, mesh, problem.limits)))
          return failure();
        placed.push_back(layer);
      } else if (failed(
                     placeParts(layer, description, chosen, mesh, model, problem.limits, placed)))
        return failure();
    }
    for (LayerOp layer : placed)
      insertRedistributions(layer);
    return success();
  }

  LogicalResult setPlan(LayerOp layer, const planning::LayerProblem &problem,
                        const planning::LayerPlan &plan, const planning::Mesh &mesh,
                        const planning::PlanLimits &limits) {
    if (std::string fault = planning::verifyPlan(problem, plan, mesh, limits); !fault.empty())
      return layer.emitError("has an unsound plan: ") << fault;
    layer->setAttr("plan", PlanAttr::get(&getContext(), plan.copies, plan.m, plan.n, plan.k,
                                         plan.splits, plan.nodes, plan.cost.total));
    return success();
  }

  /// The boxes of the sum that the nodes with partial sums hold parts of. Partial sums have the
  /// number of the part before the sum's dimensions, or counted in the first.
  static std::vector<std::pair<planning::Box, int32_t>>
  heldParts(const planning::LayerProblem &problem, const planning::LayerPlan &plan,
            const planning::LayerProblem &sum) {
    std::vector<std::pair<planning::Box, int32_t>> held;
    for (size_t cell = 0; cell < plan.nodes.size(); ++cell) {
      planning::Box box = planning::touched(problem.output, plan.cellLoops(problem, cell));
      if (box.lo.size() == sum.output.shape.size()) {
        box.lo[0] %= sum.output.shape[0];
      } else {
        box.lo.erase(box.lo.begin());
        box.size.erase(box.size.begin());
      }
      held.push_back({std::move(box), plan.nodes[cell]});
    }
    return held;
  }

  /// Divides a layer whose plan divides its sum, and gives both layers plans: the partial sums the
  /// splits that were chosen, their sum the fastest.
  LogicalResult placeParts(LayerOp layer, const planning::LayerProblem &problem,
                           const planning::LayerPlan &chosen, const planning::Mesh &mesh,
                           const planning::CostModel &model, planning::PlanLimits limits,
                           SmallVectorImpl<LayerOp> &placed) {
    std::vector<int64_t> splits = chosen.splits;
    unsigned loop = 0;
    while (problem.loops[loop].parallel || splits[loop] == 1)
      ++loop;
    splits.push_back(std::exchange(splits[loop], 1));
    SplitLayers split = splitReduction(layer, loop, chosen.k);
    planning::LayerPlan partial;
    planning::LayerProblem partialProblem;
    for (LayerOp part : {split.partial, split.sum}) {
      FailureOr<LayerAccess> access = analyzeLayer(part);
      if (failed(access))
        return failure();
      planning::LayerProblem description = planProblemOf(part, *access);
      planning::LayerPlan plan;
      if (part == split.partial) {
        plan = planning::planOf(description, splits, mesh, model);
        partial = plan;
        partialProblem = description;
      } else if (auto near = planning::planNear(
                     description, heldParts(partialProblem, partial, description), mesh, model);
                 near && near->constantBytes + near->workingBytes <= limits.nodeBytes) {
        plan = std::move(*near);
      } else {
        std::vector<planning::LayerPlan> plans =
            planning::solveLayer(description, mesh, model, limits);
        if (plans.empty())
          return part.emitError("does not fit on the machine: the sum of its parts has no plan");
        plan = std::move(plans.front());
      }
      if (failed(setPlan(part, description, plan, mesh, limits)))
        return failure();
      placed.push_back(part);
    }
    // Named as it was chosen: the parts of the sum are not copies.
    auto plan = split.partial->getAttrOfType<PlanAttr>("plan");
    split.partial->setAttr("plan",
                           PlanAttr::get(&getContext(), chosen.copies, chosen.m, chosen.n, chosen.k,
                                         plan.getSplits(), plan.getNodes(), plan.getCycles()));
    return success();
  }

  /// What each layer needs of a node's SRAM with the plans chosen, most constants first.
  static std::string memoryMap(const planning::GraphProblem &problem,
                               const planning::GraphPlan &plan) {
    SmallVector<size_t> order = llvm::to_vector(llvm::seq<size_t>(0, plan.layers.size()));
    llvm::stable_sort(order, [&](size_t a, size_t b) {
      return plan.layers[a].constantBytes > plan.layers[b].constantBytes;
    });
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "bytes of a node, weights and tables (all of the time) and working space (in turn):";
    for (size_t l : order)
      os << llvm::formatv("\n  {0,9} {1,9}  {2}", plan.layers[l].constantBytes,
                          plan.layers[l].workingBytes, problem.layers[l].name);
    os << llvm::formatv("\n  {0,9}            in all; a node has {1} for these and working space",
                        plan.constantBytes, problem.limits.nodeBytes);
    return text;
  }

  /// Edges from the layers whose results `value` is made of, views looked through.
  static void addEdges(Value value, int32_t consumer, int32_t operand,
                       const DenseMap<Value, int32_t> &producers,
                       std::vector<planning::GraphEdge> &edges) {
    if (auto found = producers.find(value); found != producers.end())
      edges.push_back({found->second, consumer, operand});
    else if (Operation *op = value.getDefiningOp(); op && isa<AssembleOp, ReshapeOp>(op))
      for (Value input : op->getOperands())
        addEdges(input, consumer, operand, producers, edges);
  }

  /// Makes explicit where a layer's nodes need other boxes than the producer's nodes hold.
  void insertRedistributions(LayerOp layer) {
    OpBuilder builder(layer);
    for (OpOperand &operand : layer->getOpOperands()) {
      Value value = operand.get();
      if (value.getDefiningOp<WeightOp>() || sameBoxes(layer, operand.getOperandNumber(), value))
        continue;
      operand.set(RedistributeOp::create(builder, layer.getLoc(), value));
    }
  }

  static bool sameBoxes(LayerOp reader, unsigned operand, Value value) {
    auto producer = value.getDefiningOp<LayerOp>();
    if (!producer)
      return false;
    FailureOr<LayerAccess> from = analyzeLayer(producer), to = analyzeLayer(reader);
    auto fromPlan = producer->getAttrOfType<PlanAttr>("plan");
    auto toPlan = reader->getAttrOfType<PlanAttr>("plan");
    if (failed(from) || failed(to))
      return false;
    DenseMap<int32_t, IndexBox> held;
    for (auto [node, loops] : cellsOf(*from, fromPlan))
      held[node] = LayerAccess::image(from->outputMap, loops, from->outputType.getShape());
    for (auto [node, loops] : cellsOf(*to, toPlan))
      for (const LayerAccess::Operand &in : to->inputs)
        if (in.layerOperand == int(operand) &&
            (!held.contains(node) || !(held[node] == in.box(loops))))
          return false;
    return true;
  }
};
} // namespace
