// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RNN, GRU and LSTM. The products with the inputs of all steps are one contraction; what remains of
// a step is the product with the hidden state and elementwise ops on its gates, once for each step:
// one behind the other, or in a loop of the mesh where there are many.

#include "../Lowering.h"
#include "../MeshLoop.h"
#include "RecurrentActivation.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

using utils::IteratorType;

// Steps of one node, over all directions, that are written out.
constexpr int64_t kMaxWrittenSteps = 256;

/// What the three ops have in common: operands by direction, and steps over them.
class Recurrence {
public:
  Recurrence(Lowering &l, int64_t gates, unsigned activations)
      : l(l), b(l.b), gates(gates), activationCount(activations) {}
  virtual ~Recurrence() = default;

  LogicalResult run();

protected:
  /// Adds a step to `hidden` and `cell`, without the mask; `x` is the inputs' part of the gates,
  /// [batch, gates * hidden].
  virtual void step(Value x) = 0;
  virtual void begin() {}

  /// Direction `d` of operand `i`, without the dimension of directions.
  Value ofDirection(unsigned i, int64_t axis = 0);
  /// Elements from..from+size-1 along the last dimension.
  Value columns(Value tensor, int64_t from, int64_t size);
  /// Gate `g` of a tensor whose last dimension is gates * hidden.
  Value gate(Value tensor, int64_t g) { return columns(tensor, g * size, size); }
  /// Of a tensor that begins with the dimension of time, what is at time `t`.
  Value at(Value tensor, int64_t t);
  /// x[batch, k] times the transposed matrix[n, k].
  Value product(Value x, Value matrix);
  /// An elementwise op with the loops of `dims`; operands broadcast to it.
  Value map(ArrayRef<int64_t> dims, ArrayRef<Value> operands,
            llvm::function_ref<Value(Scalars &, ValueRange)> body);
  Value activate(Scalars &s, unsigned which, Value x, bool clips = true) {
    return applyActivation(s, activations[direction * activationCount + which],
                           clips ? clip : std::nullopt, x);
  }
  LogicalResult readShapes();
  Value project();
  /// `next` where the entry of the batch has the step, else `previous` or zeros if that is null.
  /// `active`: bool[batch]; null if all have.
  Value keep(Value active, Value next, Value previous);
  /// A step with the mask: the row of Y. `active` as for keep.
  Value maskedStep(Value x, Value active);
  /// All steps of one direction: Y of it, [length, batch, hidden], if that is used.
  FailureOr<Value> writtenSteps(bool backwards);
  FailureOr<Value> loopOfSteps(bool backwards);

  Lowering &l;
  TensorBuilder &b;
  const int64_t gates;
  const unsigned activationCount;
  SmallVector<Activation> activations;
  std::optional<double> clip;
  Type element;
  int64_t length = 0, batch = 0, width = 0, size = 0, directions = 1, direction = 0;
  bool batchFirst = false, biasInStep = false;
  Value hidden, cell, projected, matrix, mask;
};

Value Recurrence::ofDirection(unsigned i, int64_t axis) {
  ArrayRef<int64_t> dims = l.node.dims(i);
  Dims rest(dims.take_front(axis));
  append_range(rest, dims.drop_front(axis + 1));
  if (const Constant *constant = l.node.constant(i); constant && axis == 0) {
    const size_t bytes = constant->bytes().size() / directions;
    if (directions == 1)
      return l.materialise(constant->reshaped(rest));
    return l.materialise(Constant({constant->elem(), rest},
                                  constant->bytes().substr(direction * bytes, bytes).str()));
  }
  SliceSpec spec{Dims(dims.size(), 0), Dims(dims.size(), 1), Dims(dims)};
  spec.starts[axis] = direction;
  spec.sizes[axis] = 1;
  return b.reshape(b.slice(l.in(i), spec), rest);
}

