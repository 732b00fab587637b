// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Infer.h"
#include "onnx/common/assertions.h"
#include "onnx/defs/schema.h"
#include "onnx/shape_inference/implementation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>
#include <list>

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

std::string dimsText(ArrayRef<int64_t> dims) {
  std::string text;
  interleave(dims, [&](int64_t d) { text += std::to_string(d); }, [&] { text += "x"; });
  return text.empty() ? "(scalar)" : text;
}

/// The name of a symbolic dimension; empty for one without a name, which some exporters write "?".
StringRef symbolOf(const onnx::TensorShapeProto::Dimension &dim) {
  return dim.has_dim_param() && dim.dim_param() != "?" ? StringRef(dim.dim_param()) : StringRef();
}

/// "batchx3x224x224", with the names of symbolic dimensions and ? for nameless ones.
std::string declaredText(const onnx::TensorShapeProto &shape) {
  std::string text;
  for (const auto &dim : shape.dim()) {
    if (!text.empty())
      text += "x";
    if (dim.has_dim_value() && dim.dim_value() >= 0)
      text += std::to_string(dim.dim_value());
    else
      text += symbolOf(dim).empty() ? "?" : symbolOf(dim);
  }
  return text.empty() ? "(scalar)" : text;
}

class Binder {
public:
  Binder(ImportReport &report) : report(report) {}

  /// The user says what symbol `name` is.
  void bind(StringRef name, int64_t value) { symbols[name] = Bound{value, ""}; }
  /// Matches the bound dimensions of `input` with what the model declares.
  bool bind(const onnx::ValueInfoProto &input, ArrayRef<int64_t> dims);
  /// The dimensions of `input`, all symbols replaced; an error if one is not bound.
  std::optional<Dims> resolve(const onnx::ValueInfoProto &input);

private:
  struct Bound {
    int64_t value;
    std::string input;
  };
  ImportReport &report;
  StringMap<Bound> symbols;
};

bool Binder::bind(const onnx::ValueInfoProto &input, ArrayRef<int64_t> dims) {
  const auto &tensor = input.type().tensor_type();
  if (!tensor.has_shape())
    return true;
  const auto &shape = tensor.shape();
  auto contradiction = [&](const Twine &why) {
    report.errors.push_back(("input '" + input.name() + "' is bound to " + dimsText(dims) +
                             ", but the model declares it as " + declaredText(shape) + why)
                                .str());
    return false;
  };
  if (size_t(shape.dim_size()) != dims.size())
    return contradiction("");
  for (auto [dim, value] : zip(shape.dim(), dims)) {
    if (dim.has_dim_value() && dim.dim_value() >= 0 && dim.dim_value() != value)
      return contradiction("");
    if (symbolOf(dim).empty())
      continue;
    auto [it, isNew] = symbols.try_emplace(symbolOf(dim), Bound{value, input.name()});
    if (!isNew && it->second.value != value)
      return contradiction((it->second.input.empty() ? std::string(" and --dim")
                                                     : " and input '" + it->second.input + "'") +
                           " binds '" + symbolOf(dim) + "' to " + Twine(it->second.value));
  }
  return true;
}

std::optional<Dims> Binder::resolve(const onnx::ValueInfoProto &input) {
  const auto &tensor = input.type().tensor_type();
  if (!tensor.has_shape()) {
    report.errors.push_back("the model does not say how many dimensions input '" + input.name() +
                            "' has; bind it with --shape " + input.name() + "=AxBx...");
    return std::nullopt;
  }
  Dims dims;
  std::string unbound, hint, names;
  for (const auto &dim : tensor.shape().dim()) {
    std::optional<int64_t> value;
    if (dim.has_dim_value() && dim.dim_value() >= 0)
      value = dim.dim_value();
    else if (!symbolOf(dim).empty()) {
      auto it = symbols.find(symbolOf(dim));
      if (it != symbols.end())
        value = it->second.value;
    }
    if (!hint.empty())
      hint += "x";
    hint += value ? std::to_string(*value) : std::string("N");
    if (!value) {
      unbound += unbound.empty() ? "" : ", ";
      unbound += "dimension " + std::to_string(dims.size());
      if (!symbolOf(dim).empty()) {
        unbound += (" ('" + symbolOf(dim) + "')").str();
        names += (" --dim " + symbolOf(dim) + "=N").str();
      }
    }
    dims.push_back(value.value_or(1));
  }
  if (unbound.empty())
    return dims;
  report.errors.push_back("input '" + input.name() + "' is declared as " +
                          declaredText(tensor.shape()) + " and not bound in " + unbound +
                          "; bind it with --shape " + input.name() + "=" + hint +
                          (names.empty() ? "" : " or" + names) + ", a number for each N");
  return std::nullopt;
}

