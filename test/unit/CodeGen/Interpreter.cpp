// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Interpreter.h"

#include "dialects/Dojo/DojoDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <bit>
#include <cmath>
#include <cstring>

using namespace mlir;

namespace dojo::test {

int64_t bytesOf(Type t) { return t.isIndex() ? 8 : (t.getIntOrFloatBitWidth() + 7) / 8; }

static const llvm::fltSemantics &semanticsOf(Type t) {
  return cast<FloatType>(t).getFloatSemantics();
}

/// Rounds to the type, to nearest even.
static double roundTo(Type t, double v) {
  if (t.isF64() || t.isF32())
    return t.isF64() ? v : float(v);
  llvm::APFloat f(v);
  bool lost;
  f.convert(semanticsOf(t), llvm::APFloat::rmNearestTiesToEven, &lost);
  f.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &lost);
  return f.convertToDouble();
}

static uint64_t readBits(const std::vector<uint8_t> &memory, int64_t address, int64_t bytes) {
  uint64_t bits = 0;
  std::memcpy(&bits, memory.data() + address, bytes);
  return bits;
}

namespace {
/// A scalar: a float as a double, an integer as its sign-extended value (i1: 0 or 1).
struct Scalar {
  double f = 0;
  int64_t i = 0;
};
} // namespace

static int64_t wrap(Type t, int64_t v) {
  unsigned bits = t.isIndex() ? 64 : t.getIntOrFloatBitWidth();
  if (bits == 1)
    return v & 1;
  return bits >= 64 ? v : int64_t(uint64_t(v) << (64 - bits)) >> (64 - bits);
}

static uint64_t asUnsigned(Type t, int64_t v) {
  unsigned bits = t.isIndex() ? 64 : t.getIntOrFloatBitWidth();
  return bits >= 64 ? uint64_t(v) : uint64_t(v) & ((uint64_t(1) << bits) - 1);
}

static Scalar readScalar(const std::vector<uint8_t> &memory, int64_t address, Type t) {
  uint64_t bits = readBits(memory, address, bytesOf(t));
  Scalar s;
  if (t.isF32() || t.isBF16()) {
    s.f = std::bit_cast<float>(uint32_t(t.isF32() ? bits : bits << 16));
  } else if (mlir::isa<FloatType>(t)) {
    llvm::APFloat f(semanticsOf(t), llvm::APInt(t.getIntOrFloatBitWidth(), bits));
    bool lost;
    f.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &lost);
    s.f = f.convertToDouble();
  } else {
    s.i = wrap(t, int64_t(bits));
  }
  return s;
}

static void writeScalar(std::vector<uint8_t> &memory, int64_t address, Type t, Scalar s) {
  uint64_t bits = uint64_t(s.i);
  if (mlir::isa<FloatType>(t)) {
    llvm::APFloat f(s.f);
    bool lost;
    f.convert(semanticsOf(t), llvm::APFloat::rmNearestTiesToEven, &lost);
    bits = f.bitcastToAPInt().getZExtValue();
  }
  std::memcpy(memory.data() + address, &bits, bytesOf(t));
}

double readNumber(const std::vector<uint8_t> &memory, int64_t address, Type t) {
  Scalar s = readScalar(memory, address, t);
  return mlir::isa<FloatType>(t) ? s.f : double(s.i);
}

void writeNumber(std::vector<uint8_t> &memory, int64_t address, Type t, double value) {
  writeScalar(memory, address, t, {value, int64_t(mlir::isa<FloatType>(t) ? 0 : value)});
}

std::vector<int64_t> elementOffsets(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  (void)type.getStridesAndOffset(strides, offset);
  std::vector<int64_t> offsets{offset};
  for (auto [size, stride] : llvm::zip(type.getShape(), strides)) {
    std::vector<int64_t> next;
    for (int64_t o : offsets)
      for (int64_t i = 0; i < size; ++i)
        next.push_back(o + i * stride);
    offsets = std::move(next);
  }
  return offsets;
}

namespace {

class Interpreter {
public:
  Interpreter(std::vector<uint8_t> &memory) : memory(memory) {}