Value Recurrence::columns(Value tensor, int64_t from, int64_t count) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(tensor);
  SliceSpec spec{Dims(dims.size(), 0), Dims(dims.size(), 1), Dims(dims)};
  spec.starts.back() = from;
  spec.sizes.back() = count;
  return b.slice(tensor, spec);
}

Value Recurrence::at(Value tensor, int64_t t) {
  ArrayRef<int64_t> dims = TensorBuilder::dimsOf(tensor);
  SliceSpec spec{Dims(dims.size(), 0), Dims(dims.size(), 1), Dims(dims)};
  spec.starts[0] = t;
  spec.sizes[0] = 1;
  return b.reshape(b.slice(tensor, spec), dims.drop_front());
}

Value Recurrence::product(Value x, Value matrix) {
  const int64_t k = TensorBuilder::dimsOf(x)[1], n = TensorBuilder::dimsOf(matrix)[0];
  auto op = b.generic({b.along(x, {0, 2}, 3), b.along(matrix, {1, 2}, 3)},
                      b.filled({batch, n}, scalarAttr(element, int64_t(0))),
                      b.getMultiDimIdentityMap(3).getMajorSubMap(2),
                      {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction},
                      [](OpBuilder &ob, Location loc, ValueRange v) {
                        Scalars s(ob, loc, ElemClass::Float);
                        return s.add(v[2], s.mul(v[0], v[1]));
                      });
  markContraction(op, "matmul", saturatedProduct({batch, n, k}));
  return op.getResult(0);
}

Value Recurrence::map(ArrayRef<int64_t> dims, ArrayRef<Value> operands,
                      llvm::function_ref<Value(Scalars &, ValueRange)> body) {
  SmallVector<Operand> list;
  for (Value operand : operands)
    list.push_back(b.broadcast(operand, dims));
  return b.elementwise(dims, element, list, [&](OpBuilder &ob, Location loc, ValueRange v) {
    Scalars s(ob, loc, ElemClass::Float);
    return body(s, v);
  });
}

/// x * W' + Wb + Rb for all steps: [length, batch, gates * hidden].
Value Recurrence::project() {
  const int64_t n = gates * size;
  Dims out{length, batch, n};
  auto op = b.generic(
      {b.along(l.in(0), batchFirst ? ArrayRef<int64_t>{1, 0, 3} : ArrayRef<int64_t>{0, 1, 3}, 4),
       b.along(ofDirection(1), {2, 3}, 4)},
      b.filled(out, scalarAttr(element, int64_t(0))), b.getMultiDimIdentityMap(4).getMajorSubMap(3),
      {IteratorType::parallel, IteratorType::parallel, IteratorType::parallel,
       IteratorType::reduction},
      [](OpBuilder &ob, Location loc, ValueRange v) {
        Scalars s(ob, loc, ElemClass::Float);
        return s.add(v[2], s.mul(v[0], v[1]));
      });
  markContraction(op, "matmul", saturatedProduct({length, batch, n, width}));
  if (!l.node.has(3))
    return op.getResult(0);
  Value bias = ofDirection(3);
  SmallVector<Value> operands{op.getResult(0), columns(bias, 0, n)};
  if (!biasInStep)
    operands.push_back(columns(bias, n, n));
  return map(out, operands, [&](Scalars &s, ValueRange v) {
    Value sum = s.add(v[0], v[1]);
    return biasInStep ? sum : s.add(sum, v[2]);
  });
}

