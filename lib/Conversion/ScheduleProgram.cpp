// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// List scheduling of straight pieces of code for in-order issue. Instructions are taken cycle by
// cycle in the order of the longest chain of latencies that hangs on them, as long as slots last.
// In the body of a loop a value that the next iteration reads counts with the chain that starts
// there. Known weakness: a piece is scheduled as if the thread were alone and the registers that
// enter it were ready.

#include "IssueModel.h"
#include "KernelSteps.h"
#include "RegisterWebs.h"

#include "dojo/Conversion/KernelPasses.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::dojo {
#define GEN_PASS_DEF_SCHEDULEPROGRAM
#include "dojo/Conversion/KernelPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

namespace {

/// Instructions from the first that is not yet placed on among which the next one is looked for.
constexpr unsigned window = 64;
/// Registers of each file up to which new values are begun freely.
constexpr int comfortable[] = {27, 27, 6};

int fileOf(Type t) { return isa<d1::XType>(t) ? 0 : isa<d1::VType>(t) ? 1 : 2; }

struct Node {
  Operation *op;
  IssueInfo info;
  SmallVector<std::pair<unsigned, int>, 4> successors; // and cycles until they may issue
  unsigned waiting = 0;                                // predecessors not placed
  int earliest = 0, height = 0;
  bool placed = false;
};

class Piece {
public:
  Piece(const IssueModel &model, ArrayRef<Operation *> ops, std::array<int, 3> live)
      : model(model), live(live) {
    for (Operation *op : ops) {
      index[op] = nodes.size();
      nodes.push_back({op, *model.describe(op), {}, 0, 0, 0, false});
    }
  }
  void run(Operation *end);

private:
  void addEdge(unsigned from, unsigned to, int cycles);
  void addValueEdges();
  void addOrderEdges();
  void forEachCarried(llvm::function_ref<void(unsigned def, unsigned reader)> fn) const;
  void addCarriedEdges();
  void findHeights();
  bool strains(const Node &n) const;
  void countRegisters(const Node &n);
  int pickNext(int cycle, const std::array<int, numSlots> &free, unsigned first);

  const IssueModel &model;
  std::vector<Node> nodes;
  DenseMap<Operation *, unsigned> index;
  std::array<int, 3> live;
  DenseMap<Value, int> usesLeft; // of values that end in this piece
};

} // namespace

void Piece::addEdge(unsigned from, unsigned to, int cycles) {
  if (from == to)
    return;
  for (auto &[existing, latency] : nodes[from].successors) {
    if (existing == to) {
      latency = std::max(latency, cycles);
      return;
    }
  }
  nodes[from].successors.push_back({to, cycles});
  ++nodes[to].waiting;
}

/// From results to their readers, and from other readers to the one that overwrites.
void Piece::addValueEdges() {
  for (unsigned i = 0; i < nodes.size(); ++i) {
    for (Value operand : nodes[i].op->getOperands())
      if (Operation *def = operand.getDefiningOp())
        if (auto it = index.find(def); it != index.end())
          addEdge(it->second, i, model.resultLatency(nodes[it->second].info, operand));
    for (Value v : nodes[i].info.overwritten)
      for (Operation *user : v.getUsers())
        if (auto it = index.find(user); it != index.end() && it->second < i)
          addEdge(it->second, i, 0);
  }
}

/// Between accesses of the same memory or accumulator.
void Piece::addOrderEdges() {
  for (unsigned i = 0; i < nodes.size(); ++i) {
    const IssueInfo &later = nodes[i].info;
    for (unsigned j = 0; j < i; ++j) {
      const IssueInfo &earlier = nodes[j].info;
      if (conflict(earlier, later))
        addEdge(j, i, earlier.writes ? 1 : 0);
      if (later.accumulator >= 0 && earlier.accumulator == later.accumulator)
        if (int cycles = model.accumulatorLatency(earlier, later))
          addEdge(j, i, cycles);
    }
  }
}

