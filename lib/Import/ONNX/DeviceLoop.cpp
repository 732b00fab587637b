// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops that run on the device: whose steps are counted at run time and not unrolled. The body is
// imported once, on tensors, in a block of its own. If every element of what it carries depends on
// the same element of tensors and on scalars alone, each element can take its steps by itself: a
// linalg.generic over the elements, with an scf.while on scalars in its body.

#include "Importer.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

// Each carried value is computed by a loop of its own.
constexpr size_t kMaxCarried = 8;

bool isSingle(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getNumElements() == 1;
}

/// What a value of the body is at one element of `dims`. First `check` finds what is read from
/// outside, then `get` makes scalars.
class Elements {
public:
  Elements(Block &block, ArrayRef<int64_t> dims) : block(block), dims(dims) {}

  /// Whether `tensor`, of one element or of `dims`, can be computed element by element.
  bool check(Value tensor);
  /// The tensors from outside with the maps by which they are read, in order.
  ArrayRef<std::pair<Value, AffineMap>> captured() const { return reads.getArrayRef(); }
  /// The scalar for `tensor`, with `arguments` for those of the block and `outside` for captured().
  Value get(OpBuilder &b, Value tensor, ValueRange arguments, ValueRange outside);

private:
  bool checkRead(Value tensor, AffineMap map, bool whole);
  AffineMap plainMap(Value tensor) const;
  static TypedAttr splatOf(Value tensor);
  static bool isReshape(Operation *op) {
    return isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op);
  }

  Block &block;
  ArrayRef<int64_t> dims;
  SetVector<std::pair<Value, AffineMap>> reads;
  DenseSet<Value> checked;
  DenseMap<Value, Value> made;
};

TypedAttr Elements::splatOf(Value tensor) {
  DenseElementsAttr elements;
  if (matchPattern(tensor, m_Constant(&elements)) && elements.isSplat())
    return cast<TypedAttr>(elements.getSplatValue<Attribute>());
  return {};
}

/// How a tensor of one element or of all is read.
AffineMap Elements::plainMap(Value tensor) const {
  MLIRContext *context = tensor.getContext();
  const int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  if (!isSingle(tensor))
    return AffineMap::getMultiDimIdentityMap(dims.size(), context);
  SmallVector<AffineExpr> zeros(rank, getAffineConstantExpr(0, context));
  return AffineMap::get(dims.size(), 0, zeros, context);
}

bool Elements::checkRead(Value tensor, AffineMap map, bool whole) {
  const bool outside = tensor.getParentBlock() != &block;
  if (isSingle(tensor) || (whole && map.isIdentity()))
    return check(tensor);
  if (!outside || !whole)
    return false;
  if (!splatOf(tensor))
    reads.insert({tensor, map});
  return true;
}

bool Elements::check(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if ((!isSingle(tensor) && type.getShape() != dims) || checked.contains(tensor))
    return checked.contains(tensor);
  checked.insert(tensor);
  if (splatOf(tensor))
    return true;
  if (tensor.getParentBlock() != &block) {
    reads.insert({tensor, plainMap(tensor)});
    return true;
  }
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return true; // an argument
  if (auto fill = dyn_cast<linalg::FillOp>(op)) {
    TypedAttr value;
    return matchPattern(fill.getInputs()[0], m_Constant(&value));
  }
  if (isReshape(op))
    return isSingle(tensor) && check(op->getOperand(0));
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumResults() != 1 ||
      generic.getNumParallelLoops() != generic.getNumLoops() ||
      !generic.getMatchingBlockArgument(generic.getDpsInitOperand(0)).use_empty())
    return false;
  const bool whole = !isSingle(tensor);
  if (whole && !generic.getIndexingMapsArray().back().isIdentity())
    return false;
  for (Operation &inner : *generic.getBody())
    if (inner.getNumRegions() || isa<linalg::IndexOp, tensor::ExtractOp>(inner))
      return false;
  return all_of(enumerate(generic.getDpsInputs()), [&](auto entry) {
    return checkRead(entry.value(), generic.getIndexingMapsArray()[entry.index()], whole);
  });
}

Value Elements::get(OpBuilder &b, Value tensor, ValueRange arguments, ValueRange outside) {
  auto [it, isNew] = made.try_emplace(tensor);
  if (!isNew)
    return it->second;
  Location loc = tensor.getLoc();
  Value result;
  auto read = [&](Value from, AffineMap map) -> Value {
    for (auto [entry, value] : zip(reads, outside))
      if (entry == std::pair(from, map))
        return value;
    return {};
  };
  if (TypedAttr splat = splatOf(tensor)) {
    result = arith::ConstantOp::create(b, loc, splat);
  } else if (tensor.getParentBlock() != &block) {
    result = read(tensor, plainMap(tensor));
  } else if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    result = arguments[argument.getArgNumber()];
  } else if (auto fill = tensor.getDefiningOp<linalg::FillOp>()) {
    TypedAttr value;
    matchPattern(fill.getInputs()[0], m_Constant(&value));
    result = arith::ConstantOp::create(b, loc, value);
  } else if (isReshape(tensor.getDefiningOp())) {
    result = get(b, tensor.getDefiningOp()->getOperand(0), arguments, outside);
  } else {
    auto generic = tensor.getDefiningOp<linalg::GenericOp>();
    IRMapping map;
    for (auto [i, input] : enumerate(generic.getDpsInputs())) {
      AffineMap access = generic.getIndexingMapsArray()[i];
      Value element = isSingle(input) || access.isIdentity() ? Value() : read(input, access);
      map.map(generic.getBody()->getArgument(i),
              element ? element : get(b, input, arguments, outside));
    }
    for (Operation &op : generic.getBody()->without_terminator())
      b.clone(op, map);
    result = map.lookup(generic.getBody()->getTerminator()->getOperand(0));
  }
  made[tensor] = result;
  return result;
}

} // namespace