/// The names of all symbolic dimensions of inputs, each once, in the order of the model.
SmallVector<StringRef> symbolNames(const onnx::GraphProto &graph) {
  SmallVector<StringRef> names;
  for (const auto &input : graph.input())
    for (const auto &dim : input.type().tensor_type().shape().dim())
      if (StringRef name = symbolOf(dim); !name.empty() && !is_contained(names, name))
        names.push_back(name);
  return names;
}

void bindSymbols(const onnx::GraphProto &graph, const ImportOptions &options, Binder &binder,
                 ImportReport &report) {
  const SmallVector<StringRef> known = symbolNames(graph);
  StringSet<> seen;
  for (const auto &[name, value] : options.dims) {
    if (!is_contained(known, name))
      report.errors.push_back("--dim names '" + name +
                              "', which is no symbolic dimension of an input; there are " +
                              (known.empty() ? "none" : "'" + join(known, "', '") + "'"));
    else if (!elementCount({value}))
      report.errors.push_back("--dim " + name + "=" + std::to_string(value) + " is not possible");
    else if (!seen.insert(name).second)
      report.errors.push_back("--dim binds '" + name + "' twice");
    else
      binder.bind(name, value);
  }
}

std::string inputNames(const onnx::GraphProto &graph) {
  std::string names;
  for (const auto &input : graph.input())
    names += (names.empty() ? "'" : ", '") + input.name() + "'";
  return names.empty() ? "none" : names;
}

} // namespace

std::optional<std::vector<TensorType>> bindInputs(const Model &model, const ImportOptions &options,
                                                  StringMap<Constant> &constants,
                                                  ImportReport &report) {
  const auto &graph = model.proto.graph();
  Binder binder(report);
  StringMap<const onnx::ValueInfoProto *> inputs;
  for (const auto &input : graph.input())
    inputs[input.name()] = &input;

  bindSymbols(graph, options, binder, report);
  StringMap<Dims> bound;
  for (const auto &[name, dims] : options.shapes) {
    auto it = inputs.find(name);
    if (it == inputs.end())
      report.errors.push_back("--shape names '" + name +
                              "', which is no input of the model; its "
                              "inputs are " +
                              inputNames(graph));
    else if (!elementCount(dims))
      report.errors.push_back("--shape " + name + "=" + dimsText(dims) + " is not possible");
    else if (!bound.try_emplace(name, Dims(dims.begin(), dims.end())).second)
      report.errors.push_back("--shape binds '" + name + "' twice");
    else
      binder.bind(*it->second, dims);
  }
  for (const auto &entry : options.constants)
    if (!inputs.count(entry.first))
      report.errors.push_back("--const names '" + entry.first +
                              "', which is no input of the "
                              "model; its inputs are " +
                              inputNames(graph));
  if (!report.errors.empty())
    return std::nullopt;

  for (const auto &input : graph.input()) {
    auto it = constants.find(input.name());
    if (it == constants.end())
      continue;
    const TensorType &type = it->second.getType();
    const auto &declared = input.type().tensor_type();
    if (declared.elem_type() != type.elem)
      report.errors.push_back("input '" + input.name() + "' is of type " +
                              elemInfo(declared.elem_type()).name.str() +
                              ", its constant of type " + elemInfo(type.elem).name.str());
    else
      binder.bind(input, type.dims);
    auto shape = bound.find(input.name());
    if (shape != bound.end() && shape->second != type.dims)
      report.errors.push_back("input '" + input.name() + "' is bound to " +
                              dimsText(shape->second) + " and to a constant of " +
                              dimsText(type.dims));
  }

  std::vector<TensorType> types;
  for (const auto &input : graph.input()) {
    TensorType type;
    auto constant = constants.find(input.name());
    if (constant != constants.end()) {
      types.push_back(constant->second.getType());
      continue;
    }
    if (!input.type().has_tensor_type()) {
      report.refuse(Category::Type, "input '" + input.name() + "' is not a tensor");
      continue;
    }
    type.elem = input.type().tensor_type().elem_type();
    auto shape = bound.find(input.name());
    if (shape != bound.end()) {
      type.dims = shape->second;
    } else if (auto dims = binder.resolve(input)) {
      type.dims = *dims;
      if (!elementCount(type.dims))
        report.errors.push_back("input '" + input.name() +
                                "' has impossible dimensions: " + dimsText(type.dims));
    }
    types.push_back(type);
  }
  if (!report.errors.empty())
    return std::nullopt;
  return types;
}