/// Calls `fn` with each instruction whose value a loop carries and each that reads the value in the
/// next iteration.
void Piece::forEachCarried(llvm::function_ref<void(unsigned def, unsigned reader)> fn) const {
  auto yield = dyn_cast<d1::YieldOp>(nodes.front().op->getBlock()->getTerminator());
  if (!yield || !isa<d1::RepeatOp>(yield->getParentOp()))
    return;
  for (auto [arg, v] : llvm::zip(yield->getBlock()->getArguments(), yield.getValues())) {
    Operation *def = v.getDefiningOp();
    auto it = def ? index.find(def) : index.end();
    if (it == index.end())
      continue;
    for (Operation *user : arg.getUsers())
      if (auto u = index.find(user); u != index.end())
        fn(it->second, u->second);
  }
}

/// A value that takes the register of a block argument comes after the argument's readers.
void Piece::addCarriedEdges() {
  forEachCarried([&](unsigned def, unsigned reader) {
    if (reader < def)
      addEdge(reader, def, 0);
  });
}

void Piece::findHeights() {
  auto sweep = [&] {
    for (unsigned i = nodes.size(); i-- > 0;)
      for (auto [next, cycles] : nodes[i].successors)
        nodes[i].height = std::max(nodes[i].height, nodes[next].height + cycles);
  };
  for (Node &n : nodes)
    n.height = n.info.latency;
  sweep();
  std::vector<int> next(nodes.size(), 0); // height of the readers in the next iteration
  forEachCarried([&](unsigned def, unsigned reader) {
    next[def] = std::max(next[def], nodes[reader].height);
  });
  for (auto [n, carried] : llvm::zip(nodes, next))
    n.height = std::max(n.height, n.info.latency + carried);
  sweep();
}

/// True if the instruction begins more values of a full file than it ends.
bool Piece::strains(const Node &n) const {
  std::array<int, 3> change{};
  for (Value r : n.op->getResults())
    if (!r.use_empty() && d1::getRegisterIndex(r.getType()) < 0)
      ++change[fileOf(r.getType())];
  SmallVector<Value, 4> seen;
  for (Value v : n.op->getOperands()) {
    auto it = usesLeft.find(v);
    if (it == usesLeft.end() || llvm::is_contained(seen, v))
      continue;
    seen.push_back(v);
    if (it->second == llvm::count(n.op->getOperands(), v))
      --change[fileOf(v.getType())];
  }
  for (int file = 0; file < 3; ++file)
    if (change[file] > 0 && live[file] + change[file] > comfortable[file])
      return true;
  return false;
}

void Piece::countRegisters(const Node &n) {
  for (Value v : n.op->getOperands()) {
    auto it = usesLeft.find(v);
    if (it != usesLeft.end() && --it->second == 0)
      --live[fileOf(v.getType())];
  }
  for (Value r : n.op->getResults())
    if (!r.use_empty() && d1::getRegisterIndex(r.getType()) < 0)
      ++live[fileOf(r.getType())];
}

/// The best instruction that can issue now; -1 if there is none.
int Piece::pickNext(int cycle, const std::array<int, numSlots> &free, unsigned first) {
  int best = -1;
  unsigned last = std::min<unsigned>(nodes.size(), first + window);
  for (unsigned i = first; i < last; ++i) {
    const Node &n = nodes[i];
    if (n.placed || n.waiting || n.earliest > cycle)
      continue;
    bool fits = true;
    for (int s = 0; s < numSlots; ++s)
      fits &= n.info.slots[s] <= free[s];
    if (!fits || (best >= 0 && nodes[best].height >= n.height) || (i != first && strains(n)))
      continue;
    best = i;
  }
  return best;
}

