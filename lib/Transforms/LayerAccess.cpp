// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Transforms/LayerAccess.h"

#include "dialects/Dojo/DojoDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Matchers.h"

#include <numeric>

using namespace mlir;
using namespace mlir::dojo;

int64_t IndexBox::volume() const {
  int64_t v = 1;
  for (int64_t s : size)
    v *= s;
  return v;
}

bool LayerAccess::isStructured() const { return isa<ConvOp>(root); }

namespace {
/// Inclusive range of an expression over a box of loop indices.
struct Interval {
  int64_t min, max;
};

int64_t floorDiv(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

Interval rangeOf(AffineExpr expr, const IndexBox &loops) {
  if (auto c = dyn_cast<AffineConstantExpr>(expr))
    return {c.getValue(), c.getValue()};
  if (auto d = dyn_cast<AffineDimExpr>(expr)) {
    unsigned p = d.getPosition();
    return {loops.lo[p], loops.lo[p] + loops.size[p] - 1};
  }
  auto bin = cast<AffineBinaryOpExpr>(expr);
  Interval l = rangeOf(bin.getLHS(), loops), r = rangeOf(bin.getRHS(), loops);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return {l.min + r.min, l.max + r.max};
  case AffineExprKind::Mul: {
    int64_t a = l.min * r.min, b = l.max * r.min;
    return {std::min(a, b), std::max(a, b)};
  }
  case AffineExprKind::FloorDiv:
    return {floorDiv(l.min, r.min), floorDiv(l.max, r.min)};
  case AffineExprKind::CeilDiv:
    return {-floorDiv(-l.min, r.min), -floorDiv(-l.max, r.min)};
  case AffineExprKind::Mod:
    if (floorDiv(l.min, r.min) == floorDiv(l.max, r.min)) {
      int64_t base = floorDiv(l.min, r.min) * r.min;
      return {l.min - base, l.max - base};
    }
    return {0, r.min - 1};
  default:
    llvm_unreachable("affine expressions have no other binary kinds");
  }
}
} // namespace

IndexBox LayerAccess::image(AffineMap map, const IndexBox &loops, ArrayRef<int64_t> shape) {
  IndexBox box;
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    Interval r = rangeOf(expr, loops);
    int64_t lo = std::clamp<int64_t>(r.min, 0, shape[i]);
    int64_t hi = std::clamp<int64_t>(r.max + 1, lo, shape[i]);
    box.lo.push_back(lo);
    box.size.push_back(hi - lo);
  }
  return box;
}

IndexBox LayerAccess::Operand::box(const IndexBox &loops) const {
  IndexBox result = image(map, loops, type.getShape());
  for (auto [d, all] : llvm::enumerate(whole))
    if (all) {
      result.lo[d] = 0;
      result.size[d] = type.getDimSize(d);
    }
  return result;
}

std::optional<AffineExpr> mlir::dojo::affineIndex(Value index) {
  MLIRContext *context = index.getContext();
  IntegerAttr constant;
  if (matchPattern(index, m_Constant(&constant)))
    return getAffineConstantExpr(constant.getInt(), context);
  Operation *op = index.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (auto loop = dyn_cast<linalg::IndexOp>(op))
    return getAffineDimExpr(loop.getDim(), context);
  // Indices are small: they are the same number in any integer type of at least 32 bits.
  if (auto cast = dyn_cast<arith::IndexCastOp>(op)) {
    Type type = cast.getType(), from = cast.getIn().getType();
    if ((type.isIndex() || type.getIntOrFloatBitWidth() >= 32) &&
        (from.isIndex() || from.getIntOrFloatBitWidth() >= 32))
      return affineIndex(cast.getIn());
    return std::nullopt;
  }
  if (!index.getType().isIndex() || !isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op))
    return std::nullopt;
  std::optional<AffineExpr> lhs = affineIndex(op->getOperand(0)),
                            rhs = affineIndex(op->getOperand(1));
  if (!lhs || !rhs)
    return std::nullopt;
  if (isa<arith::AddIOp>(op))
    return *lhs + *rhs;
  if (isa<arith::SubIOp>(op))
    return *lhs - *rhs;
  if (!isa<AffineConstantExpr>(*lhs) && !isa<AffineConstantExpr>(*rhs))
    return std::nullopt;
  return *lhs * *rhs;
}

