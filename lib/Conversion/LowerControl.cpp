// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops and branches of a kernel.

#include "KernelLowering.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::dojo;

LogicalResult KernelLowering::lowerBody(Block &block) {
  for (Operation &op : block.without_terminator()) {
    d.loc = op.getLoc();
    if (failed(lower(&op)))
      return failure();
  }
  return success();
}

Type KernelLowering::registerType(Type type) const {
  MLIRContext *context = type.getContext();
  switch (fileOf(type)) {
  case RegisterFile::X:
    return d1::XType::get(context, -1);
  case RegisterFile::V:
    return d1::VType::get(context, -1);
  case RegisterFile::M:
    return d1::MType::get(context, -1);
  }
  llvm_unreachable("there are three register files");
}

SmallVector<Value> KernelLowering::ownedIn(Block *block, ValueRange results) {
  SmallVector<Value> owned;
  for (Value result : results) {
    Value v = get(result);
    // What comes from outside the body may be needed after it, or by the other body.
    bool isOwn =
        v.getDefiningOp() && v.getParentBlock() == block && d1::getRegisterIndex(v.getType()) < 0;
    if (!isOwn) {
      switch (fileOf(result.getType())) {
      case RegisterFile::X:
        v = d.op<d1::AddiOp>(v, 0);
        break;
      case RegisterFile::V:
        v = d.op<d1::VMovOp>(v);
        break;
      case RegisterFile::M:
        v = d.op<d1::MOrOp>(v, v);
        break;
      }
    }
    owned.push_back(v);
  }
  return owned;
}

LogicalResult KernelLowering::lowerFor(scf::ForOp loop) {
  if (std::optional<LoopBounds> bounds = getBounds(loop))
    return lowerCountedFor(loop, *bounds);
  return lowerOpenFor(loop);
}

LogicalResult KernelLowering::lowerCountedFor(scf::ForOp loop, LoopBounds bounds) {
  if (bounds.trips == 0) {
    for (auto [result, init] : llvm::zip(loop.getResults(), loop.getInits()))
      set(result, get(init));
    return success();
  }
  SmallVector<unsigned> moving;
  SmallVector<Value> inits;
  for (auto [i, p] : llvm::enumerate(plan.getPointers())) {
    if (!p.movesIn(loop))
      continue;
    moving.push_back(i);
    inits.push_back(p.startsAt(loop) ? d.freshAddress(p.initial()) : pointers[i]);
  }
  bool carriesIndex = !plan.onlyAddresses(loop.getInductionVar());
  if (carriesIndex)
    inits.push_back(d.freshConstant(bounds.lower));
  for (Value init : loop.getInits())
    inits.push_back(d.owned(get(init)));
  auto repeat = d1::RepeatOp::create(d.b, d.loc, d.freshConstant(bounds.trips), inits);

  OpBuilder::InsertionGuard guard(d.b);
  Block *body = repeat.getBodyBlock();
  d.b.setInsertionPointToEnd(body);
  unsigned next = 0;
  for (unsigned i : moving)
    pointers[i] = body->getArgument(next++);
  Value index;
  if (carriesIndex)
    set(loop.getInductionVar(), index = body->getArgument(next++));
  for (BlockArgument arg : loop.getRegionIterArgs())
    set(arg, body->getArgument(next++));
  if (failed(lowerBody(*loop.getBody())))
    return failure();
  d.loc = loop.getLoc();
  SmallVector<Value> yielded;
  for (unsigned i : moving)
    yielded.push_back(d.addi(pointers[i], plan.getPointers()[i].advance(loop)));
  if (carriesIndex)
    yielded.push_back(d.addi(index, bounds.step));
  for (Value v : loop.getBody()->getTerminator()->getOperands())
    yielded.push_back(d.owned(get(v)));
  d1::YieldOp::create(d.b, d.loc, yielded);

  next = 0;
  for (unsigned i : moving)
    pointers[i] = repeat.getResults()[next++];
  next += carriesIndex;
  for (Value result : loop.getResults())
    set(result, repeat.getResults()[next++]);
  return success();
}

