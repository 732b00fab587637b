// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RegisterWebs.h"

using namespace mlir;
using namespace mlir::dojo;
namespace d1isa = ::dojo::isa;

bool Web::overlaps(ArrayRef<Segment> other) const {
  const Segment *a = segments.begin(), *b = other.begin();
  while (a != segments.end() && b != other.end()) {
    if (a->begin < b->end && b->begin < a->end)
      return true;
    (a->end < b->end ? a : b)++;
  }
  return false;
}

int RegisterWebs::depth(Operation *op) {
  int n = 0;
  for (Operation *p = op->getParentOp(); p && !isa<d1::FuncOp>(p); p = p->getParentOp())
    ++n;
  return n;
}

RegisterWebs::RegisterWebs(d1::FuncOp program) {
  number(program.getBody().front());
  for (auto [v, def] : defs)
    addValue(v, def);
}

void RegisterWebs::number(Block &block) {
  for (Operation &op : block) {
    int begin = next++;
    // Bodies one after the other. Arguments begin where control comes from: at the op or at the
    // terminator of the body before.
    for (Region &region : op.getRegions()) {
      for (BlockArgument arg : region.front().getArguments())
        defs.push_back({arg, 2 * (next - 1) + 1});
      number(region.front());
    }
    int end = op.getNumRegions() ? next++ : begin;
    positions[&op] = {begin, end};
    for (Value result : op.getResults())
      defs.push_back({result, 2 * end + 1});
    addTies(&op);
  }
}

/// The operands and results that the operand table names as one register.
void RegisterWebs::addTies(Operation *op) {
  if (auto repeat = dyn_cast<d1::RepeatOp>(op)) {
    Operation *yield = repeat.getYield();
    ties.push_back({&op->getOpOperand(0), repeat.getCounter()});
    for (auto [i, arg] : llvm::enumerate(repeat.getBodyBlock()->getArguments())) {
      ties.push_back({&op->getOpOperand(i + 1), arg});
      ties.push_back({&yield->getOpOperand(i), arg});
    }
    return;
  }
  if (auto branch = dyn_cast<d1::IfOp>(op)) {
    for (Block *block : {branch.getThenBlock(), branch.getElseBlock()})
      for (auto [i, result] : llvm::enumerate(branch.getResults()))
        ties.push_back({&block->getTerminator()->getOpOperand(i), result});
    return;
  }
  if (auto loop = dyn_cast<d1::WhileOp>(op)) {
    for (auto [i, arg] : llvm::enumerate(loop.getBeforeBlock()->getArguments())) {
      ties.push_back({&op->getOpOperand(i), arg});
      ties.push_back({&loop.getYield()->getOpOperand(i), arg});
    }
    for (auto [i, arg] : llvm::enumerate(loop.getAfterBlock()->getArguments()))
      ties.push_back({&loop.getCondition()->getOpOperand(i + 1), arg});
    return;
  }
  std::optional<d1isa::Opcode> opcode = d1::getOpcode(op);
  if (!opcode)
    return;
  const d1isa::InstInfo &info = d1isa::info(*opcode);
  unsigned operand = 0, result = 0;
  SmallVector<OpOperand *> moving;
  for (unsigned i = 0; i < info.numOperands; ++i) {
    switch (info.ops[i].kind) {
    case d1isa::OperandKind::XUseDef:
    case d1isa::OperandKind::VUseDef:
      ties.push_back({&op->getOpOperand(operand++), op->getResult(result++)});
      break;
    case d1isa::OperandKind::XUse:
    case d1isa::OperandKind::VUse:
    case d1isa::OperandKind::MUse:
      ++operand;
      break;
    case d1isa::OperandKind::XDef:
    case d1isa::OperandKind::VDef:
    case d1isa::OperandKind::MDef:
      ++result;
      break;
    case d1isa::OperandKind::MemBase: {
      std::string name = "postinc" + StringRef(info.ops[i + 1].name).substr(4).str();
      std::optional<Attribute> attr = op->getInherentAttr(name);
      if (attr && *attr)
        moving.push_back(&op->getOpOperand(operand));
      ++operand;
      break;
    }
    default:
      break;
    }
  }
  for (OpOperand *base : moving)
    ties.push_back({base, op->getResult(result++)});
}

/// The position up to which a value is needed.
int RegisterWebs::lastUse(Value v, int def) {
  int last = def + 1;
  Block *home = v.getParentBlock();
  for (OpOperand &use : v.getUses()) {
    Operation *user = use.getOwner(), *above = home->findAncestorOpInBlock(*user);
    auto [begin, end] = positions[above];
    // A loop needs what its body reads for all of its iterations, and its counter to its end. For
    // the sake of simplicity the same is said of what one of two bodies reads.
    bool whole = above != user || (isa<d1::RepeatOp>(user) && use.getOperandNumber() == 0);
    last = std::max(last, 2 * (whole ? end : begin));
    // What one of two bodies yields is not alive in the other.
    if (isa<d1::YieldOp>(user) && above == user && !isa<d1::IfOp>(user->getParentOp()))
      last = std::max(last, 2 * positions[user->getParentOp()].second);
  }
  return last;
}

void RegisterWebs::addValue(Value v, int def) {
  if (d1::getRegisterIndex(v.getType()) >= 0)
    return;
  webOf[v] = webs.size();
  parent.push_back(webs.size());
  webs.push_back({{v}, {{def, lastUse(v, def)}}});
  // The result of a loop is in the register of the argument.
  if (auto repeat = v.getDefiningOp<d1::RepeatOp>())
    if (unsigned i = cast<OpResult>(v).getResultNumber())
      resultTies.push_back({v, repeat.getBodyBlock()->getArgument(i - 1)});
  if (auto loop = v.getDefiningOp<d1::WhileOp>())
    resultTies.push_back(
        {v, loop.getAfterBlock()->getArgument(cast<OpResult>(v).getResultNumber())});
}

unsigned RegisterWebs::find(Value v) {
  auto it = webOf.find(v);
  if (it == webOf.end())
    return ~0u;
  unsigned w = it->second;
  while (parent[w] != w)
    w = parent[w] = parent[parent[w]];
  return w;
}

bool RegisterWebs::merge(Value a, Value b) {
  unsigned wa = find(a), wb = find(b);
  if (wa == ~0u || wb == ~0u)
    return a.getType() == b.getType() && wa == wb;
  if (wa == wb)
    return true;
  if (webs[wa].overlaps(webs[wb].segments))
    return false;
  if (wb < wa)
    std::swap(wa, wb);
  Web &into = webs[wa], &from = webs[wb];
  into.values.append(from.values);
  into.segments.append(from.segments);
  llvm::sort(into.segments, [](Segment l, Segment r) { return l.begin < r.begin; });
  from = {};
  parent[wb] = wa;
  return true;
}

SmallVector<Tie> RegisterWebs::coalesce() {
  // These never overlap: the argument ends inside of the loop, the result starts after it.
  for (auto [result, arg] : resultTies)
    merge(arg, result);
  SmallVector<Tie> failed;
  for (const Tie &tie : ties)
    if (!merge(tie.operand->get(), tie.target))
      failed.push_back(tie);
  std::vector<Web> kept;
  for (Web &w : webs)
    if (!w.values.empty())
      kept.push_back(std::move(w));
  webs = std::move(kept);
  return failed;
}