LogicalResult Recurrence::readShapes() {
  Node &node = l.node;
  batchFirst = node.intAttr("layout", 0);
  element = l.elementType(0);
  if (node.info(0).kind != ElemClass::Float)
    return l.fail("type: its elements must be floats");
  StringRef way = node.stringAttr("direction", "forward");
  if (way != "forward" && way != "reverse" && way != "bidirectional")
    return l.fail("direction '" + way + "' is none of forward, reverse and bidirectional");
  directions = way == "bidirectional" ? 2 : 1;
  if (node.rank(0) != 3 || node.rank(1) != 3 || node.rank(2) != 3)
    return l.fail("X, W and R must have three dimensions");
  length = node.dims(0)[batchFirst ? 1 : 0];
  batch = node.dims(0)[batchFirst ? 0 : 1];
  width = node.dims(0)[2];
  size = node.dims(2)[2];
  auto fits = [&](unsigned i, ArrayRef<int64_t> dims) {
    return !node.has(i) || node.dims(i) == dims;
  };
  const Dims state = batchFirst ? Dims{batch, directions, size} : Dims{directions, batch, size};
  if (!fits(1, {directions, gates * size, width}) || !fits(2, {directions, gates * size, size}) ||
      !fits(3, {directions, 2 * gates * size}) || !fits(4, {batch}) || !fits(5, state) ||
      !fits(6, state) || !fits(7, {directions, 3 * size}))
    return l.fail("the dimensions of its operands do not fit each other");
  if (node.hasAttr("clip"))
    clip = node.floatAttr("clip", 0);
  std::string error;
  activations = readActivations(node, directions, activationCount, error);
  return error.empty() ? success() : l.fail(error);
}

Value Recurrence::keep(Value active, Value next, Value previous) {
  if (!active)
    return next;
  SmallVector<Value> operands{b.reshape(active, {batch, 1}), next};
  if (previous)
    operands.push_back(previous);
  return map({batch, size}, operands, [&](Scalars &s, ValueRange v) {
    return s.select(v[0], v[1], previous ? v[2] : s.constant(v[1].getType(), 0));
  });
}

Value Recurrence::maskedStep(Value x, Value active) {
  Value previousHidden = hidden, previousCell = cell;
  step(x);
  Value next = hidden;
  hidden = keep(active, next, previousHidden);
  if (cell)
    cell = keep(active, cell, previousCell);
  return l.node.outputUsed(0) ? keep(active, next, {}) : Value();
}

FailureOr<Value> Recurrence::writtenSteps(bool backwards) {
  SmallVector<Value> rows(length);
  for (int64_t i = 0; i < length; ++i) {
    const int64_t t = backwards ? length - 1 - i : i;
    Value row = maskedStep(at(projected, t), mask ? at(mask, t) : Value());
    if (row)
      rows[t] = b.reshape(row, {1, batch, size});
  }
  return l.node.outputUsed(0) ? b.concat(rows, 0) : Value();
}

FailureOr<Value> Recurrence::loopOfSteps(bool backwards) {
  const int32_t elem = l.node.elem(0);
  const bool hasCell = cell != nullptr, usesY = l.node.outputUsed(0);
  ValueInfo inputs = info(projected, elem), masks;
  SmallVector<MeshLoops::Sequence> sequences{{&inputs, 0, backwards}};
  if (mask) {
    masks = info(mask, TensorProto::BOOL);
    sequences.push_back({&masks, 0, backwards});
  }
  MeshLoops::Results states{info(hidden, elem)}, finals, collected;
  if (hasCell)
    states.push_back(info(cell, elem));
  std::string error = l.loops.blocks(
      length, l.loops.always(), states, sequences, usesY,
      [&](MeshLoops::Body &, ValueInfo, ArrayRef<ValueInfo> carried, ArrayRef<ValueInfo> rows,
          MeshLoops::Outcome &outcome) -> std::string {
        hidden = carried[0].value;
        if (hasCell)
          cell = carried[1].value;
        Value row = maskedStep(rows[0].value, mask ? rows[1].value : Value());
        outcome.next = {info(hidden, elem)};
        if (hasCell)
          outcome.next.push_back(info(cell, elem));
        if (usesY)
          outcome.rows = {info(row, elem)};
        return "";
      },
      finals, collected);
  if (!error.empty())
    return l.fail(error);
  hidden = finals[0].value;
  if (hasCell)
    cell = finals[1].value;
  if (!usesY)
    return Value();
  Value all = collected[0].value;
  if (!backwards)
    return all;
  SliceSpec spec{{length - 1, 0, 0}, {-1, 1, 1}, {length, batch, size}};
  return b.slice(all, spec);
}

