// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Preparation of features and linear models (ai.onnx.ml).

#include "Reduce.h"
#include "Scores.h"
#include "Take.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {
namespace {

/// 1 above the threshold, else 0.
LogicalResult binarizer(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  const ElemClass kind = l.node.info(0).kind;
  const double threshold = l.node.floatAttr("threshold", 0.0f);
  return l.set(l.b.elementwise(
      dims, l.resultElement(), l.operand(0, dims), [&](OpBuilder &b, Location loc, ValueRange v) {
        Scalars f(b, loc, ElemClass::Float), s(b, loc, kind);
        Value x = castScalar(b, loc, v[0], l.node.elem(0), TensorProto::FLOAT);
        Value above = f.less(f.constant(x.getType(), threshold), x);
        return s.select(above, s.constant(v[0].getType(), 1), s.constant(v[0].getType(), 0));
      }));
}

/// `values` as operand: one for all features, or one for each. Nothing after l.fail.
std::optional<Operand> perFeature(Lowering &l, ArrayRef<float> values) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  const int64_t features = dims.empty() ? 1 : dims.back();
  if (values.size() == 1)
    return Operand{{}, {}, scalarAttr(l.b.getF32Type(), double(values[0]))};
  if (int64_t(values.size()) != features) {
    (void)l.fail("there must be one value, or one for each feature");
    return std::nullopt;
  }
  return l.constantOperand(Constant::ofFloats(values, {features}), dims, int64_t(dims.size()) - 1);
}

/// (x - offset) * scale.
LogicalResult scaler(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  SmallVector<float> offsets = floatsAttr(l.node, "offset"), scales = floatsAttr(l.node, "scale");
  if (offsets.empty())
    offsets = {0};
  if (scales.empty())
    scales = {1};
  auto offset = perFeature(l, offsets), scale = perFeature(l, scales);
  if (!offset || !scale)
    return failure();
  return l.set(l.b.elementwise(dims, l.resultElement(), {l.operand(0, dims), *offset, *scale},
                               [&](OpBuilder &b, Location loc, ValueRange v) {
                                 Scalars s(b, loc, ElemClass::Float);
                                 Value x =
                                     castScalar(b, loc, v[0], l.node.elem(0), TensorProto::FLOAT);
                                 return s.mul(s.sub(x, v[1]), v[2]);
                               }));
}

/// Other values in place of one that stands for those missing.
LogicalResult imputer(Lowering &l) {
  ArrayRef<int64_t> dims = l.node.dims(0);
  const ElemInfo info = l.node.info(0);
  Type element = l.resultElement();
  Operand imputed;
  if (info.kind == ElemClass::Float) {
    auto operand = perFeature(l, floatsAttr(l.node, "imputed_value_floats"));
    if (!operand)
      return failure();
    imputed = *operand;
  } else {
    SmallVector<int64_t> values = intsOf(l.node, "imputed_value_int64s");
    const int64_t features = dims.empty() ? 1 : dims.back();
    if (values.size() != 1 && int64_t(values.size()) != features)
      return l.fail("there must be one value, or one for each feature");
    std::string bytes;
    for (int64_t value : values)
      appendElement(bytes, l.node.elem(0), value);
    imputed = values.size() == 1 ? Operand{{}, {}, scalarAttr(element, values[0])}
                                 : l.constantOperand(Constant({l.node.elem(0), {features}}, bytes),
                                                     dims, int64_t(dims.size()) - 1);
  }
  const float marker = l.node.floatAttr("replaced_value_float", 0.0f);
  const int64_t integer = l.node.intAttr("replaced_value_int64", 0);
  return l.set(l.b.elementwise(
      dims, element, {l.operand(0, dims), imputed}, [&](OpBuilder &b, Location loc, ValueRange v) {
        Scalars s(b, loc, info.kind);
        Value missing;
        if (info.kind != ElemClass::Float)
          missing =
              s.equal(v[0], arith::ConstantOp::create(b, loc, scalarAttr(v[0].getType(), integer)));
        else if (std::isnan(marker))
          missing = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, v[0], v[0]);
        else
          missing = s.equal(v[0], s.constant(v[0].getType(), marker));
        return s.select(missing, v[1], v[0]);
      }));
}

