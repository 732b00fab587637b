// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Dojo/DojoDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dojo;

void LayerOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  for (BlockArgument argument : region.getArguments())
    setName(argument, "in");
}

Operation *LayerOp::getRoot() {
  for (Operation &op : getBody().front())
    if (isa<linalg::GenericOp, ConvOp>(op))
      return &op;
  return nullptr;
}

LogicalResult LayerOp::verify() {
  if (getResults().empty())
    return emitOpError("has no result");
  if (getMacs() < 0)
    return emitOpError("has a negative number of multiplications");
  return success();
}

/// Empty, or filled with a constant.
static bool isConstantInit(Value init) {
  if (auto fill = init.getDefiningOp<linalg::FillOp>())
    return matchPattern(fill.value(), m_Constant()) &&
           fill.output().getDefiningOp<tensor::EmptyOp>();
  return init.getDefiningOp<tensor::EmptyOp>();
}

LogicalResult LayerOp::verifyRegions() {
  Block &block = getBody().front();
  if (block.getArgumentTypes() != getInputs().getTypes())
    return emitOpError("region must take the inputs");
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield)
    return emitOpError("region must end in dojo.yield");
  Operation *root = nullptr;
  for (Operation &op : block.without_terminator()) {
    if (isa<linalg::GenericOp, ConvOp>(op)) {
      if (root)
        return emitOpError("holds more than one structured op");
      root = &op;
    } else if (!isa<tensor::EmptyOp, linalg::FillOp, arith::ConstantOp>(op)) {
      return emitOpError("must not hold ") << op.getName();
    }
  }
  if (!root)
    return emitOpError("holds no linalg.generic and no dojo.conv");
  auto destination = cast<DestinationStyleOpInterface>(root);
  if (!destination.hasPureTensorSemantics())
    return emitOpError("root must work on tensors");
  for (OpOperand *input : destination.getDpsInputOperands())
    if (!isa<BlockArgument>(input->get()) && !input->get().getDefiningOp<tensor::EmptyOp>())
      return emitOpError("root must read inputs of the layer only");
  for (Value init : destination.getDpsInits())
    if (!isConstantInit(init))
      return emitOpError("destinations must be empty or filled with a constant");
  if (yield.getValues() != root->getResults() || yield.getValues().getTypes() != getResultTypes())
    return emitOpError("must yield the results of its root");
  return success();
}
