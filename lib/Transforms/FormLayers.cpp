// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DeadOps.h"
#include "PhysicalGeneric.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/Contraction.h"
#include "dojo/Transforms/NodeNames.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_FORMLAYERS
#include "dojo/Transforms/Passes.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;
using linalg::GenericOp;

namespace {

class LayerFormer {
public:
  explicit LayerFormer(func::FuncOp function)
      : function(function), rewriter(function.getContext()) {}

  LogicalResult run();

private:
  LogicalResult wrap(DestinationStyleOpInterface root);
  void copyReturnedViews();
  void copyCarriedViews();
  void copyWeightsUnderViews();
  Value copyOf(Value value);
  std::string uniqueName(Operation *root, StringRef kind);

  func::FuncOp function;
  IRRewriter rewriter;
  llvm::StringSet<> names;
};

/// Kind of work for reports.
StringRef kindOf(Operation *root) {
  if (auto op = root->getAttrOfType<StringAttr>("dojo.op")) {
    return llvm::StringSwitch<StringRef>(op.getValue())
        .Case("conv", "Conv")
        .Case("depthwise", "DepthwiseConv")
        .Case("matmul", "MatMul")
        .Default(op.getValue());
  }
  auto generic = dyn_cast<GenericOp>(root);
  if (!generic)
    return "Conv";
  if (isSumOfProducts(generic))
    return "MatMul";
  if (generic.getNumReductionLoops() != 0) {
    bool window = llvm::any_of(generic.getDpsInputs(), [](Value input) {
      return input.getDefiningOp<tensor::EmptyOp>() != nullptr;
    });
    return window ? "Pool" : "Reduce";
  }
  return llvm::hasSingleElement(*generic.getBody()) ? "Copy" : "Elementwise";
}

std::string LayerFormer::uniqueName(Operation *root, StringRef kind) {
  SmallVector<StringAttr> nodes = getNodeNames(root->getLoc());
  std::string base = nodes.empty() || nodes.front().getValue().empty()
                         ? kind.lower()
                         : nodes.front().getValue().str();
  std::string name = base;
  for (unsigned number = 2; !names.insert(name).second; ++number)
    name = base + "." + std::to_string(number);
  return name;
}

/// What the layer takes from the function: tensors that are not made in it.
bool isMadeInside(Value value) {
  Operation *op = value.getDefiningOp();
  return isa_and_nonnull<tensor::EmptyOp, linalg::FillOp, arith::ConstantOp>(op);
}

LogicalResult LayerFormer::wrap(DestinationStyleOpInterface root) {
  if (auto generic = dyn_cast<GenericOp>(root.getOperation()))
    sinkConstants(rewriter, generic);
  SetVector<Value> inputs, inside;
  auto visit = [&](Value value) { (isMadeInside(value) ? inside : inputs).insert(value); };
  root->walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (!root->isAncestor(operand.getParentRegion()->getParentOp()))
        visit(operand);
  });
  for (Value value : inputs)
    if (!isa<RankedTensorType>(value.getType()))
      return emitNodeError(root) << "needs a value of type " << value.getType()
                                 << " that is computed outside of it";
  for (Value init : root.getDpsInits()) {
    auto fill = init.getDefiningOp<linalg::FillOp>();
    bool constant = fill && matchPattern(fill.value(), m_Constant()) &&
                    fill.output().getDefiningOp<tensor::EmptyOp>();
    if (!constant && !init.getDefiningOp<tensor::EmptyOp>())
      return emitNodeError(root) << "works in place on a tensor; its destination must be empty or "
                                    "filled with a constant";
  }

  rewriter.setInsertionPoint(root);
  StringRef kind = kindOf(root);
  SmallVector<Attribute> onnx;
  for (StringAttr name : getNodeNames(root->getLoc()))
    onnx.push_back(name);
  auto macs = root->getAttrOfType<IntegerAttr>("dojo.macs");
  auto layer = LayerOp::create(rewriter, root.getLoc(), root->getResultTypes(),
                               uniqueName(root, kind), inputs.getArrayRef(), kind,
                               rewriter.getArrayAttr(onnx), macs ? macs.getInt() : 0);
  for (NamedAttribute attribute : llvm::to_vector(root->getDiscardableAttrs())) {
    if (attribute.getName() != "dojo.op" && attribute.getName() != "dojo.macs")
      layer->setDiscardableAttr(attribute.getName(), attribute.getValue());
    root->removeDiscardableAttr(attribute.getName());
  }
  SmallVector<Location> locations;
  SmallVector<Type> types;
  for (Value input : inputs) {
    types.push_back(input.getType());
    locations.push_back(input.getLoc());
  }
  Block *block = rewriter.createBlock(&layer.getBody(), {}, types, locations);
  IRMapping mapping;
  mapping.map(inputs.getArrayRef(), block->getArguments());
  for (Value value : inside) {
    // A fill after the constant and the empty tensor it needs.
    Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands())
      if (!mapping.contains(operand))
        rewriter.clone(*operand.getDefiningOp(), mapping);
    if (!mapping.contains(value))
      rewriter.clone(*op, mapping);
  }
  Operation *copy = rewriter.clone(*root, mapping);
  YieldOp::create(rewriter, root.getLoc(), copy->getResults());
  rewriter.replaceOp(root, layer);
  return success();
}