bool Importer::importDeviceLoop(Node &node, const onnx::GraphProto &body, Scope &scope,
                                Results &results) {
  const size_t states = node.inputs.size() - 2;
  if (states == 0 || states > kMaxCarried)
    return false;
  Dims dims;
  for (size_t i = 0; i < states; ++i)
    if (elementCount(node.dims(i + 2)) != 1)
      dims = node.inputs[i + 2]->type.dims;
  // The body on tensors, in a block that is in no region.
  Block block;
  SmallVector<ValueInfo, 2> inputs;
  auto argument = [&](const TensorType &type) {
    auto tensor = RankedTensorType::get(type.dims, runtimeType(b.getContext(), type.elem));
    inputs.push_back({type, true, std::nullopt, block.addArgument(tensor, b.getLoc())});
  };
  argument({TensorProto::INT64, {}});
  argument({TensorProto::BOOL, {}});
  for (size_t i = 0; i < states; ++i) {
    if (!runtimeType(b.getContext(), node.elem(i + 2)))
      return false;
    argument(node.type(i + 2));
  }
  const size_t findings = report.unsupported.size();
  const int64_t counted = unrolledNodes;
  Results outputs;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&block);
    outputs = importGraph(node, body, inputs, "body", scope);
    for (ValueInfo &output : outputs)
      if (output.known)
        materialise(output);
  }
  unrolledNodes = counted;
  auto drop = [&] {
    // Uses are in later ops of the block only.
    while (!block.empty())
      block.back().erase();
  };
  auto fits = [&] {
    if (report.unsupported.size() != findings || outputs.size() <= states)
      return false;
    Elements elements(block, dims);
    for (size_t i = 0; i <= states; ++i)
      if (!outputs[i].known || (i && !(outputs[i].type == node.type(i + 1))) ||
          !elements.check(outputs[i].value))
        return false;
    return outputs[0].type.elem == TensorProto::BOOL && isSingle(outputs[0].value);
  };
  if (!fits()) {
    drop();
    report.unsupported.resize(findings);
    return false;
  }
  for (size_t k = 0; k < states; ++k)
    results.push_back(deviceLoop(node, block, outputs, dims, k));
  drop();
  return true;
}

ValueInfo Importer::deviceLoop(Node &node, Block &block, Results &outputs, ArrayRef<int64_t> dims,
                               size_t which) {
  const size_t states = node.inputs.size() - 2;
  Elements elements(block, dims);
  for (size_t i = 0; i <= states; ++i)
    (void)elements.check(outputs[i].value);
  // Operands: what the body reads, the initial values, the trip count, the first condition.
  const bool counts = node.has(0), asks = node.has(1);
  const TensorType &type = node.type(which + 2);
  const bool whole = elementCount(type.dims) != 1;
  SmallVector<Operand> operands;
  for (auto [tensor, map] : elements.captured())
    operands.push_back({tensor, map, {}});
  const size_t captured = operands.size();
  auto add = [&](unsigned input) {
    Value value = materialise(*node.inputs[input]);
    operands.push_back(isSingle(value) ? b.broadcast(b.reshape(value, {}), dims)
                                       : b.broadcast(value, dims));
  };
  for (size_t i = 0; i < states; ++i)
    add(i + 2);
  if (counts)
    add(0);
  if (asks)
    add(1);
  // The result of a carried scalar is computed with all that depends on it, at one element.
  const Dims loops = whole ? Dims(dims) : Dims();
  if (!whole)
    for (Operand &operand : operands) {
      SmallVector<AffineExpr> zeros(operand.map.getNumResults(), b.getAffineConstantExpr(0));
      operand.map = AffineMap::get(0, 0, zeros, b.getContext());
    }
  Value result = b.elementwise(
      loops, runtimeType(b.getContext(), type.elem), operands,
      [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
        ValueRange outside = v.take_front(captured), start = v.slice(captured, states);
        Type i64 = ob.getI64Type();
        auto constant = [&](Type type, int64_t value) -> Value {
          return arith::ConstantOp::create(ob, loc, scalarAttr(type, value));
        };
        Value trips = counts ? v[captured + states] : Value();
        SmallVector<Value> inits{constant(i64, 0), asks ? v[captured + states + counts]
                                                        : constant(ob.getI1Type(), 1)};
        append_range(inits, start);
        auto loop = scf::WhileOp::create(
            ob, loc, ValueRange(inits).getTypes(), inits,
            [&](OpBuilder &wb, Location, ValueRange carried) {
              Value go = carried[1];
              if (trips) {
                Value more =
                    arith::CmpIOp::create(wb, loc, arith::CmpIPredicate::slt, carried[0], trips);
                go = arith::AndIOp::create(wb, loc, go, more);
              }
              scf::ConditionOp::create(wb, loc, go, carried);
            },
            [&](OpBuilder &wb, Location, ValueRange carried) {
              Value one = arith::ConstantOp::create(wb, loc, scalarAttr(i64, int64_t(1)));
              SmallVector<Value> next{arith::AddIOp::create(wb, loc, carried[0], one)};
              for (size_t i = 0; i <= states; ++i)
                next.push_back(elements.get(wb, outputs[i].value, carried, outside));
              scf::YieldOp::create(wb, loc, next);
            });
        return loop.getResult(which + 2);
      });
  return info(b.reshape(result, type.dims), type.elem);
}

} // namespace mlir::dojo::onnximport
