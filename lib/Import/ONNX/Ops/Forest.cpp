// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Forest.h"
#include "../SoftDouble.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include <limits>

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

int64_t Forest::addLeaf() {
  const int64_t self = nodes.size();
  nodes.push_back({0, 0, Equal, false, self, self});
  weights.resize(nodes.size());
  return self;
}

std::string Forest::check(int64_t features) {
  const int64_t count = nodes.size();
  if (roots.empty() || count > INT32_MAX)
    return "there must be at least one tree, and not too many nodes";
  if (targets < 1)
    return "there must be at least one target";
  auto exists = [&](int64_t node) { return node >= 0 && node < count; };
  for (const Branch &node : nodes) {
    if (node.feature < 0 || node.feature >= features)
      return "a node reads a feature that the input does not have";
    if (!exists(node.taken) || !exists(node.other))
      return "a node leads to one that does not exist";
  }
  if (!all_of(roots, exists))
    return "a tree starts at a node that does not exist";
  for (const auto &own : weights)
    for (const Weight &weight : own)
      if (weight.target < 0 || weight.target >= targets)
        return "a leaf has a weight for a target that does not exist";
  // Longest ways down: a node that is reached again while its own are looked at is in a circle.
  enum State : char { Fresh, Open, Done };
  std::vector<State> states(count, Fresh);
  std::vector<int64_t> heights(count, 0);
  for (int64_t root : roots) {
    SmallVector<int64_t> stack{root};
    while (!stack.empty()) {
      const int64_t at = stack.back();
      const Branch &node = nodes[at];
      if (states[at] == Fresh) {
        states[at] = Open;
        for (int64_t next : {node.taken, node.other}) {
          if (next == at)
            continue;
          if (states[next] == Open)
            return "the nodes of a tree lead in a circle";
          if (states[next] == Fresh)
            stack.push_back(next);
        }
        continue;
      }
      stack.pop_back();
      states[at] = Done;
      for (int64_t next : {node.taken, node.other})
        if (next != at)
          heights[at] = std::max(heights[at], heights[next] + 1);
    }
    depth = std::max(depth, heights[root]);
  }
  return "";
}

/// A table of one entry for each node, made by `entry`.
template <typename Fn>
static Value table(Lowering &l, int32_t elem, ArrayRef<Forest::Branch> nodes, Fn entry) {
  std::string bytes;
  for (const Forest::Branch &node : nodes)
    appendElement(bytes, elem, entry(node));
  return l.materialise(Constant({elem, {int64_t(nodes.size())}}, bytes));
}

/// The leaf that each row reaches in each tree: i32 [rows, trees].
Value Forest::walk(Lowering &l, Value x) const {
  TensorBuilder &b = l.b;
  const Dims dims{TensorBuilder::dimsOf(x)[0], int64_t(roots.size())};
  std::string starts;
  for (int64_t root : roots)
    appendElement(starts, TensorProto::INT32, root);
  Value start = l.materialise(Constant({TensorProto::INT32, {dims[1]}}, starts));
  auto integers = [&](auto entry) {
    return table(l, TensorProto::INT32, nodes, [&](const Branch &n) { return int64_t(entry(n)); });
  };
  Value feature = integers([](const Branch &n) { return n.feature; });
  Value taken = integers([](const Branch &n) { return n.taken; });
  Value other = integers([](const Branch &n) { return n.other; });
  Value split = table(l, elem, nodes, [](const Branch &n) { return n.split; });
  // Tables of what is the same everywhere are not needed.
  SmallVector<Mode> modes;
  bool missing = false;
  for (auto [i, node] : enumerate(nodes)) {
    if (node.taken == int64_t(i) && node.other == int64_t(i))
      continue;
    if (!is_contained(modes, node.mode))
      modes.push_back(node.mode);
    missing |= node.missingTakesTrue;
  }
  llvm::sort(modes);
  Value mode = modes.size() > 1 ? integers([](const Branch &n) { return n.mode; }) : Value();
  Value tracks = missing ? integers([](const Branch &n) { return n.missingTakesTrue; }) : Value();

  Type i32 = b.getI32Type();
  auto isNaN = [](OpBuilder &ob, Location loc, Value x, Value y) -> Value {
    if (!x.getType().isInteger())
      return arith::CmpFOp::create(ob, loc, arith::CmpFPredicate::UNO, x, y);
    SoftDouble d(ob, loc);
    return arith::OrIOp::create(ob, loc, d.isNaN(x), d.isNaN(y));
  };
  auto compare = [&](OpBuilder &ob, Location loc, Mode m, Value x, Value y) -> Value {
    Scalars s(ob, loc, ElemClass::Float);
    switch (m) {
    case LessEqual:
      return s.lessOrEqual(x, y);
    case Less:
      return s.less(x, y);
    case GreaterEqual:
      return s.lessOrEqual(y, x);
    case Greater:
      return s.less(y, x);
    case NotEqual: {
      Value differ = arith::XOrIOp::create(
          ob, loc, s.equal(x, y), arith::ConstantOp::create(ob, loc, ob.getBoolAttr(true)));
      Value no = arith::ConstantOp::create(ob, loc, ob.getBoolAttr(false));
      return missingIsUnequal ? differ : s.select(isNaN(ob, loc, x, y), no, differ);
    }
    default:
      return s.equal(x, y);
    }
  };
  auto step = [&](OpBuilder &ob, Location loc, Value at, Value row) -> Value {
    auto toIndex = [&](Value v) -> Value {
      return arith::IndexCastOp::create(ob, loc, ob.getIndexType(), v);
    };
    Value place = toIndex(at);
    auto read = [&](Value tensor) -> Value {
      return tensor::ExtractOp::create(ob, loc, tensor, place);
    };
    auto equals = [&](Value v, int64_t number) -> Value {
      Value constant = arith::ConstantOp::create(ob, loc, scalarAttr(i32, number));
      return arith::CmpIOp::create(ob, loc, arith::CmpIPredicate::eq, v, constant);
    };
    Value value = tensor::ExtractOp::create(ob, loc, x, ValueRange{row, toIndex(read(feature))});
    Value limit = read(split), own = mode ? read(mode) : Value(), holds;
    for (Mode m : modes) {
      Value result = compare(ob, loc, m, value, limit);
      holds = holds ? arith::SelectOp::create(ob, loc, equals(own, m), result, holds) : result;
    }
    if (tracks) {
      Value asMissing =
          arith::AndIOp::create(ob, loc, isNaN(ob, loc, value, value), equals(read(tracks), 1));
      holds = arith::OrIOp::create(ob, loc, holds, asMissing);
    }
    return arith::SelectOp::create(ob, loc, holds, read(taken), read(other));
  };
  return b.elementwise(dims, i32, b.along(start, {1}, 2),
                       [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                         if (depth == 0)
                           return v[0];
                         Value row = linalg::IndexOp::create(ob, loc, 0);
                         auto index = [&](int64_t value) -> Value {
                           return arith::ConstantIndexOp::create(ob, loc, value);
                         };
                         auto loop = scf::ForOp::create(
                             ob, loc, index(0), index(depth), index(1), ValueRange{v[0]},
                             [&](OpBuilder &nested, Location where, Value, ValueRange at) {
                               scf::YieldOp::create(nested, where, step(nested, where, at[0], row));
                             });
                         return loop.getResult(0);
                       });
}