/// Whether the loop changes what it gets as that operand.
bool isCarried(LoopOp loop, OpOperand &operand) {
  return operand.getOperandNumber() < 1 + loop.getInits().size();
}

/// A copy of `value`, to become a layer.
Value LayerFormer::copyOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  Value empty = tensor::EmptyOp::create(rewriter, value.getLoc(), type, ValueRange{});
  AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
  auto copy = GenericOp::create(
      rewriter, value.getLoc(), type, value, empty, ArrayRef{identity, identity},
      SmallVector<utils::IteratorType>(type.getRank(), utils::IteratorType::parallel),
      [](OpBuilder &builder, Location loc, ValueRange arguments) {
        linalg::YieldOp::create(builder, loc, arguments[0]);
      });
  return copy.getResult(0);
}

/// Views are of what layers computed: a constant that is only a part of one is copied.
void LayerFormer::copyWeightsUnderViews() {
  for (auto weight : llvm::to_vector(function.getBody().front().getOps<WeightOp>())) {
    Value copy;
    for (OpOperand &use : llvm::make_early_inc_range(weight->getUses())) {
      auto loop = dyn_cast<LoopOp>(use.getOwner());
      if (!isa<AssembleOp, ReshapeOp>(use.getOwner()) && !(loop && isCarried(loop, use)))
        continue;
      rewriter.setInsertionPointAfter(weight);
      if (!copy)
        copy = copyOf(weight);
      use.set(copy);
    }
  }
}

/// What the function returns is computed by layers, so that outputs are whole where they are put.
void LayerFormer::copyReturnedViews() {
  Operation *terminator = function.getBody().front().getTerminator();
  rewriter.setInsertionPoint(terminator);
  DenseSet<Value> seen;
  for (OpOperand &operand : terminator->getOpOperands()) {
    Value value = operand.get();
    // Two outputs never share a tensor either.
    if (isa_and_nonnull<GenericOp, ConvOp>(value.getDefiningOp()) && seen.insert(value).second)
      continue;
    // Nor is there anything to put of an output without elements.
    if (cast<RankedTensorType>(value.getType()).getNumElements() != 0)
      operand.set(copyOf(value));
  }
}

/// What loops begin with is copied to where they carry it: a view whose padding belongs to nobody
/// has to be computed.
void LayerFormer::copyCarriedViews() {
  for (auto loop : function.getBody().front().getOps<LoopOp>()) {
    rewriter.setInsertionPoint(loop);
    for (OpOperand &operand : loop->getOpOperands())
      if (operand.get().getDefiningOp<AssembleOp>() && isCarried(loop, operand) &&
          cast<RankedTensorType>(operand.get().getType()).getNumElements() != 0)
        operand.set(copyOf(operand.get()));
  }
}

LogicalResult LayerFormer::run() {
  Block &body = function.getBody().front();
  copyCarriedViews();
  copyReturnedViews();
  copyWeightsUnderViews();
  SmallVector<Operation *> ops;
  for (Operation &op : body.without_terminator())
    ops.push_back(&op);
  for (Operation *op : ops) {
    if (isa<GenericOp, ConvOp>(op)) {
      if (failed(wrap(cast<DestinationStyleOpInterface>(op))))
        return failure();
    } else if (!isa<WeightOp, AssembleOp, ReshapeOp, LayerOp, LoopOp, tensor::EmptyOp,
                    linalg::FillOp, arith::ConstantOp>(op)) {
      return emitNodeError(op) << op->getName() << " cannot become a layer";
    }
  }
  eraseDeadOps(rewriter, body);
  for (Operation &op : body.without_terminator())
    if (!isa<WeightOp, AssembleOp, ReshapeOp, LayerOp, LoopOp>(op))
      return emitNodeError(&op) << op.getName() << " is neither a layer nor a view";
  return success();
}

struct FormLayersPass : mlir::dojo::impl::FormLayersBase<FormLayersPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    if (failed(LayerFormer(function).run()))
      signalPassFailure();
  }
};

} // namespace
