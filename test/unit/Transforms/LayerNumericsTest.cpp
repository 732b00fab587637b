// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layer form computes what the import form computes: both run on the host, on random inputs.

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Golden/Golden.h"
#include "dojo/Import/ONNX.h"
#include "dojo/Pipelines/Registration.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::dojo;

namespace {

using Bytes = std::vector<uint8_t>;

MLIRContext &context() {
  static auto instance = [] {
    registerPasses();
    DialectRegistry registry;
    registerDialects(registry);
    return std::make_unique<MLIRContext>(registry);
  }();
  return *instance;
}

/// Random elements: standard normal floats, small integers, booleans.
Bytes randomElements(RankedTensorType type, std::mt19937 &random, double scale = 1) {
  Type element = type.getElementType();
  ::dojo::ArrayType array{::dojo::ElementType::F32, type.getShape().vec()};
  std::vector<float> values(array.elements());
  std::normal_distribution<float> normal;
  for (float &value : values) {
    if (element.isInteger(1))
      value = random() % 2;
    else if (isa<IntegerType>(element))
      value = random() % 10;
    else
      value = normal(random) * scale;
  }
  ::dojo::TransformStep cast = ::dojo::TransformStep::cast(*getElementType(element));
  std::string error;
  return *::dojo::applyTransform(reinterpret_cast<uint8_t *>(values.data()), array.bytes(), array,
                                 {&cast, 1}, error);
}

/// Fills the weights of a file named "random", scaled so that products keep the size of the image.
void fillWeights(ModuleOp module, std::mt19937 &random) {
  module.walk([&](WeightOp op) {
    auto blob = dyn_cast<FileBlobAttr>(op.getData());
    if (!blob || blob.getFile() != "random")
      return;
    RankedTensorType type = op.getSourceType();
    int64_t fanIn = type.getRank() < 2 ? 1 : type.getNumElements() / type.getDimSize(0);
    Bytes bytes = randomElements(type, random, 1 / std::sqrt(double(fanIn)));
    ArrayRef<char> raw(reinterpret_cast<char *>(bytes.data()), bytes.size());
    op.setDataAttr(DenseElementsAttr::getFromRawBuffer(type, raw));
  });
}

std::vector<double> asNumbers(const Bytes &bytes, RankedTensorType type) {
  ::dojo::ArrayType array = *getArrayType(type);
  ::dojo::TransformStep cast = ::dojo::TransformStep::cast(::dojo::ElementType::F64);
  std::string error;
  Bytes wide = *::dojo::applyTransform(bytes.data(), bytes.size(), array, {&cast, 1}, error);
  std::vector<double> numbers(array.elements());
  std::memcpy(numbers.data(), wide.data(), wide.size());
  return numbers;
}

double relativeError(const std::vector<double> &values, const std::vector<double> &expected) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    // Equal infinities differ by nothing.
    if (values[i] == expected[i])
      continue;
    difference += (values[i] - expected[i]) * (values[i] - expected[i]);
  }
  for (double value : expected)
    norm += std::isfinite(value) ? value * value : 0;
  return std::sqrt(difference) / std::max(std::sqrt(norm), 1e-30);
}