AffineExpr LayerAccess::simplify(AffineExpr expr, ArrayRef<int64_t> sizes) {
  IndexBox loops{SmallVector<int64_t>(sizes.size(), 0), SmallVector<int64_t>(sizes)};
  AffineExpr result = expr;
  expr.walk([&](AffineExpr e) { // operands first
    if (e.getKind() != AffineExprKind::FloorDiv && e.getKind() != AffineExprKind::Mod)
      return;
    auto bin = cast<AffineBinaryOpExpr>(e);
    auto divisor = dyn_cast<AffineConstantExpr>(bin.getRHS());
    if (!divisor || divisor.getValue() <= 0)
      return;
    Interval range = rangeOf(bin.getLHS(), loops);
    int64_t quotient = floorDiv(range.min, divisor.getValue());
    if (quotient != floorDiv(range.max, divisor.getValue()))
      return;
    AffineExpr simple = e.getKind() == AffineExprKind::FloorDiv
                            ? getAffineConstantExpr(quotient, e.getContext())
                            : bin.getLHS() - quotient * divisor.getValue();
    result = result.replace(e, simple);
  });
  return simplifyAffineExpr(result, sizes.size(), 0);
}

namespace {
/// Terms of a sum: (dimension, coefficient); fails for anything but sums of scaled dimensions
/// and constants.
bool linearTerms(AffineExpr expr, SmallVectorImpl<std::pair<unsigned, int64_t>> &terms,
                 int64_t factor = 1) {
  if (isa<AffineConstantExpr>(expr))
    return true;
  if (auto d = dyn_cast<AffineDimExpr>(expr)) {
    terms.push_back({d.getPosition(), factor});
    return true;
  }
  auto bin = cast<AffineBinaryOpExpr>(expr);
  if (expr.getKind() == AffineExprKind::Add)
    return linearTerms(bin.getLHS(), terms, factor) && linearTerms(bin.getRHS(), terms, factor);
  auto c = dyn_cast<AffineConstantExpr>(bin.getRHS());
  return expr.getKind() == AffineExprKind::Mul && c &&
         linearTerms(bin.getLHS(), terms, factor * c.getValue());
}

} // namespace

std::optional<unsigned> LayerAccess::loopAlongMemory(const Operand &operand) const {
  SmallVector<std::pair<unsigned, int64_t>> terms;
  if (operand.unused || operand.map.getNumResults() == 0 ||
      !linearTerms(operand.map.getResults().back(), terms))
    return std::nullopt;
  for (auto [loop, factor] : terms)
    if (factor == 1)
      return loop;
  return std::nullopt;
}

bool LayerAccess::reducesAlongMemory() const {
  int64_t steps = 1;
  for (auto [extent, isParallel] : llvm::zip_equal(extents, parallel))
    steps *= isParallel ? 1 : extent;
  bool any = false;
  for (const Operand &in : inputs) {
    if (in.unused || in.map.getNumResults() == 0)
      continue;
    std::optional<unsigned> loop = loopAlongMemory(in);
    if (!loop || parallel[*loop])
      return false;
    any = true;
  }
  // Adding up the lanes in the end has to pay.
  constexpr int64_t leastSteps = 64;
  return any && steps >= leastSteps && !isStructured();
}