/// Bounds known only at run time: a loop that counts, if it runs at all.
LogicalResult KernelLowering::lowerOpenFor(scf::ForOp loop) {
  Value lower = get(loop.getLowerBound()), upper = get(loop.getUpperBound());
  Value runs =
      loop.getUnsignedCmp() ? d.op<d1::SltuOp>(lower, upper) : d.op<d1::SltOp>(lower, upper);
  SmallVector<Type> types =
      llvm::map_to_vector(loop.getResultTypes(), [&](Type t) { return registerType(t); });
  auto branch = d1::IfOp::create(d.b, d.loc, types, runs);
  OpBuilder::InsertionGuard guard(d.b);
  d.b.setInsertionPointToEnd(branch.getElseBlock());
  d1::YieldOp::create(d.b, d.loc, ownedIn(branch.getElseBlock(), loop.getInits()));

  d.b.setInsertionPointToEnd(branch.getThenBlock());
  Value trips = d.op<d1::SubOp>(upper, lower);
  std::optional<int64_t> step = getConstantIntValue(loop.getStep());
  if (step != 1) {
    Value by = get(loop.getStep());
    trips = d.op<d1::DivuOp>(d.op<d1::AddOp>(trips, d.addi(by, -1)), by);
  }
  SmallVector<Value> inits{d.op<d1::AddiOp>(lower, 0)};
  llvm::append_range(inits, ownedIn(branch.getThenBlock(), loop.getInits()));
  auto repeat = d1::RepeatOp::create(d.b, d.loc, trips, inits);
  d1::YieldOp::create(d.b, d.loc, repeat.getResults().drop_front());

  Block *body = repeat.getBodyBlock();
  d.b.setInsertionPointToEnd(body);
  set(loop.getInductionVar(), body->getArgument(0));
  for (auto [arg, reg] :
       llvm::zip_equal(loop.getRegionIterArgs(), body->getArguments().drop_front()))
    set(arg, reg);
  if (failed(lowerBody(*loop.getBody())))
    return failure();
  d.loc = loop.getLoc();
  SmallVector<Value> yielded{step ? d.addi(body->getArgument(0), *step)
                                  : d.op<d1::AddOp>(body->getArgument(0), get(loop.getStep()))};
  for (Value v : loop.getBody()->getTerminator()->getOperands())
    yielded.push_back(d.owned(get(v)));
  d1::YieldOp::create(d.b, d.loc, yielded);
  for (auto [result, reg] : llvm::zip_equal(loop.getResults(), branch.getResults()))
    set(result, reg);
  return success();
}

LogicalResult KernelLowering::lowerIf(scf::IfOp op) {
  SmallVector<Type> types =
      llvm::map_to_vector(op.getResultTypes(), [&](Type t) { return registerType(t); });
  auto branch = d1::IfOp::create(d.b, d.loc, types, get(op.getCondition()));
  OpBuilder::InsertionGuard guard(d.b);
  for (auto [from, to] : {std::pair(&op.getThenRegion(), branch.getThenBlock()),
                          std::pair(&op.getElseRegion(), branch.getElseBlock())}) {
    d.b.setInsertionPointToEnd(to);
    SmallVector<Value> yielded;
    if (!from->empty()) {
      if (failed(lowerBody(from->front())))
        return failure();
      d.loc = op.getLoc();
      yielded = ownedIn(to, from->front().getTerminator()->getOperands());
    }
    d1::YieldOp::create(d.b, d.loc, yielded);
  }
  for (auto [result, reg] : llvm::zip_equal(op.getResults(), branch.getResults()))
    set(result, reg);
  return success();
}

LogicalResult KernelLowering::lowerWhile(scf::WhileOp loop) {
  SmallVector<Type> types =
      llvm::map_to_vector(loop.getResultTypes(), [&](Type t) { return registerType(t); });
  SmallVector<Value> inits;
  for (Value init : loop.getInits())
    inits.push_back(d.owned(get(init)));
  auto made = d1::WhileOp::create(d.b, d.loc, types, inits);
  OpBuilder::InsertionGuard guard(d.b);
  d.b.setInsertionPointToEnd(made.getBeforeBlock());
  for (auto [arg, reg] :
       llvm::zip_equal(loop.getBeforeArguments(), made.getBeforeBlock()->getArguments()))
    set(arg, reg);
  if (failed(lowerBody(*loop.getBeforeBody())))
    return failure();
  d.loc = loop.getLoc();
  scf::ConditionOp condition = loop.getConditionOp();
  SmallVector<Value> values;
  for (Value v : condition.getArgs())
    values.push_back(d.owned(get(v)));
  d1::ConditionOp::create(d.b, d.loc, get(condition.getCondition()), values);

  d.b.setInsertionPointToEnd(made.getAfterBlock());
  for (auto [arg, reg] :
       llvm::zip_equal(loop.getAfterArguments(), made.getAfterBlock()->getArguments()))
    set(arg, reg);
  if (failed(lowerBody(*loop.getAfterBody())))
    return failure();
  d.loc = loop.getLoc();
  SmallVector<Value> yielded;
  for (Value v : loop.getYieldOp().getResults())
    yielded.push_back(d.owned(get(v)));
  d1::YieldOp::create(d.b, d.loc, yielded);
  for (auto [result, reg] : llvm::zip_equal(loop.getResults(), made.getResults()))
    set(result, reg);
  return success();
}
