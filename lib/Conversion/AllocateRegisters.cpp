// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear scan over live ranges of a structured program: webs in the order of their beginnings get
// the lowest register that is free over all of their segments. Values that must share a register
// but cannot are separated by copies first. If no register is free, constants are made again in
// front of their readers, then values are kept in memory, and the scan starts over.

#include "KernelSteps.h"
#include "RegisterWebs.h"

#include "dojo/Conversion/KernelPasses.h"

#include "llvm/ADT/SmallSet.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_ALLOCATEREGISTERS
#include "dojo/Conversion/KernelPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

namespace {

enum File { X, V, M };

File fileOf(Type t) { return isa<d1::XType>(t) ? X : isa<d1::VType>(t) ? V : M; }

/// Marks values made to be short: taking them out of registers gains nothing.
constexpr const char *shortAttr = "short_lived";

class Allocator {
public:
  explicit Allocator(d1::FuncOp program) : program(program) {}
  LogicalResult run();

private:
  void separate();
  bool assign();
  LogicalResult relieve(const Web &web);
  bool rematerialize(Value v);
  LogicalResult spill(Value v);
  Operation *copy(OpBuilder &b, Value v);

  d1::FuncOp program;
  std::optional<RegisterWebs> webs;
  std::vector<int> registers; // of each web
  unsigned stuck = 0;         // web without a register
  int64_t spilled = 0;
};

} // namespace

/// True if the value can be made anywhere again from constants.
static bool isConstant(Value v) {
  Operation *def = v.getDefiningOp();
  if (!def || def->getNumResults() != 1)
    return false;
  if (isa<d1::LiOp, d1::LiSOp, d1::VIotaOp, d1::MLanesIOp>(def))
    return true;
  if (!isa<d1::LihOp, d1::VMovXOp, d1::MMovXOp>(def))
    return false;
  Operation *source = def->getOperand(0).getDefiningOp();
  return source && isa<d1::LiOp, d1::LiSOp, d1::RegisterOp>(source);
}

/// The operations of a constant, made at the insertion point.
static Operation *cloneConstant(OpBuilder &b, Value v) {
  Operation *def = v.getDefiningOp();
  IRMapping map;
  if (def->getNumOperands()) {
    Operation *source = def->getOperand(0).getDefiningOp();
    if (!isa<d1::RegisterOp>(source)) {
      Operation *made = b.clone(*source);
      made->setAttr(shortAttr, b.getUnitAttr());
      map.map(def->getOperand(0), made->getResult(0));
    }
  }
  Operation *made = b.clone(*def, map);
  made->setAttr(shortAttr, b.getUnitAttr());
  return made;
}

Operation *Allocator::copy(OpBuilder &b, Value v) {
  if (isConstant(v))
    return cloneConstant(b, v);
  Location loc = v.getLoc();
  Type type = d1::withRegisterIndex(v.getType(), -1);
  switch (fileOf(type)) {
  case X:
    return d1::AddiOp::create(b, loc, v, 0);
  case V:
    return d1::VMovOp::create(b, loc, v);
  case M:
    return d1::MOrOp::create(b, loc, v, v);
  }
  return nullptr;
}

/// Inserts copies until all values that must share registers can.
void Allocator::separate() {
  OpBuilder b(program.getContext());
  while (true) {
    webs.emplace(program);
    SmallVector<Tie> failed = webs->coalesce();
    if (failed.empty())
      return;
    for (const Tie &tie : failed) {
      // Before the reader; a yield reads at the end of the body.
      b.setInsertionPoint(tie.operand->getOwner());
      tie.operand->set(copy(b, tie.operand->get())->getResult(0));
    }
  }
}

bool Allocator::assign() {
  llvm::SmallSet<std::pair<int, int>, 8> reserved;
  reserved.insert({X, 0});
  reserved.insert({M, 0});
  if (auto kept = program->getAttrOfType<DenseI32ArrayAttr>("reserved"))
    for (int32_t index : kept.asArrayRef())
      reserved.insert({X, index});
  program.walk([&](Operation *op) {
    for (Type t : op->getResultTypes())
      if (int index = d1::getRegisterIndex(t); index >= 0)
        reserved.insert({fileOf(t), index});
  });
  ArrayRef<Web> all = webs->getWebs();
  SmallVector<unsigned> order(all.size());
  for (unsigned i = 0; i < all.size(); ++i)
    order[i] = i;
  llvm::stable_sort(order, [&](unsigned l, unsigned r) { return all[l].begin() < all[r].begin(); });
  std::array<std::vector<Web>, 3> taken;
  taken[X].resize(d1::XType::numRegisters);
  taken[V].resize(d1::VType::numRegisters);
  taken[M].resize(d1::MType::numRegisters);
  registers.assign(all.size(), -1);
  for (unsigned w : order) {
    File file = fileOf(all[w].values.front().getType());
    for (auto [index, occupied] : llvm::enumerate(taken[file])) {
      if (reserved.contains({file, int(index)}) || occupied.overlaps(all[w].segments))
        continue;
      registers[w] = index;
      // Segments that are over cannot overlap later webs.
      llvm::erase_if(occupied.segments, [&](Segment s) { return s.end <= all[w].begin(); });
      occupied.segments.append(all[w].segments);
      llvm::sort(occupied.segments, [](Segment l, Segment r) { return l.begin < r.begin; });
      break;
    }
    if (registers[w] < 0) {
      stuck = w;
      return false;
    }
  }
  return true;
}