LogicalResult Recurrence::run() {
  if (failed(readShapes()))
    return failure();
  Node &node = l.node;
  if (length == 0 || batch == 0 || size == 0 || width == 0)
    return l.fail("a dimension of its operands is zero");
  const Constant *lengths = node.constant(4);
  if (node.has(4) &&
      !(lengths && all_of(lengths->ints(), [&](int64_t steps) { return steps >= length; }))) {
    // step < length of the entry
    mask =
        b.elementwise({length, batch}, b.getI1Type(), b.along(l.in(4), {1}, 2),
                      [](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                        Value t = arith::IndexCastOp::create(ob, loc, v[0].getType(),
                                                             linalg::IndexOp::create(ob, loc, 0));
                        return arith::CmpIOp::create(ob, loc, arith::CmpIPredicate::slt, t, v[0]);
                      });
  }
  const bool usesY = node.outputUsed(0), hasCell = gates == 4;
  SmallVector<Value> rows, lastHidden, lastCell;
  for (direction = 0; direction < directions; ++direction) {
    auto initial = [&](unsigned i) {
      return node.has(i) ? ofDirection(i, batchFirst ? 1 : 0)
                         : b.filled({batch, size}, scalarAttr(element, int64_t(0)));
    };
    hidden = initial(5);
    if (hasCell)
      cell = initial(6);
    projected = project();
    matrix = ofDirection(2);
    begin();
    // Backwards, the entries of a shorter sequence come into their steps later: the mask keeps
    // their initial states until then.
    const bool backwards = direction == 1 || node.stringAttr("direction", "") == "reverse";
    FailureOr<Value> all =
        length * directions > kMaxWrittenSteps ? loopOfSteps(backwards) : writtenSteps(backwards);
    if (failed(all))
      return failure();
    if (usesY)
      rows.push_back(b.reshape(*all, {length, 1, batch, size}));
    lastHidden.push_back(b.reshape(hidden, {1, batch, size}));
    if (hasCell)
      lastCell.push_back(b.reshape(cell, {1, batch, size}));
  }
  auto states = [&](ArrayRef<Value> parts) {
    Value all = b.concat(parts, 0);
    return batchFirst ? b.transpose(all, {1, 0, 2}) : all;
  };
  if (usesY) {
    Value all = b.concat(rows, 1);
    (void)l.set(batchFirst ? b.transpose(all, {2, 0, 1, 3}) : all, 0);
  }
  if (node.outputUsed(1))
    (void)l.set(states(lastHidden), 1);
  if (node.outputUsed(2))
    (void)l.set(states(lastCell), 2);
  return success();
}

/// H = f(x W' + h R' + b)
class Rnn : public Recurrence {
public:
  explicit Rnn(Lowering &l) : Recurrence(l, 1, 1) {}
  void step(Value x) override {
    hidden = map({batch, size}, {product(hidden, matrix), x},
                 [&](Scalars &s, ValueRange v) { return activate(s, 0, s.add(v[0], v[1])); });
  }
};

/// Gates in the order z, r, h.
class Gru : public Recurrence {
public:
  explicit Gru(Lowering &l)
      : Recurrence(l, 3, 2), linearFirst(l.node.intAttr("linear_before_reset", 0)) {
    biasInStep = linearFirst;
  }

  void begin() override {
    auto rows = [&](int64_t from, int64_t count) {
      SliceSpec spec{{from * size, 0}, {1, 1}, {count * size, size}};
      return b.slice(matrix, spec);
    };
    if (linearFirst)
      return;
    gateRows = rows(0, 2);
    hiddenRows = rows(2, 1);
  }