/// Each row divided by its norm, if that is not 0.
LogicalResult normalizer(Lowering &l) {
  TensorBuilder &b = l.b;
  Value x = featureRows(l);
  if (!x)
    return failure();
  StringRef norm = l.node.stringAttr("norm", "MAX");
  if (norm != "MAX" && norm != "L1" && norm != "L2")
    return l.fail("the norm '" + norm + "' is not supported");
  Dims dims(TensorBuilder::dimsOf(x));
  Type type = b.getF32Type();
  const ElemClass kind = ElemClass::Float;
  auto map = [&](Scalars &s, ValueRange v) -> Value {
    return norm == "MAX" ? v[0] : norm == "L1" ? s.abs(v[0]) : s.mul(v[0], v[0]);
  };
  TypedAttr init = norm == "MAX" ? extremeAttr(type, false, false) : scalarAttr(type, int64_t(0));
  Value size =
      reduceBy(b, kind, dims, {1}, b.broadcast(x, dims), init, map, norm == "MAX" ? maxOf : sumOf);
  if (norm == "L2")
    size = mapElements(b, kind, size,
                       [](Scalars &s, ValueRange v) { return s.math<math::SqrtOp>(v[0]); });
  Value result =
      b.elementwise(dims, type, {b.broadcast(x, dims), b.along(size, {0}, 2)},
                    [&](OpBuilder &ob, Location loc, ValueRange v) {
                      Scalars s(ob, loc, kind);
                      return s.select(s.equal(v[1], s.constant(type, 0)), v[0], s.div(v[0], v[1]));
                    });
  return l.set(b.reshape(result, l.resultDims()));
}

/// Rows of several operands side by side, cut or filled with zeros to the dimensions asked for.
LogicalResult featureVectorizer(Lowering &l) {
  TensorBuilder &b = l.b;
  SmallVector<int64_t> sizes = intsOf(l.node, "inputdimensions");
  if (sizes.size() != l.node.inputs.size())
    return l.fail("there must be one dimension for each operand");
  SmallVector<Value> parts;
  for (auto [i, size] : enumerate(sizes)) {
    if (!l.node.has(i) || l.node.rank(i) != 2 || size < 0)
      return l.fail("the operands must be matrices");
    ArrayRef<int64_t> dims = l.node.dims(i);
    Value x = b.elementwise(dims, b.getF32Type(), l.operand(i, dims),
                            [&](OpBuilder &ob, Location loc, ValueRange v) {
                              return castScalar(ob, loc, v[0], l.node.elem(i), TensorProto::FLOAT);
                            });
    x = sliceAlong(b, x, 1, 0, std::min(size, dims[1]));
    parts.push_back(b.pad(x, {0, 0}, {0, std::max<int64_t>(size - dims[1], 0)},
                          scalarAttr(b.getF32Type(), int64_t(0))));
  }
  return l.set(b.concat(parts, 1));
}

/// Elements along the last dimension, chosen by the second operand.
LogicalResult arrayFeatureExtractor(Lowering &l) {
  TensorBuilder &b = l.b;
  Dims dims(l.node.dims(0));
  auto count = elementCount(l.node.dims(1));
  if (dims.empty() || !count || dims.back() == 0)
    return l.fail("there is nothing to choose from");
  Value indices = b.reshape(l.in(1), {*count});
  const int64_t last = int64_t(dims.size()) - 1;
  Dims out(dims);
  out[last] = *count;
  Value chosen = select(l, l.in(0), last, 1, b.along(indices, {last}, dims.size()), out);
  return l.set(b.reshape(chosen, l.resultDims()));
}