  void run(func::FuncOp kernel) {
    for (Operation &op : kernel.getBody().front()) {
      if (auto fill = dyn_cast<linalg::FillOp>(op)) {
        auto type = cast<MemRefType>(fill.output().getType());
        for (int64_t o : elementOffsets(type))
          writeScalar(memory, base(fill.output()) + o * bytesOf(type.getElementType()),
                      type.getElementType(), constant(fill.value()));
      } else if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
        runGeneric(generic);
      } else if (auto conv = dyn_cast<mlir::dojo::ConvOp>(op)) {
        runConv(conv);
      } else if (!mlir::isa<func::ReturnOp, arith::ConstantOp, memref::SubViewOp>(op)) {
        ADD_FAILURE() << "the interpreter does not know " << op.getName().getStringRef().str();
      }
    }
  }

private:
  int64_t base(Value memref) {
    while (auto view = memref.getDefiningOp<memref::SubViewOp>())
      memref = view.getSource();
    auto arg = cast<BlockArgument>(memref);
    auto func = cast<func::FuncOp>(arg.getOwner()->getParentOp());
    return func.getArgAttrOfType<IntegerAttr>(arg.getArgNumber(), "dojo.address").getInt();
  }

  /// Byte address of the first element, then the bytes of a step in each dimension.
  const SmallVector<int64_t> &placeOf(Value memref) {
    SmallVector<int64_t> &known = places[memref];
    if (known.empty()) {
      auto type = cast<MemRefType>(memref.getType());
      SmallVector<int64_t> strides;
      int64_t offset, bytes = bytesOf(type.getElementType());
      (void)type.getStridesAndOffset(strides, offset);
      known.push_back(base(memref) + offset * bytes);
      for (int64_t s : strides)
        known.push_back(s * bytes);
    }
    return known;
  }

  int64_t elementAddress(Value memref, ArrayRef<int64_t> index) {
    const SmallVector<int64_t> &place = placeOf(memref);
    int64_t address = place[0];
    for (unsigned d = 0; d < index.size(); ++d)
      address += index[d] * place[d + 1];
    return address;
  }

  static Scalar constant(Value v) {
    auto attr = cast<arith::ConstantOp>(v.getDefiningOp()).getValue();
    Scalar s;
    if (auto f = dyn_cast<FloatAttr>(attr))
      s.f = f.getValueAsDouble();
    else
      s.i = wrap(attr.getType(), cast<IntegerAttr>(attr).getInt());
    return s;
  }

  Scalar get(Value v) {
    auto it = values.find(v);
    return it != values.end() ? it->second : constant(v);
  }

  void runGeneric(linalg::GenericOp op) {
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    SmallVector<int64_t> point(extents.size(), 0);
    for (int64_t e : extents)
      if (e == 0)
        return;
    while (true) {
      for (OpOperand &operand : op->getOpOperands()) {
        BlockArgument arg = op.getBody()->getArgument(operand.getOperandNumber());
        auto type = dyn_cast<MemRefType>(operand.get().getType());
        values[arg] = type ? readScalar(memory, place(op, operand, point), type.getElementType())
                           : constant(operand.get());
      }
      for (Operation &inner : op.getBody()->without_terminator())
        evaluate(&inner, point);
      for (OpOperand &operand : op.getDpsInitsMutable()) {
        unsigned i = operand.getOperandNumber() - op.getNumDpsInputs();
        writeScalar(memory, place(op, operand, point),
                    cast<MemRefType>(operand.get().getType()).getElementType(),
                    get(op.getBody()->getTerminator()->getOperand(i)));
      }
      int d = int(point.size()) - 1;
      while (d >= 0 && ++point[d] == extents[d])
        point[d--] = 0;
      if (d < 0)
        return;
    }
  }