/// Runs `module` as imported and in layer form and compares each output.
void compareForms(ModuleOp module, const LayerPipelineOptions &options, double tolerance) {
  OwningOpRef<ModuleOp> layers = module.clone();
  PassManager manager(&context());
  buildLayerPipeline(manager, options);
  manager.nest<func::FuncOp>().addPass(createExpandLayers());
  ASSERT_TRUE(succeeded(manager.run(*layers)));

  // The import form may hold views of the dialect as well.
  OwningOpRef<ModuleOp> imported = module.clone();
  PassManager expansion(&context());
  expansion.nest<func::FuncOp>().addPass(createExpandLayers());
  ASSERT_TRUE(succeeded(expansion.run(*imported)));

  auto compile = [](ModuleOp form) {
    llvm::Expected<std::unique_ptr<GoldenProgram>> program = GoldenProgram::compile(form);
    EXPECT_TRUE(bool(program)) << llvm::toString(program.takeError());
    return program ? std::move(*program) : nullptr;
  };
  std::unique_ptr<GoldenProgram> expected = compile(*imported), found = compile(*layers);
  ASSERT_TRUE(expected && found);
  auto function = module.lookupSymbol<func::FuncOp>("main");
  for (unsigned seed = 0; seed < 2; ++seed) {
    std::mt19937 random(seed);
    std::vector<HostTensor> inputs;
    for (auto [type, info] : llvm::zip_equal(function.getArgumentTypes(), expected->getInputs()))
      inputs.push_back(
          {info.type, info.shape, randomElements(cast<RankedTensorType>(type), random)});
    auto reference = expected->run(inputs), result = found->run(inputs);
    ASSERT_TRUE(reference && result);
    for (auto [index, type] : llvm::enumerate(function.getResultTypes())) {
      auto tensor = cast<RankedTensorType>(type);
      double error = relativeError(asNumbers((*result)[index].bytes, tensor),
                                   asNumbers((*reference)[index].bytes, tensor));
      EXPECT_LE(error, isa<FloatType>(tensor.getElementType()) ? tolerance : 0)
          << "output " << index << ", seed " << seed;
    }
  }
}

struct Mode {
  const char *name;
  LayerPipelineOptions options;
  double tolerance;
};

void PrintTo(const Mode &mode, std::ostream *os) { *os << mode.name; }

// Sums in another order differ in the last bits; bf16 has 8 bits.
const Mode modes[] = {
    {"bf16", {Precision::BF16, Precision::BF16, true}, 2e-2},
    {"bf16_wide", {Precision::BF16, Precision::FP32, true}, 1e-2},
    {"bf16_unfused", {Precision::BF16, Precision::BF16, false}, 2e-2},
    {"fp32", {Precision::FP32, Precision::FP32, true}, 1e-5},
    {"fp32_unfused", {Precision::FP32, Precision::FP32, false}, 1e-5},
};

/// The files with functions in import form, in order.
std::vector<std::string> caseFiles() {
  std::vector<std::string> files;
  const char *other = std::getenv("DOJO_LAYER_CASES");
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(other ? other : DOJO_LAYER_CASES, error), end;
       it != end && !error; it.increment(error))
    if (llvm::sys::path::extension(it->path()) == ".mlir")
      files.push_back(it->path());
  llvm::sort(files);
  return files;
}

class LayerNumerics : public testing::TestWithParam<std::tuple<std::string, Mode>> {};

TEST_P(LayerNumerics, EqualsImportForm) {
  auto [file, mode] = GetParam();
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(file, &context());
  ASSERT_TRUE(module);
  std::mt19937 random(17);
  fillWeights(*module, random);
  compareForms(*module, mode.options, mode.tolerance);
}

INSTANTIATE_TEST_SUITE_P(Cases, LayerNumerics,
                         testing::Combine(testing::ValuesIn(caseFiles()), testing::ValuesIn(modes)),
                         [](const auto &info) {
                           std::string name = llvm::sys::path::stem(std::get<0>(info.param)).str() +
                                              "_" + std::get<1>(info.param).name;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return !std::isalnum(c); },
                               '_');
                           return name;
                         });

class DigitsLayers : public testing::TestWithParam<Mode> {};

TEST_P(DigitsLayers, EqualImportForm) {
  ImportOptions options;
  options.sideFile = testing::TempDir() + "digits-" + GetParam().name + ".consts";
  ImportReport report;
  OwningOpRef<ModuleOp> module = importOnnx(context(), DOJO_DIGITS_MODEL, options, report);
  ASSERT_TRUE(module) << report.text();
  compareForms(*module, GetParam().options, GetParam().tolerance);
}

INSTANTIATE_TEST_SUITE_P(Modes, DigitsLayers, testing::ValuesIn(modes),
                         [](const auto &info) { return info.param.name; });

} // namespace
