// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/D1/D1StructureOps.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::d1;

#define GET_OP_CLASSES
#include "dialects/D1/D1StructureOps.cpp.inc"

void D1Dialect::registerStructureOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/D1/D1StructureOps.cpp.inc"
      >();
}

void FuncOp::build(OpBuilder &builder, OperationState &state, StringRef name, unsigned thread) {
  state.addAttribute("sym_name", builder.getStringAttr(name));
  state.addAttribute("thread", builder.getI32IntegerAttr(thread));
  state.addRegion()->emplaceBlock();
}

void RepeatOp::build(OpBuilder &builder, OperationState &state, Value count, ValueRange inits) {
  state.addOperands(count);
  state.addOperands(inits);
  state.addTypes(count.getType());
  state.addTypes(inits.getTypes());
  Block &body = state.addRegion()->emplaceBlock();
  for (Value init : inits)
    body.addArgument(init.getType(), init.getLoc());
}

LogicalResult RepeatOp::verify() {
  unsigned carried = getInits().size();
  auto yield = dyn_cast_or_null<YieldOp>(getBodyBlock()->getTerminator());
  if (!yield)
    return emitOpError("must end in d1.yield");
  if (getBodyBlock()->getNumArguments() != carried || getResults().size() != carried ||
      yield.getNumOperands() != carried)
    return emitOpError("carries ") << carried << " registers into the body, whose arguments, "
                                   << "yield and results must be as many";
  if (getCount().getType() != getCounter().getType())
    return emitOpError("must leave the counter in the register of the count");
  for (unsigned i = 0; i < carried; ++i) {
    Type type = getInits()[i].getType();
    if (getBodyBlock()->getArgument(i).getType() != type || getResults()[i].getType() != type ||
        yield.getOperand(i).getType() != type)
      return emitOpError("must carry value ") << i << " in one register from init to result";
  }
  return success();
}

void IfOp::build(OpBuilder &builder, OperationState &state, TypeRange results, Value condition) {
  state.addOperands(condition);
  state.addTypes(results);
  state.addRegion()->emplaceBlock();
  state.addRegion()->emplaceBlock();
}

LogicalResult IfOp::verify() {
  for (Block *block : {getThenBlock(), getElseBlock()}) {
    auto yield = dyn_cast_or_null<YieldOp>(block->getTerminator());
    if (!yield || yield.getOperandTypes() != getResultTypes())
      return emitOpError("must end both bodies in d1.yield of the results");
  }
  return success();
}

void WhileOp::build(OpBuilder &builder, OperationState &state, TypeRange results,
                    ValueRange inits) {
  state.addOperands(inits);
  state.addTypes(results);
  Block &before = state.addRegion()->emplaceBlock();
  for (Value init : inits)
    before.addArgument(init.getType(), init.getLoc());
  Block &after = state.addRegion()->emplaceBlock();
  for (Type type : results)
    after.addArgument(type, state.location);
}

LogicalResult WhileOp::verify() {
  auto condition = dyn_cast_or_null<ConditionOp>(getBeforeBlock()->getTerminator());
  auto yield = dyn_cast_or_null<YieldOp>(getAfterBlock()->getTerminator());
  if (!condition || !yield)
    return emitOpError("must end its bodies in d1.condition and d1.yield");
  if (getBeforeBlock()->getArgumentTypes() != getInits().getTypes() ||
      yield.getOperandTypes() != getInits().getTypes())
    return emitOpError("must carry each init in one register");
  if (condition.getValues().getTypes() != getResultTypes() ||
      getAfterBlock()->getArgumentTypes() != getResultTypes())
    return emitOpError("must hand each result on in one register");
  return success();
}

LogicalResult RegisterOp::verify() {
  if (getRegisterIndex(getValue().getType()) < 0)
    return emitOpError("needs the type of a physical register");
  return success();
}