/// A number for each key; another for what is no key. NaN is a key like others.
LogicalResult labelEncoder(Lowering &l) {
  TensorBuilder &b = l.b;
  const int32_t from = l.node.elem(0), to = l.node.outputs[0].elem;
  auto numbers = [&](StringRef base, int32_t elem) -> std::optional<Constant> {
    if (const auto *tensor = l.node.attr((base + "_tensor").str())) {
      FileStore none;
      auto constant = Constant::fromTensor(tensor->t(), none, "");
      if (constant && constant->elem() == elem)
        return *constant;
      if (!constant)
        consumeError(constant.takeError());
      return std::nullopt;
    }
    if (elem == TensorProto::FLOAT) {
      SmallVector<float> values = floatsAttr(l.node, (base + "_floats").str());
      return Constant::ofFloats(values, {int64_t(values.size())});
    }
    if (elem == TensorProto::INT64)
      return Constant::ofInts(intsOf(l.node, (base + "_int64s").str()));
    return std::nullopt;
  };
  auto keys = numbers("keys", from), values = numbers("values", to);
  if (!keys || !values || keys->count() != values->count() || keys->count() == 0)
    return l.fail("keys and values must be numbers of the types of input and output");
  Type key = l.elementType(0), value = l.resultElement();
  TypedAttr otherwise = to == TensorProto::FLOAT
                            ? scalarAttr(value, double(l.node.floatAttr("default_float", -0.0f)))
                            : scalarAttr(value, l.node.intAttr("default_int64", -1));
  if (const auto *tensor = l.node.attr("default_tensor")) {
    FileStore none;
    auto constant = Constant::fromTensor(tensor->t(), none, "");
    if (!constant)
      return l.fail(toString(constant.takeError()));
    if (constant->count() != 1 || constant->elem() != to)
      return l.fail("default_tensor must have one element of the type of the output");
    otherwise = isa<FloatType>(value) ? scalarAttr(value, constant->asDouble(0))
                                      : scalarAttr(value, constant->asInt(0));
  }
  Dims dims(l.node.dims(0));
  const int64_t rank = dims.size(), count = keys->count();
  Value keyTable = l.materialise(keys->reshaped({count}));
  Value valueTable = l.materialise(values->reshaped({count}));
  dims.push_back(count);
  SmallVector<int64_t> loops = llvm::to_vector(seq<int64_t>(0, rank));
  return l.set(
      b.reduce(dims, {rank},
               {b.along(l.in(0), loops, rank + 1), b.along(keyTable, {rank}, rank + 1),
                b.along(valueTable, {rank}, rank + 1)},
               otherwise, [&](OpBuilder &ob, Location loc, ValueRange v) -> Value {
                 Scalars s(ob, loc, isa<FloatType>(key) ? ElemClass::Float : ElemClass::Signed);
                 Value same = s.equal(v[0], v[1]);
                 if (s.isFloat()) {
                   auto isNaN = [&](Value x) -> Value {
                     return arith::CmpFOp::create(ob, loc, arith::CmpFPredicate::UNO, x, x);
                   };
                   Value both = arith::AndIOp::create(ob, loc, isNaN(v[0]), isNaN(v[1]));
                   same = arith::OrIOp::create(ob, loc, same, both);
                 }
                 return s.select(same, v[2], v[3]);
               }));
}

/// Another dimension, with 1 where the element is the category and 0 elsewhere.
LogicalResult oneHotEncoder(Lowering &l) {
  TensorBuilder &b = l.b;
  SmallVector<int64_t> categories = intsOf(l.node, "cats_int64s");
  if (categories.empty())
    return l.fail("there must be categories that are integers");
  Dims dims(l.node.dims(0));
  const int32_t elem = l.node.elem(0);
  const int64_t rank = dims.size(), count = categories.size();
  SmallVector<int64_t> loops = llvm::to_vector(seq<int64_t>(0, rank));
  Value table = l.materialise(Constant::ofInts(categories));
  dims.push_back(count);
  return l.set(b.elementwise(dims, b.getF32Type(),
                             {b.along(l.in(0), loops, rank + 1), b.along(table, {rank}, rank + 1)},
                             [&](OpBuilder &ob, Location loc, ValueRange v) {
                               Scalars i(ob, loc, ElemClass::Signed), f(ob, loc, ElemClass::Float);
                               Value whole = castScalar(ob, loc, v[0], elem, TensorProto::INT64);
                               Value same = i.equal(whole, v[1]);
                               if (isa<FloatType>(v[0].getType())) {
                                 Value back = castScalar(ob, loc, whole, TensorProto::INT64, elem);
                                 same = arith::AndIOp::create(ob, loc, same, f.equal(back, v[0]));
                               }
                               Type type = ob.getF32Type();
                               return f.select(same, f.constant(type, 1), f.constant(type, 0));
                             }));
}