//===----------------------------------------------------------------------===//
// Inference
//===----------------------------------------------------------------------===//

void setType(const TensorType &type, onnx::TypeProto &proto) {
  auto *tensor = proto.mutable_tensor_type();
  tensor->set_elem_type(type.elem);
  auto *shape = tensor->mutable_shape();
  for (int64_t d : type.dims)
    shape->add_dim()->set_dim_value(d);
}

namespace {

// Inference looks at shapes, axes, pads and scales; larger operands are never among them.
constexpr int64_t kVisibleElements = 1024;

std::string outputError(const onnx::NodeProto &proto, int i, const Twine &what) {
  return ("output '" + proto.output(i) + "' " + what).str();
}

std::string readOutput(const onnx::NodeProto &proto, int i, const onnx::TypeProto &type,
                       TensorType &out) {
  if (!type.has_tensor_type())
    return outputError(proto, i,
                       type.value_case() == onnx::TypeProto::VALUE_NOT_SET
                           ? "has a type that cannot be inferred"
                           : kNotATensor);
  const auto &tensor = type.tensor_type();
  out.elem = tensor.elem_type();
  if (!tensor.has_shape())
    return outputError(proto, i, kDependsOnValues);
  for (const auto &dim : tensor.shape().dim()) {
    if (!dim.has_dim_value())
      return outputError(proto, i, kDependsOnValues);
    out.dims.push_back(dim.dim_value());
  }
  if (!elementCount(out.dims))
    return outputError(proto, i, "would have the impossible type " + out.str());
  return "";
}

/// The number of elements of a Range whose bounds are constant; inference reads only some types.
std::optional<int64_t> rangeLength(const Node &node) {
  for (unsigned i = 0; i < 3; ++i)
    if (!node.constant(i) || node.constant(i)->count() != 1)
      return std::nullopt;
  const Constant &start = *node.constant(0), &limit = *node.constant(1), &delta = *node.constant(2);
  double length = std::ceil((limit.asDouble(0) - start.asDouble(0)) / delta.asDouble(0));
  return length < 4e9 ? std::optional(int64_t(std::max(length, 0.0))) : std::nullopt;
}

/// Sets shapes that the inference functions leave open: those of old versions, and those of ops
/// that leave it to their bodies, which take the types to be known.
void fillOldShapes(const Node &node, onnx::InferenceContext &context) {
  if (!node.has(0))
    return;
  if (node.op() == "Dropout" && context.getNumOutputs() == 2) {
    // The mask.
    auto *mask = context.getOutputType(1)->mutable_tensor_type();
    if (!mask->has_shape())
      setType({mask->elem_type(), node.type(0).dims}, *context.getOutputType(1));
  }
  if (context.getNumOutputs() != 1)
    return;
  if (node.op() == "Upsample" && node.since == 1 && node.rank(0) == 4) {
    Dims dims(node.dims(0));
    for (auto [d, name] : {std::pair(2, "height_scale"), std::pair(3, "width_scale")}) {
      const double size = std::floor(double(dims[d]) * node.floatAttr(name, 0));
      dims[d] = size >= 0 && size < double(INT32_MAX) ? int64_t(size) : 0;
    }
    return setType({node.elem(0), dims}, *context.getOutputType(0));
  }
  auto *tensor = context.getOutputType(0)->mutable_tensor_type();
  if (tensor->has_shape() &&
      all_of(tensor->shape().dim(), [](const auto &dim) { return dim.has_dim_value(); }))
    return;
  if (node.op() == "Transpose" && node.rank(0) == 0)
    tensor->mutable_shape();
  if (node.op() == "GroupNormalization") {
    tensor->set_elem_type(node.elem(0));
    tensor->mutable_shape()->clear_dim();
    for (int64_t d : node.dims(0))
      tensor->mutable_shape()->add_dim()->set_dim_value(d);
  }
  if (node.op() == "Range")
    if (auto length = rangeLength(node)) {
      tensor->mutable_shape()->clear_dim();
      tensor->mutable_shape()->add_dim()->set_dim_value(*length);
    }
  if (node.op() == "MaxUnpool" && node.constant(2)) {
    tensor->mutable_shape()->clear_dim();
    for (int64_t d : node.constant(2)->ints())
      tensor->mutable_shape()->add_dim()->set_dim_value(d);
  }
  if (node.op() == "Slice")
    if (auto spec = sliceSpec(node)) {
      tensor->mutable_shape()->clear_dim();
      for (int64_t size : spec->sizes)
        tensor->mutable_shape()->add_dim()->set_dim_value(size);
    }
}

/// Elements of a constant that are not zero.
int64_t countOnes(const Constant &constant) {
  int64_t count = 0;
  for (int64_t i = 0; i < constant.count(); ++i)
    count += elemInfo(constant.elem()).kind == ElemClass::Float ? constant.asDouble(i) != 0
                                                                : constant.asInt(i) != 0;
  return count;
}

/// Sets the shapes of ops whose results are as long as the data has it: where that is constant what
/// it is, else what the model declares for them.
void fillShapesOfData(const Model &model, const Node &node, onnx::InferenceContext &context) {
  if (!node.proto.domain().empty() ||
      !is_contained({"NonZero", "Compress", "Unique", "NonMaxSuppression"}, node.op()))
    return;
  auto isStatic = [](const onnx::TensorShapeProto &shape) {
    return all_of(shape.dim(), [](const auto &dim) { return dim.has_dim_value(); });
  };
  auto declared = [&](const std::string &name) -> const onnx::TensorShapeProto * {
    const auto &graph = model.proto.graph();
    for (const auto *list : {&graph.output(), &graph.value_info()})
      for (const auto &value : *list)
        if (value.name() == name && value.type().tensor_type().has_shape() &&
            isStatic(value.type().tensor_type().shape()) &&
            all_of(value.type().tensor_type().shape().dim(),
                   [](const auto &dim) { return dim.dim_value() >= 0; }))
          return &value.type().tensor_type().shape();
    return nullptr;
  };
  for (int i = 0; i < node.proto.output_size(); ++i) {
    auto *tensor = context.getOutputType(i)->mutable_tensor_type();
    if (node.proto.output(i).empty() || (tensor->has_shape() && isStatic(tensor->shape())))
      continue;
    SmallVector<int64_t> dims;
    if (node.op() == "NonZero" && node.constant(0) && node.rank(0) > 0) {
      dims = {node.rank(0), countOnes(*node.constant(0))};
    } else if (node.op() == "Compress" && node.constant(1)) {
      dims = {countOnes(*node.constant(1))};
      if (auto axis = normaliseAxis(node.intAttr("axis", 0), node.rank(0));
          axis && node.hasAttr("axis")) {
        int64_t count = dims[0];
        dims.assign(node.dims(0).begin(), node.dims(0).end());
        dims[*axis] = count;
      }
    } else {
      if (const auto *shape = declared(node.proto.output(i)))
        *tensor->mutable_shape() = *shape;
      continue;
    }
    tensor->mutable_shape()->clear_dim();
    for (int64_t dim : dims)
      tensor->mutable_shape()->add_dim()->set_dim_value(dim);
  }
}

std::string withoutPrefix(StringRef message) {
  message.consume_front("[ShapeInferenceError] ");
  message.consume_front("[TypeInferenceError] ");
  std::string text;
  for (char c : message.rtrim())
    text += c == '\n' ? ' ' : c;
  return text;
}

} // namespace