namespace {
/// Dimensions under a floordiv or mod can be cut only at multiples of the divisor.
void divisorsOf(AffineExpr expr, SmallVectorImpl<int64_t> &unit) {
  expr.walk([&](AffineExpr e) {
    if (e.getKind() != AffineExprKind::FloorDiv && e.getKind() != AffineExprKind::Mod)
      return;
    auto bin = cast<AffineBinaryOpExpr>(e);
    int64_t divisor = cast<AffineConstantExpr>(bin.getRHS()).getValue();
    bin.getLHS().walk([&](AffineExpr inner) {
      if (auto d = dyn_cast<AffineDimExpr>(inner))
        unit[d.getPosition()] = std::max(unit[d.getPosition()], divisor);
    });
  });
}

/// Decides by the output map (and the divisors of all maps) where each loop may be cut: a tile
/// of the loops must be a box of the output that no other tile touches. `fine`: vectors do not lie
/// along the innermost dimension of the result.
void setGranularity(LayerAccess &a, bool fine) {
  unsigned n = a.numLoops();
  SmallVector<int64_t> unit(n, 1);
  for (const LayerAccess::Operand &in : a.inputs)
    for (AffineExpr e : in.map.getResults())
      divisorsOf(e, unit);
  SmallVector<bool> splittable(n, false);
  unsigned rank = a.outputMap.getNumResults();
  for (auto [i, expr] : llvm::enumerate(a.outputMap.getResults())) {
    divisorsOf(expr, unit);
    SmallVector<std::pair<unsigned, int64_t>> terms;
    if (!linearTerms(expr, terms) || terms.empty())
      continue;
    auto lead = *llvm::max_element(
        terms, [](auto &x, auto &y) { return std::abs(x.second) < std::abs(y.second); });
    // The other terms must fit below the leading one, or tiles would overlap.
    int64_t below = 1;
    for (auto [d, c] : terms)
      if (d != lead.first)
        below += std::abs(c) * (a.extents[d] - 1);
    if (lead.second <= 0 || below > lead.second)
      continue;
    splittable[lead.first] = true;
    // The innermost dimension is cut at whole vectors only, unless vectors lie along a reduction; a
    // block of a blocked layout not at all.
    if (i + 1 == rank && rank > 0 && !(fine && a.parallel[lead.first]))
      unit[lead.first] = std::max<int64_t>(unit[lead.first], 16);
  }
  for (unsigned d = 0; d < n; ++d)
    a.granularity.push_back(splittable[d] && a.parallel[d] ? std::min(unit[d], a.extents[d])
                                                           : a.extents[d]);
}

/// Whether the body needs the number itself, not only as a part of where tensor.extract reads.
bool isComputedWith(Value index) {
  return llvm::any_of(index.getUsers(), [](Operation *user) {
    if (isa<tensor::ExtractOp>(user))
      return false;
    if (user->getNumResults() != 1 || !affineIndex(user->getResult(0)))
      return true;
    return isComputedWith(user->getResult(0));
  });
}

/// The outermost reduction of a sum in fp32 that may be computed in parts: it only ever moves
/// operands by whole steps. None if the op is not such a sum, or one of a single element: its parts
/// would lie side by side in one vector.
std::optional<unsigned> divisibleSum(linalg::GenericOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getResultTypes()[0]);
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (op.getNumDpsInits() != 1 || !type || type.getRank() == 0 || !type.getElementType().isF32() ||
      !fill || !matchPattern(fill.getInputs()[0], m_AnyZeroFloat()))
    return std::nullopt;
  BlockArgument sum = op.getMatchingBlockArgument(op.getDpsInitOperand(0));
  auto add = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  // Of an index that says where to read, the part can be told apart; others have to stay.
  auto computes = [](linalg::IndexOp index) {
    return isComputedWith(index) ? WalkResult::interrupt() : WalkResult::advance();
  };
  if (!add || !sum.hasOneUse() || *sum.getUsers().begin() != add ||
      op.getRegion().walk(computes).wasInterrupted())
    return std::nullopt;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (kind != utils::IteratorType::reduction || op.getStaticLoopRanges()[loop] < 2)
      continue;
    bool linear = true;
    for (AffineMap map : op.getIndexingMapsArray())
      for (AffineExpr expr : map.getResults()) {
        SmallVector<std::pair<unsigned, int64_t>> terms;
        linear &= !expr.isFunctionOfDim(loop) || linearTerms(expr, terms);
      }
    if (linear)
      return loop;
  }
  return std::nullopt;
}