/// rows x features times (targets x features) transposed, plus intercepts. Null after l.fail.
Value linearScores(Lowering &l, int64_t targets) {
  Value x = featureRows(l);
  if (!x)
    return {};
  const int64_t features = TensorBuilder::dimsOf(x)[1];
  SmallVector<float> coefficients = floatsAttr(l.node, "coefficients");
  SmallVector<float> intercepts = floatsAttr(l.node, "intercepts");
  if (targets < 1 || int64_t(coefficients.size()) != targets * features ||
      (!intercepts.empty() && int64_t(intercepts.size()) != targets)) {
    (void)l.fail("coefficients and intercepts do not fit the features");
    return {};
  }
  std::vector<float> transposed;
  for (int64_t f = 0; f < features; ++f)
    for (int64_t t = 0; t < targets; ++t)
      transposed.push_back(coefficients[t * features + f]);
  return weightedSums(l, x, Constant::ofFloats(transposed, {features, targets}), intercepts);
}

LogicalResult linearRegressor(Lowering &l) {
  Value scores = linearScores(l, l.node.intAttr("targets", 1));
  if (!scores)
    return failure();
  Value result = postTransformed(l, scores, l.node.stringAttr("post_transform", "NONE"));
  return result ? l.set(l.b.reshape(result, l.resultDims())) : failure();
}

LogicalResult linearClassifier(Lowering &l) {
  TensorBuilder &b = l.b;
  const int64_t classes = classCount(l.node, "classlabels_ints");
  const int64_t features = l.node.dims(0).empty() ? 0 : l.node.dims(0).back();
  const int64_t targets =
      features ? int64_t(floatsAttr(l.node, "coefficients").size()) / features : 0;
  Value scores = linearScores(l, targets);
  if (!scores)
    return failure();
  if (targets == 1 && classes == 2) {
    // One score for two classes: the other has its negative.
    Value negative = mapElements(b, ElemClass::Float, scores,
                                 [](Scalars &s, ValueRange v) { return s.neg(v[0]); });
    scores = b.concat({negative, scores}, 1);
  } else if (targets < 2 || classes != targets) {
    return l.fail("there must be a label for each of at least two classes");
  }
  Value result = postTransformed(l, scores, l.node.stringAttr("post_transform", "NONE"));
  if (!result)
    return failure();
  setLabels(l, greatestPlace(b, scores), "classlabels_ints");
  if (l.node.outputUsed(1))
    (void)l.set(b.reshape(result, l.resultDims(1)), 1);
  return success();
}

} // namespace

ArrayRef<OpEntry> machineLearningOps() {
  static const OpEntry entries[] = {
      {"Binarizer", 1, 1, binarizer, kMachineLearning},
      {"Scaler", 1, 1, scaler, kMachineLearning},
      {"Imputer", 1, 1, imputer, kMachineLearning},
      {"Normalizer", 1, 1, normalizer, kMachineLearning},
      {"FeatureVectorizer", 1, 1, featureVectorizer, kMachineLearning},
      {"ArrayFeatureExtractor", 1, 1, arrayFeatureExtractor, kMachineLearning},
      {"OneHotEncoder", 1, 1, oneHotEncoder, kMachineLearning},
      {"LabelEncoder", 2, 4, labelEncoder, kMachineLearning},
      {"LinearRegressor", 1, 1, linearRegressor, kMachineLearning},
      {"LinearClassifier", 1, 1, linearClassifier, kMachineLearning},
  };
  return entries;
}

} // namespace mlir::dojo::onnximport