std::string inferOutputs(const Model &model, const onnx::NodeProto &original, Node &node) {
  onnx::NodeProto proto = original; // inference wants to be able to change its subgraphs
  node.outputs.assign(proto.output_size(), TensorType());
  const onnx::OpSchema *schema =
      onnx::OpSchemaRegistry::Schema(proto.op_type(), model.opset(proto.domain()), proto.domain());
  if (!schema)
    return "ONNX does not define this op";

  if (proto.op_type() == "Einsum" && proto.domain().empty())
    if (std::string error = checkEquation(node); !error.empty())
      return error;
  if (schema->HasFunction())
    stateDefaults(proto, *schema);

  std::list<onnx::TypeProto> types;
  std::list<onnx::TensorProto> tensors;
  std::unordered_map<std::string, onnx::TypeProto *> typesByName;
  std::unordered_map<std::string, const onnx::TensorProto *> dataByName;
  std::unordered_map<std::string, const onnx::SparseTensorProto *> sparse;
  for (auto [i, input] : enumerate(node.inputs)) {
    if (!input)
      continue;
    // ONNX's own function bodies give Range tensors of one element where it asks for scalars.
    const bool scalar = node.op() == "Range" && input->constant && input->constant->count() == 1;
    setType({input->type.elem, scalar ? Dims() : input->type.dims}, types.emplace_back());
    typesByName[proto.input(int(i))] = &types.back();
    if (input->constant && input->constant->count() <= kVisibleElements) {
      tensors.push_back((scalar ? input->constant->reshaped({}) : *input->constant).toTensor());
      dataByName[proto.input(int(i))] = &tensors.back();
    }
  }
  std::unordered_map<std::string, int> imports;
  for (const auto &import : model.proto.opset_import())
    imports[import.domain()] = int(import.version());
  onnx::shape_inference::DataValueMap shapeData;
  onnx::shape_inference::GraphInferenceContext graphContext(typesByName, imports, nullptr, {},
                                                            onnx::OpSchemaRegistry::Instance(),
                                                            &shapeData, model.proto.ir_version());
  onnx::ShapeInferenceOptions strict(/*check_type=*/true, /*strict_mode=*/1,
                                     /*data_prop=*/true);
  onnx::shape_inference::InferenceContextImpl context(proto, typesByName, dataByName, sparse,
                                                      strict, &shapeData, &graphContext);
  try {
    if (schema->has_type_and_shape_inference_function())
      schema->GetTypeAndShapeInferenceFunction()(context);
    // For some versions that tells the type only, and the shape follows from the body.
    auto isShapeless = [&](int i) {
      const onnx::TypeProto &type = *context.getOutputType(i);
      return !proto.output(i).empty() &&
             !(type.has_tensor_type() && type.tensor_type().has_shape());
    };
    if (schema->HasFunction() && any_of(seq(proto.output_size()), isShapeless))
      onnx::shape_inference::InferShapeForFunctionNode(*schema->GetFunction(),
                                                       onnx::OpSchemaRegistry::Instance(), context,
                                                       strict, {}, nullptr, &shapeData);
    schema->CheckInputOutputType(context);
  } catch (const std::exception &error) {
    return withoutPrefix(error.what());
  }
  if (proto.domain() == "ai.onnx.ml")
    fillMachineLearningShapes(node, context);
  else
    fillOldShapes(node, context);
  fillShapesOfData(model, node, context);
  for (int i = 0; i < proto.output_size(); ++i)
    if (!proto.output(i).empty()) {
      std::string error = readOutput(proto, i, *context.getOutputType(i), node.outputs[i]);
      if (!error.empty())
        return error;
    }
  return "";
}

} // namespace mlir::dojo::onnximport