  void step(Value x) override {
    const Dims dims{batch, size};
    auto sum = [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); };
    auto blend = [](Scalars &s, Value z, Value h, Value previous) {
      Value rest = s.sub(s.constant(z.getType(), 1), z);
      return s.add(s.mul(rest, h), s.mul(z, previous));
    };
    if (linearFirst) {
      Value own = product(hidden, matrix);
      if (l.node.has(3))
        own = map({batch, 3 * size}, {own, columns(ofDirection(3), 3 * size, 3 * size)}, sum);
      hidden = map(
          dims,
          {gate(x, 0), gate(own, 0), gate(x, 1), gate(own, 1), gate(x, 2), gate(own, 2), hidden},
          [&](Scalars &s, ValueRange v) {
            Value z = activate(s, 0, s.add(v[0], v[1]));
            Value r = activate(s, 0, s.add(v[2], v[3]));
            return blend(s, z, activate(s, 1, s.add(v[4], s.mul(r, v[5]))), v[6]);
          });
      return;
    }
    Value both = map({batch, 2 * size}, {product(hidden, gateRows), columns(x, 0, 2 * size)}, sum);
    Value reset = map(dims, {gate(both, 1), hidden},
                      [&](Scalars &s, ValueRange v) { return s.mul(activate(s, 0, v[0]), v[1]); });
    hidden = map(dims, {product(reset, hiddenRows), gate(x, 2), gate(both, 0), hidden},
                 [&](Scalars &s, ValueRange v) {
                   Value h = activate(s, 1, s.add(v[0], v[1]));
                   return blend(s, activate(s, 0, v[2]), h, v[3]);
                 });
  }

private:
  const bool linearFirst;
  Value gateRows, hiddenRows;
};

/// Gates in the order i, o, f, c; peepholes in the order i, o, f.
class Lstm : public Recurrence {
public:
  explicit Lstm(Lowering &l)
      : Recurrence(l, 4, 3), coupled(l.node.intAttr("input_forget", 0)), peeps(l.node.has(7)) {}

  void begin() override {
    if (!peeps)
      return;
    Value all = ofDirection(7);
    for (int64_t g = 0; g < 3; ++g)
      peepholes[g] = gate(all, g);
  }

  void step(Value x) override {
    const Dims dims{batch, size};
    Value sums = map({batch, 4 * size}, {product(hidden, matrix), x},
                     [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
    SmallVector<Value> operands{gate(sums, 0), gate(sums, 2), gate(sums, 3), cell};
    if (peeps)
      operands.append({peepholes[0], peepholes[2]});
    cell = map(dims, operands, [&](Scalars &s, ValueRange v) {
      auto peep = [&](Value x, unsigned i) { return peeps ? s.add(x, s.mul(v[i], v[3])) : x; };
      Value in = activate(s, 0, peep(v[0], 4));
      Value forget =
          coupled ? s.sub(s.constant(in.getType(), 1), in) : activate(s, 0, peep(v[1], 5));
      return s.add(s.mul(forget, v[3]), s.mul(in, activate(s, 1, v[2])));
    });
    operands = {gate(sums, 1), cell};
    if (peeps)
      operands.push_back(peepholes[1]);
    hidden = map(dims, operands, [&](Scalars &s, ValueRange v) {
      Value out = peeps ? s.add(v[0], s.mul(v[2], v[1])) : v[0];
      // As onnxruntime does it, clipping bounds the sums of gates, not the cell.
      return s.mul(activate(s, 0, out), activate(s, 2, v[1], /*clips=*/false));
    });
  }

private:
  const bool coupled, peeps;
  Value peepholes[3];
};

template <typename Op> LogicalResult lower(Lowering &l) { return Op(l).run(); }

} // namespace

ArrayRef<OpEntry> recurrentOps() {
  static const OpEntry entries[] = {
      {"RNN", 7, 22, lower<Rnn>}, {"GRU", 7, 22, lower<Gru>}, {"LSTM", 7, 22, lower<Lstm>}};
  return entries;
}

} // namespace mlir::dojo::onnximport