/// The value of a web that can be made again or kept in memory: its only one, or a constant of 64
/// bits, which shares its register with its low half. Null if it has none.
static Value movableValue(const Web &web) {
  if (web.values.size() == 1)
    return web.values.front();
  for (Value v : web.values)
    if (auto high = v.getDefiningOp<d1::LihOp>();
        high && web.values.size() == 2 && isConstant(v) && high->getOperand(0).hasOneUse())
      return v;
  return {};
}

/// Reading the value costs more the deeper the loops around its readers.
static double readCost(Value v) {
  double cost = 0;
  for (Operation *user : v.getUsers()) {
    double weight = 1;
    for (int depth = RegisterWebs::depth(user); depth > 0; --depth)
      weight *= 10;
    cost += weight;
  }
  return cost;
}

bool Allocator::rematerialize(Value v) {
  OpBuilder b(program.getContext());
  Operation *def = v.getDefiningOp();
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : v.getUses())
    uses.push_back(&use);
  Operation *lastUser = nullptr, *made = nullptr;
  for (OpOperand *use : uses) {
    if (use->getOwner() != lastUser) {
      lastUser = use->getOwner();
      b.setInsertionPoint(lastUser);
      made = cloneConstant(b, v);
    }
    use->set(made->getResult(0));
  }
  Operation *low = isa<d1::LihOp>(def) ? def->getOperand(0).getDefiningOp() : nullptr;
  def->erase();
  if (low)
    low->erase();
  return true;
}

LogicalResult Allocator::spill(Value v) {
  OpBuilder b(program.getContext());
  Location loc = v.getLoc();
  auto shortLived = [&](Operation *op) {
    op->setAttr(shortAttr, b.getUnitAttr());
    return op->getResult(0);
  };
  File file = fileOf(v.getType());
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : v.getUses())
    uses.push_back(&use);
  b.setInsertionPointAfterValue(v);
  Value kept;
  int64_t address = 0;
  if (file == M) {
    // Masks move to scalar registers.
    kept = d1::MMovMOp::create(b, loc, v).getResult();
  } else {
    int64_t bytes = file == V ? 64 : 8;
    int64_t offset = llvm::alignTo(spilled, bytes);
    int64_t size = program.getSpillBytes().value_or(0);
    if (!program.getSpill() || offset + bytes > size)
      return program.emitError("needs more ")
             << (file == V ? "vector" : "scalar") << " registers than there are and has " << size
             << " bytes of memory for them; split the kernel or give it more";
    spilled = offset + bytes;
    address = *program.getSpill() + offset;
    Value base = shortLived(d1::LiOp::create(b, loc, int32_t(address)));
    if (file == V)
      d1::VStOp::create(
          b, loc, v, base, 0, false, d1::EType::w32,
          shortLived(d1::RegisterOp::create(b, loc, d1::MType::get(b.getContext(), 0))));
    else
      d1::SdOp::create(b, loc, v, base, 0, false);
  }
  if (Operation *def = v.getDefiningOp())
    def->setAttr(shortAttr, b.getUnitAttr());
  for (OpOperand *use : uses) {
    b.setInsertionPoint(use->getOwner());
    if (file == M) {
      use->set(shortLived(d1::MMovXOp::create(b, loc, kept)));
      continue;
    }
    Value base = shortLived(d1::LiOp::create(b, loc, int32_t(address)));
    if (file == X) {
      use->set(shortLived(d1::LdOp::create(b, loc, base, 0, false)));
      continue;
    }
    Value all = shortLived(d1::RegisterOp::create(b, loc, d1::MType::get(b.getContext(), 0)));
    use->set(shortLived(d1::VLdOp::create(b, loc, base, 0, false, d1::EType::w32, all)));
  }
  return success();
}

/// Takes a value out of the registers where `web` begins.
LogicalResult Allocator::relieve(const Web &web) {
  File file = fileOf(web.values.front().getType());
  int where = web.begin();
  const Web *best = nullptr;
  bool bestConstant = false;
  double bestCost = 0;
  for (const Web &w : webs->getWebs()) {
    if (fileOf(w.values.front().getType()) != file || !w.overlaps(Segment{where, where + 1}))
      continue;
    Value v = movableValue(w);
    Operation *def = v ? v.getDefiningOp() : nullptr;
    if (!def || def->hasAttr(shortAttr) || v.use_empty())
      continue;
    bool constant = isConstant(v);
    double cost = readCost(v) / (w.end() - w.begin());
    if (!best || (constant && !bestConstant) || (constant == bestConstant && cost < bestCost)) {
      best = &w;
      bestConstant = constant;
      bestCost = cost;
    }
  }
  if (!best)
    return program.emitError("needs more ")
           << (file == X   ? "scalar"
               : file == V ? "vector"
                           : "mask")
           << " registers at once than there are; split the kernel";
  Value victim = movableValue(*best);
  return bestConstant ? success(rematerialize(victim)) : spill(victim);
}

LogicalResult Allocator::run() {
  for (separate(); !assign(); separate())
    if (failed(relieve(webs->getWebs()[stuck])))
      return failure();
  for (auto [web, index] : llvm::zip(webs->getWebs(), registers))
    for (Value v : web.values)
      v.setType(d1::withRegisterIndex(v.getType(), index));
  program.walk([](Operation *op) { op->removeAttr(shortAttr); });
  return success();
}

LogicalResult mlir::dojo::allocateRegisters(d1::FuncOp program) { return Allocator(program).run(); }

namespace {
struct AllocateRegisters : public mlir::dojo::impl::AllocateRegistersBase<AllocateRegisters> {
  using AllocateRegistersBase::AllocateRegistersBase;

  void runOnOperation() override {
    if (failed(allocateRegisters(getOperation())))
      signalPassFailure();
  }
};
} // namespace