/// Adds the tensor that the body reads elements of.
void addCaptured(tensor::ExtractOp extract, linalg::GenericOp op, Block &body, LayerAccess &a) {
  auto arg = dyn_cast<BlockArgument>(extract.getTensor());
  LayerAccess::Operand operand;
  operand.layerOperand = arg && arg.getOwner() == &body ? int(arg.getArgNumber()) : -1;
  operand.rootOperand = ~0u;
  operand.type = cast<RankedTensorType>(extract.getTensor().getType());
  operand.unused = false;
  operand.captured = true;
  SmallVector<AffineExpr> results;
  for (Value index : extract.getIndices()) {
    std::optional<AffineExpr> expr = affineIndex(index);
    operand.whole.push_back(!expr);
    results.push_back(expr ? *expr : getAffineConstantExpr(0, op.getContext()));
  }
  operand.map = AffineMap::get(op.getNumLoops(), 0, results, op.getContext());
  // Of equal accesses one will do.
  for (const LayerAccess::Operand &other : a.inputs)
    if (other.captured && other.layerOperand == operand.layerOperand && other.map == operand.map &&
        other.whole == operand.whole)
      return;
  a.inputs.push_back(std::move(operand));
}

LogicalResult analyzeGeneric(linalg::GenericOp op, Block &body, LayerAccess &a) {
  for (auto type : op.getIteratorTypesArray())
    a.parallel.push_back(type == utils::IteratorType::parallel);
  a.extents = op.getStaticLoopRanges();
  for (int64_t e : a.extents)
    if (ShapedType::isDynamic(e))
      return op.emitError("has a loop whose extent is not known at compile time");
  for (auto [i, operand] : llvm::enumerate(op.getDpsInputs())) {
    auto arg = dyn_cast<BlockArgument>(operand);
    int index = arg && arg.getOwner() == &body ? int(arg.getArgNumber()) : -1;
    bool unused = op.getMatchingBlockArgument(op.getDpsInputOperand(i)).use_empty();
    a.inputs.push_back({index, unsigned(i), op.getIndexingMapsArray()[i],
                        cast<RankedTensorType>(operand.getType()), unused});
  }
  op.getRegion().walk([&](tensor::ExtractOp extract) { addCaptured(extract, op, body, a); });
  a.outputMap = op.getIndexingMapsArray().back();
  a.outputType = cast<RankedTensorType>(op.getResult(0).getType());
  a.indexRead.assign(a.numLoops(), false);
  IndexBounds bounds = findIndexBounds(op);
  op.getRegion().walk([&](linalg::IndexOp index) {
    a.indexRead[index.getDim()] = a.indexRead[index.getDim()] ||
                                  (!bounds.onlyForBounds.contains(index) && isComputedWith(index));
  });
  a.bounds = std::move(bounds.bounds);
  return success();
}

