// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shapes of ops of ai.onnx.ml for which the library has no inference.

#include "Infer.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo::onnximport {

void fillMachineLearningShapes(const Node &node, onnx::InferenceContext &context) {
  if (!node.has(0) || node.rank(0) > 2)
    return;
  StringRef op = node.op();
  const Dims dims(node.dims(0));
  const int64_t rows = dims.size() == 2 ? dims[0] : 1;
  auto count = [&](StringRef name) {
    const auto *attribute = node.attr(name);
    return attribute ? int64_t(std::max(attribute->ints_size(), attribute->strings_size())) : 0;
  };
  auto set = [&](unsigned i, int32_t elem, Dims result) {
    if (i >= context.getNumOutputs())
      return;
    context.getOutputType(i)->Clear();
    setType({elem, std::move(result)}, *context.getOutputType(i));
  };
  if (op == "Normalizer" || op == "Scaler")
    return set(0, TensorProto::FLOAT, dims);
  if (op == "Imputer")
    return set(0, node.elem(0), dims);
  if (op == "LinearRegressor")
    return set(0, TensorProto::FLOAT, {rows, node.intAttr("targets", 1)});
  if (op == "SVMRegressor")
    return set(0, TensorProto::FLOAT, {rows, 1});
  if (op == "TreeEnsembleRegressor")
    return set(0, TensorProto::FLOAT, {rows, node.intAttr("n_targets", 1)});
  if (op == "FeatureVectorizer") {
    int64_t width = 0;
    for (int64_t size : node.intsAttr("inputdimensions").value_or(SmallVector<int64_t>()))
      width += std::max<int64_t>(size, 0);
    return set(0, TensorProto::FLOAT, {rows, width});
  }
  if (op == "OneHotEncoder") {
    Dims encoded(dims);
    encoded.push_back(count("cats_int64s") + count("cats_strings"));
    return set(0, TensorProto::FLOAT, encoded);
  }
  if (op == "LinearClassifier" || op == "TreeEnsembleClassifier" || op == "SVMClassifier") {
    const int64_t classes = std::max(
        {count("classlabels_ints"), count("classlabels_int64s"), count("classlabels_strings")});
    const bool strings = count("classlabels_strings") > 0;
    set(0, strings ? TensorProto::STRING : TensorProto::INT64, {rows});
    // A machine of support vectors has a score for each pair of classes, unless it has their
    // probabilities; one of two classes has two all the same.
    const bool pairs = op == "SVMClassifier" && !node.hasAttr("prob_a") && classes > 2 &&
                       any_of(node.intsAttr("vectors_per_class").value_or(SmallVector<int64_t>()),
                              [](int64_t own) { return own != 0; });
    set(1, TensorProto::FLOAT,
        {rows, pairs ? saturatedProduct({classes, classes - 1}) / 2 : classes});
  }
}

} // namespace mlir::dojo::onnximport