  int64_t place(linalg::GenericOp op, OpOperand &operand, ArrayRef<int64_t> point) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    return elementAddress(operand.get(), map.compose(point));
  }

  double convSum(mlir::dojo::ConvOp op, ArrayRef<int64_t> in, ArrayRef<int64_t> w,
                 std::array<int64_t, 5> out) {
    auto [n, fq, y, x, f4] = out;
    ArrayRef<int64_t> ws = op.getWeightType().getShape();
    auto bf16 = [&](int64_t address) {
      return std::bit_cast<float>(uint32_t(readBits(memory, address, 2) << 16));
    };
    double sum = 0;
    for (int64_t kh = 0; kh < ws[1]; ++kh)
      for (int64_t kw = 0; kw < ws[2]; ++kw)
        for (int64_t cq = 0; cq < ws[3]; ++cq)
          for (int64_t c4 = 0; c4 < 4; ++c4) {
            int64_t iy = y * op.getStrides()[0] + kh * op.getDilations()[0];
            int64_t ix = x * op.getStrides()[1] + kw * op.getDilations()[1];
            int64_t a = in[0] + n * in[1] + cq * in[2] + iy * in[3] + ix * in[4] + c4 * in[5];
            int64_t b = w[0] + fq / 2 * w[1] + kh * w[2] + kw * w[3] + cq * w[4] +
                        (4 * (fq % 2) + f4) * w[5] + c4 * w[6];
            sum += double(bf16(a)) * double(bf16(b));
          }
    return sum;
  }

  void runConv(mlir::dojo::ConvOp op) {
    ArrayRef<int64_t> os = op.getInitType().getShape();
    Type outType = op.getInitType().getElementType();
    SmallVector<int64_t> in = placeOf(op.getInput()), w = placeOf(op.getWeight());
    Block &body = op.getEpilogue().front();
    for (int64_t n = 0; n < os[0]; ++n)
      for (int64_t fq = 0; fq < os[1]; ++fq)
        for (int64_t y = 0; y < os[2]; ++y)
          for (int64_t x = 0; x < os[3]; ++x)
            for (int64_t f4 = 0; f4 < 4; ++f4) {
              double sum = convSum(op, in, w, {n, fq, y, x, f4});
              values[body.getArgument(0)] = {sum, 0};
              for (auto [i, extra] : llvm::enumerate(op.getExtras())) {
                SmallVector<int64_t> index = op.getExtraMapValues()[i].compose({n, fq, y, x, f4});
                values[body.getArgument(i + 1)] =
                    readScalar(memory, elementAddress(extra, index),
                               cast<MemRefType>(extra.getType()).getElementType());
              }
              for (Operation &inner : body.without_terminator())
                evaluate(&inner, {});
              writeScalar(memory, elementAddress(op.getInit(), {n, fq, y, x, f4}), outType,
                          get(body.getTerminator()->getOperand(0)));
            }
  }

  void evaluate(Operation *op, ArrayRef<int64_t> point);

  std::vector<uint8_t> &memory;
  DenseMap<Value, Scalar> values;
  DenseMap<Value, SmallVector<int64_t>> places;
};

} // namespace

static bool holds(arith::CmpFPredicate p, double a, double b) {
  bool unordered = std::isnan(a) || std::isnan(b);
  switch (p) {
  case arith::CmpFPredicate::AlwaysFalse:
    return false;
  case arith::CmpFPredicate::OEQ:
    return a == b;
  case arith::CmpFPredicate::OGT:
    return a > b;
  case arith::CmpFPredicate::OGE:
    return a >= b;
  case arith::CmpFPredicate::OLT:
    return a < b;
  case arith::CmpFPredicate::OLE:
    return a <= b;
  case arith::CmpFPredicate::ONE:
    return !unordered && a != b;
  case arith::CmpFPredicate::ORD:
    return !unordered;
  case arith::CmpFPredicate::UEQ:
    return unordered || a == b;
  case arith::CmpFPredicate::UGT:
    return unordered || a > b;
  case arith::CmpFPredicate::UGE:
    return unordered || a >= b;
  case arith::CmpFPredicate::ULT:
    return unordered || a < b;
  case arith::CmpFPredicate::ULE:
    return unordered || a <= b;
  case arith::CmpFPredicate::UNE:
    return unordered || a != b;
  case arith::CmpFPredicate::UNO:
    return unordered;
  case arith::CmpFPredicate::AlwaysTrue:
    return true;
  }
  return false;
}

static bool holds(arith::CmpIPredicate p, Type t, int64_t a, int64_t b) {
  uint64_t ua = asUnsigned(t, a), ub = asUnsigned(t, b);
  int64_t sa = t.isInteger(1) ? -a : a, sb = t.isInteger(1) ? -b : b;
  switch (p) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
    return sa < sb;
  case arith::CmpIPredicate::sle:
    return sa <= sb;
  case arith::CmpIPredicate::sgt:
    return sa > sb;
  case arith::CmpIPredicate::sge:
    return sa >= sb;
  case arith::CmpIPredicate::ult:
    return ua < ub;
  case arith::CmpIPredicate::ule:
    return ua <= ub;
  case arith::CmpIPredicate::ugt:
    return ua > ub;
  case arith::CmpIPredicate::uge:
    return ua >= ub;
  }
  return false;
}

/// NaN if either is, -0 below +0.
static double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return NAN;
  if (a == b)
    return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