/// The loops of dojo.conv: n, fo, y, x, f2, f4 (parallel), kh, kw, cq, c4 (reduction); with more
/// than one part these follow (parallel).
void analyzeConv(ConvOp op, Block &body, LayerAccess &a) {
  MLIRContext *ctx = op.getContext();
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  auto out = cast<RankedTensorType>(op->getResult(0).getType());
  int64_t parts = op.getParts();
  unsigned loops = parts > 1 ? 11 : 10;
  SmallVector<AffineExpr> d;
  for (unsigned i = 0; i < loops; ++i)
    d.push_back(getAffineDimExpr(i, ctx));
  ArrayRef<int64_t> os = out.getShape(), ws = weight.getShape();
  int64_t images = os[0] / parts, groups = ws[3] / parts;
  a.extents = {images, ws[0], os[2], os[3], 2, 4, ws[1], ws[2], groups, 4};
  a.parallel = {true, true, true, true, true, true, false, false, false, false};
  AffineExpr image = d[0], group = d[8];
  if (parts > 1) {
    a.extents.push_back(parts);
    a.parallel.push_back(true);
    image = d[10] * images + d[0];
    group = d[10] * groups + d[8];
  }
  a.indexRead.assign(loops, false);
  ArrayRef<int64_t> s = op.getStrides(), dil = op.getDilations();
  auto map = [&](ArrayRef<AffineExpr> results) { return AffineMap::get(loops, 0, results, ctx); };
  AffineExpr fq = d[1] * 2 + d[4];
  auto add = [&](Value value, AffineMap m, unsigned rootOperand) {
    auto arg = dyn_cast<BlockArgument>(value);
    int index = arg && arg.getOwner() == &body ? int(arg.getArgNumber()) : -1;
    a.inputs.push_back({index, rootOperand, m, cast<RankedTensorType>(value.getType()), false});
  };
  add(op.getInput(),
      map({d[0], group, d[2] * s[0] + d[6] * dil[0], d[3] * s[1] + d[7] * dil[1], d[9]}), 0);
  add(op.getWeight(), map({d[1], d[6], d[7], group, d[4] * 4 + d[5], d[9]}), 1);
  SmallVector<AffineExpr> outIndex{image, fq, d[2], d[3], d[5]};
  SmallVector<AffineMap> extraMaps = op.getExtraMapValues();
  for (auto [i, extra] : llvm::enumerate(op.getExtras()))
    add(extra, extraMaps[i].replaceDimsAndSymbols(outIndex, {}, loops, 0), 2 + i);
  a.outputMap = map(outIndex);
  a.outputType = out;
}
} // namespace

static void assignSlots(LayerAccess &a) {
  for (auto [i, in] : llvm::enumerate(a.inputs)) {
    auto *same = llvm::find_if(ArrayRef(a.inputs).take_front(i), [&, &in = in](auto &other) {
      return in.layerOperand >= 0 && other.layerOperand == in.layerOperand &&
             other.unused == in.unused;
    });
    in.slot = same == a.inputs.begin() + i ? a.numSlots++ : same->slot;
  }
}

bool mlir::dojo::isStorable(Type element) {
  return isa<IntegerType, FloatType>(element) && element.getIntOrFloatBitWidth() <= 64;
}

FailureOr<LayerAccess> mlir::dojo::analyzeLayer(LayerOp layer) {
  Block &body = layer.getBody().front();
  LayerAccess a;
  a.root = layer.getRoot();
  if (layer->getNumResults() != 1)
    return layer.emitError("has ") << layer->getNumResults() << " results; placed layers have one";
  for (Type type : llvm::concat<const Type>(TypeRange(layer->getOperandTypes()),
                                            TypeRange(layer->getResultTypes())))
    if (Type element = getElementTypeOrSelf(type); !isStorable(element))
      return layer.emitError("has elements of type ") << element << ", which memory does not hold";
  if (auto generic = dyn_cast<linalg::GenericOp>(a.root)) {
    if (failed(analyzeGeneric(generic, body, a)))
      return failure();
    // Partial results are cut as they were computed.
    setGranularity(a, a.reducesAlongMemory() || layer->hasAttr("dojo.fine"));
    if (std::optional<unsigned> loop = divisibleSum(generic))
      a.granularity[*loop] = 1;
  } else {
    analyzeConv(cast<ConvOp>(a.root), body, a);
    // Whole pairs of channel quads, rows, and blocks of eight pixels of a row. Sums may be cut by
    // channel groups, once.
    bool whole = a.numLoops() == 10;
    a.granularity = {1,
                     1,
                     1,
                     std::min<int64_t>(8, a.extents[3]),
                     2,
                     4,
                     a.extents[6],
                     a.extents[7],
                     whole ? 1 : a.extents[8],
                     4};
    if (!whole)
      a.granularity.push_back(1);
  }
  assignSlots(a);
  if (auto units = layer->getAttrOfType<DenseI64ArrayAttr>("dojo.units"))
    for (auto [granularity, unit] : llvm::zip(a.granularity, units.asArrayRef()))
      granularity = std::lcm(granularity, std::max<int64_t>(unit, 1));
  return a;
}