Value Forest::lower(Lowering &l, Value x) const {
  TensorBuilder &b = l.b;
  Value leaves = walk(l, x);
  const int64_t trees = roots.size();
  const Dims domain{TensorBuilder::dimsOf(x)[0], targets, trees};
  Type type = runtimeType(b.getContext(), elem);
  constexpr float most = std::numeric_limits<float>::max();
  const double neutral = aggregate == Min ? most : aggregate == Max ? -most : 0.0;
  auto combine = [&](Scalars &s, Value sum, Value weight) {
    return aggregate == Min   ? s.min(sum, weight)
           : aggregate == Max ? s.max(sum, weight)
                              : s.add(sum, weight);
  };
  TypedAttr init = scalarAttr(type, ElemClass::Float, neutral);
  Value result;
  if (all_of(weights, [](const auto &own) { return own.size() <= 1; })) {
    // One weight at most: its value and its target.
    std::string values, places;
    for (const auto &own : weights) {
      appendElement(values, elem, own.empty() ? neutral : own[0].value);
      appendElement(places, TensorProto::INT32, own.empty() ? int64_t(0) : own[0].target);
    }
    const Dims size{int64_t(nodes.size())};
    auto reached = [&](int32_t kind, const std::string &bytes) {
      Value entries = l.materialise(Constant({kind, size}, bytes));
      return b.elementwise(
          {domain[0], trees}, TensorBuilder::elementOf(entries), b.along(leaves, {0, 1}, 2),
          [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
            Value at = arith::IndexCastOp::create(ob, loc, ob.getIndexType(), v[0]);
            return tensor::ExtractOp::create(ob, loc, entries, at);
          });
    };
    Value value = reached(elem, values), place = reached(TensorProto::INT32, places);
    // The extent of the targets is that of an operand that is never read.
    Value shape = b.empty({targets}, type);
    result = b.reduce(
        domain, {2}, {b.along(value, {0, 2}, 3), b.along(place, {0, 2}, 3), b.along(shape, {1}, 3)},
        init, [&](OpBuilder &ob, Location loc, ValueRange v) {
          Scalars s(ob, loc, ElemClass::Float), i(ob, loc, ElemClass::Signed);
          Value own = arith::IndexCastOp::create(ob, loc, v[1].getType(),
                                                 linalg::IndexOp::create(ob, loc, 1));
          return combine(s, v[3],
                         s.select(i.equal(own, v[1]), v[0], s.constant(type, double(neutral))));
        });
  } else {
    std::string bytes;
    for (const auto &own : weights) {
      SmallVector<double> row(targets, neutral);
      for (const Weight &weight : own) {
        double &entry = row[weight.target];
        entry = aggregate == Min   ? std::min(entry, weight.value)
                : aggregate == Max ? std::max(entry, weight.value)
                                   : entry + weight.value;
      }
      for (double entry : row)
        appendElement(bytes, elem, entry);
    }
    Value entries = l.materialise(Constant({elem, {int64_t(nodes.size()), targets}}, bytes));
    Value shape = b.empty({targets}, type);
    result = b.reduce(domain, {2}, {b.along(leaves, {0, 2}, 3), b.along(shape, {1}, 3)}, init,
                      [&](OpBuilder &ob, Location loc, ValueRange v) {
                        Scalars s(ob, loc, ElemClass::Float);
                        Value at = arith::IndexCastOp::create(ob, loc, ob.getIndexType(), v[0]);
                        Value target = linalg::IndexOp::create(ob, loc, 1);
                        return combine(
                            s, v[2],
                            tensor::ExtractOp::create(ob, loc, entries, ValueRange{at, target}));
                      });
  }
  if (aggregate != Average)
    return result;
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(result);
  return b.elementwise(dims, type, b.broadcast(result, dims),
                       [&](OpBuilder &ob, Location loc, ValueRange v) {
                         Scalars s(ob, loc, ElemClass::Float);
                         return s.div(v[0], s.constant(type, double(trees)));
                       });
}

} // namespace mlir::dojo::onnximport