static int64_t floorDiv(int64_t a, int64_t b) {
  int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

void Interpreter::evaluate(Operation *op, ArrayRef<int64_t> point) {
  Type t = op->getResult(0).getType();
  auto a = [&](unsigned i) { return get(op->getOperand(i)); };
  auto from = [&] { return op->getOperand(0).getType(); };
  bool known = true;
  Scalar r;
  auto number = [&](double v) { r.f = roundTo(t, v); };
  auto integer = [&](int64_t v) { r.i = wrap(t, v); };
  TypeSwitch<Operation *>(op)
      .Case([&](linalg::IndexOp o) { integer(point[o.getDim()]); })
      .Case([&](arith::ConstantOp o) { r = constant(o); })
      .Case([&](memref::LoadOp o) {
        SmallVector<int64_t> index;
        for (Value v : o.getIndices())
          index.push_back(get(v).i);
        r = readScalar(memory, elementAddress(o.getMemRef(), index), t);
      })
      .Case([&](arith::AddFOp) { number(a(0).f + a(1).f); })
      .Case([&](arith::SubFOp) { number(a(0).f - a(1).f); })
      .Case([&](arith::MulFOp) { number(a(0).f * a(1).f); })
      .Case([&](arith::DivFOp) { number(a(0).f / a(1).f); })
      .Case([&](arith::RemFOp) { number(std::fmod(a(0).f, a(1).f)); })
      .Case([&](arith::NegFOp) { number(-a(0).f); })
      .Case([&](arith::MaximumFOp) { number(maximum(a(0).f, a(1).f)); })
      .Case([&](arith::MinimumFOp) { number(-maximum(-a(0).f, -a(1).f)); })
      .Case([&](arith::MaxNumFOp) { number(std::fmax(a(0).f, a(1).f)); })
      .Case([&](arith::MinNumFOp) { number(std::fmin(a(0).f, a(1).f)); })
      .Case([&](arith::CmpFOp o) { r.i = holds(o.getPredicate(), a(0).f, a(1).f); })
      .Case([&](arith::CmpIOp o) { r.i = holds(o.getPredicate(), from(), a(0).i, a(1).i); })
      .Case([&](arith::SelectOp) { r = a(0).i ? a(1) : a(2); })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) { number(a(0).f); })
      .Case<arith::ExtSIOp, arith::TruncIOp, arith::IndexCastOp>(
          [&](auto) { integer(from().isInteger(1) ? -a(0).i : a(0).i); })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp>(
          [&](auto) { integer(int64_t(asUnsigned(from(), a(0).i))); })
      .Case([&](arith::SIToFPOp) {
        r.f = from().isInteger(1) ? -double(a(0).i) : double(a(0).i);
        // From 64 bits in one rounding: a double does not hold all of them.
        r.f = t.isF32() ? double(float(a(0).i) * (from().isInteger(1) ? -1 : 1)) : roundTo(t, r.f);
      })
      .Case([&](arith::UIToFPOp) { number(double(float(asUnsigned(from(), a(0).i)))); })
      .Case<arith::FPToSIOp, arith::FPToUIOp>([&](auto) { integer(int64_t(a(0).f)); })
      .Case([&](arith::BitcastOp) {
        std::vector<uint8_t> bytes(8);
        writeScalar(bytes, 0, from(), a(0));
        r = readScalar(bytes, 0, t);
      })
      .Case([&](arith::AddIOp) { integer(int64_t(uint64_t(a(0).i) + uint64_t(a(1).i))); })
      .Case([&](arith::SubIOp) { integer(int64_t(uint64_t(a(0).i) - uint64_t(a(1).i))); })
      .Case([&](arith::MulIOp) { integer(int64_t(uint64_t(a(0).i) * uint64_t(a(1).i))); })
      .Case([&](arith::AndIOp) { integer(a(0).i & a(1).i); })
      .Case([&](arith::OrIOp) { integer(a(0).i | a(1).i); })
      .Case([&](arith::XOrIOp) { integer(a(0).i ^ a(1).i); })
      .Case([&](arith::ShLIOp) { integer(int64_t(uint64_t(a(0).i) << a(1).i)); })
      .Case([&](arith::ShRSIOp) { integer(a(0).i >> a(1).i); })
      .Case([&](arith::ShRUIOp) { integer(int64_t(asUnsigned(t, a(0).i) >> a(1).i)); })
      .Case([&](arith::MinSIOp) { integer(std::min(a(0).i, a(1).i)); })
      .Case([&](arith::MaxSIOp) { integer(std::max(a(0).i, a(1).i)); })
      .Case([&](arith::MinUIOp) {
        integer(int64_t(std::min(asUnsigned(t, a(0).i), asUnsigned(t, a(1).i))));
      })
      .Case([&](arith::MaxUIOp) {
        integer(int64_t(std::max(asUnsigned(t, a(0).i), asUnsigned(t, a(1).i))));
      })
      .Case([&](arith::DivSIOp) { integer(a(0).i / a(1).i); })
      .Case([&](arith::RemSIOp) { integer(a(0).i % a(1).i); })
      .Case(
          [&](arith::DivUIOp) { integer(int64_t(asUnsigned(t, a(0).i) / asUnsigned(t, a(1).i))); })
      .Case(
          [&](arith::RemUIOp) { integer(int64_t(asUnsigned(t, a(0).i) % asUnsigned(t, a(1).i))); })
      .Case([&](arith::FloorDivSIOp) { integer(floorDiv(a(0).i, a(1).i)); })
      .Case([&](arith::CeilDivSIOp) { integer(-floorDiv(-a(0).i, a(1).i)); })
      .Case([&](math::AbsFOp) { number(std::fabs(a(0).f)); })
      .Case([&](math::AbsIOp) { integer(std::abs(a(0).i)); })
      .Case([&](math::CeilOp) { number(std::ceil(a(0).f)); })
      .Case([&](math::FloorOp) { number(std::floor(a(0).f)); })
      .Case([&](math::TruncOp) { number(std::trunc(a(0).f)); })
      .Case([&](math::RoundOp) { number(std::round(a(0).f)); })
      .Case([&](math::RoundEvenOp) { number(std::nearbyint(a(0).f)); })
      .Case([&](math::CopySignOp) { number(std::copysign(a(0).f, a(1).f)); })
      .Case([&](math::FmaOp) { number(std::fma(a(0).f, a(1).f, a(2).f)); })
      .Case([&](math::SqrtOp) { number(std::sqrt(a(0).f)); })
      .Case([&](math::RsqrtOp) { number(1 / std::sqrt(a(0).f)); })
      .Case([&](math::ExpOp) { number(std::exp(a(0).f)); })
      .Case([&](math::Exp2Op) { number(std::exp2(a(0).f)); })
      .Case([&](math::ExpM1Op) { number(std::expm1(a(0).f)); })
      .Case([&](math::LogOp) { number(std::log(a(0).f)); })
      .Case([&](math::Log2Op) { number(std::log2(a(0).f)); })
      .Case([&](math::Log10Op) { number(std::log10(a(0).f)); })
      .Case([&](math::Log1pOp) { number(std::log1p(a(0).f)); })
      .Case([&](math::TanhOp) { number(std::tanh(a(0).f)); })
      .Case([&](math::ErfOp) { number(std::erf(a(0).f)); })
      .Case([&](math::ErfcOp) { number(std::erfc(a(0).f)); })
      .Case([&](math::SinOp) { number(std::sin(a(0).f)); })
      .Case([&](math::CosOp) { number(std::cos(a(0).f)); })
      .Case([&](math::TanOp) { number(std::tan(a(0).f)); })
      .Case([&](math::AtanOp) { number(std::atan(a(0).f)); })
      .Case([&](math::AsinOp) { number(std::asin(a(0).f)); })
      .Case([&](math::AcosOp) { number(std::acos(a(0).f)); })
      .Case([&](math::SinhOp) { number(std::sinh(a(0).f)); })
      .Case([&](math::CoshOp) { number(std::cosh(a(0).f)); })
      .Case([&](math::CbrtOp) { number(std::cbrt(a(0).f)); })
      .Case([&](math::PowFOp) { number(std::pow(a(0).f, a(1).f)); })
      .Case([&](math::IsNaNOp) { r.i = std::isnan(a(0).f); })
      .Case([&](math::IsInfOp) { r.i = std::isinf(a(0).f); })
      .Default([&](Operation *) { known = false; });
  if (!known)
    ADD_FAILURE() << "the interpreter does not know " << op->getName().getStringRef().str();
  values[op->getResult(0)] = r;
}

void interpret(func::FuncOp kernel, std::vector<uint8_t> &memory) {
  Interpreter(memory).run(kernel);
}

} // namespace dojo::test