void Piece::run(Operation *end) {
  addValueEdges();
  addOrderEdges();
  addCarriedEdges();
  findHeights();
  // Values whose every reader is in this piece end here.
  for (Node &n : nodes) {
    for (Value v : n.op->getOperands()) {
      if (usesLeft.contains(v) || d1::getRegisterIndex(v.getType()) >= 0)
        continue;
      bool ends = v.getParentBlock() == n.op->getBlock();
      int uses = 0;
      for (Operation *user : v.getUsers()) {
        ends &= index.contains(user);
        ++uses;
      }
      if (ends)
        usesLeft[v] = uses;
    }
  }
  unsigned first = 0, left = nodes.size();
  for (int cycle = 0; left > 0; ++cycle) {
    std::array<int, numSlots> free = model.slotsPerCycle();
    while (first < nodes.size()) {
      int next = pickNext(cycle, free, first);
      if (next < 0)
        break;
      Node &n = nodes[next];
      n.placed = true;
      --left;
      n.op->moveBefore(end);
      countRegisters(n);
      for (int s = 0; s < numSlots; ++s)
        free[s] -= n.info.slots[s];
      for (auto [to, cycles] : n.successors) {
        nodes[to].earliest = std::max(nodes[to].earliest, cycle + cycles);
        --nodes[to].waiting;
      }
      while (first < nodes.size() && nodes[first].placed)
        ++first;
    }
  }
}

/// Values of each file that live where a piece begins.
static std::array<int, 3> liveAt(const RegisterWebs &webs, Operation *op) {
  std::array<int, 3> live{};
  int position = webs.positionOf(op);
  for (const Web &w : webs.getWebs())
    if (w.begin() < position && w.end() >= position)
      ++live[fileOf(w.values.front().getType())];
  return live;
}

static void scheduleBlock(Block &block, const IssueModel &model, const RegisterWebs &webs) {
  SmallVector<SmallVector<Operation *>> pieces(1);
  SmallVector<Operation *> ends;
  for (Operation &op : block) {
    if (model.describe(&op)) {
      pieces.back().push_back(&op);
      continue;
    }
    // Registers as values take no place: they go first, wherever they stand.
    if (isa<d1::RegisterOp>(op))
      continue;
    ends.push_back(&op);
    pieces.emplace_back();
  }
  ends.push_back(nullptr);
  OpBuilder b(block.getParentOp()->getContext());
  for (auto [ops, end] : llvm::zip(pieces, ends)) {
    if (ops.size() < 2)
      continue;
    // The end of a program that has no terminator is marked while the piece is rebuilt.
    Operation *mark = end;
    if (!mark) {
      b.setInsertionPointToEnd(&block);
      mark = d1::LabelOp::create(b, ops.back()->getLoc(), "end", IntegerAttr());
    }
    Piece(model, ops, liveAt(webs, ops.front())).run(mark);
    if (!end)
      mark->erase();
  }
}

void mlir::dojo::scheduleProgram(d1::FuncOp program, const ::dojo::Target &target) {
  IssueModel model(target);
  Block &top = program.getBody().front();
  SmallVector<Operation *> registers;
  for (Operation &op : top)
    if (isa<d1::RegisterOp>(op))
      registers.push_back(&op);
  for (Operation *op : llvm::reverse(registers))
    op->moveBefore(&top.front());
  RegisterWebs webs(program);
  SmallVector<Block *> blocks{&top};
  program.walk([&](Operation *op) {
    if (op != program)
      for (Region &region : op->getRegions())
        blocks.push_back(&region.front());
  });
  for (Block *block : blocks)
    scheduleBlock(*block, model, webs);
}

namespace {
struct ScheduleProgram : public mlir::dojo::impl::ScheduleProgramBase<ScheduleProgram> {
  using ScheduleProgramBase::ScheduleProgramBase;

  void runOnOperation() override {
    ::dojo::Target machine;
    std::string error;
    if (!::dojo::loadTarget(target, machine, error)) {
      getOperation().emitError(error);
      return signalPassFailure();
    }
    scheduleProgram(getOperation(), machine);
  }
};
} // namespace
