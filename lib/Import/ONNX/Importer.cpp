// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Importer.h"
#include "Fold.h"
#include "Infer.h"
#include "Suggest.h"
#include "Types.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Npy/Npy.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

using namespace llvm;
using onnx::TensorProto;

namespace mlir::dojo {
namespace onnximport {
namespace {

/// Long lists and texts are cut: this is for people to recognise the node by.
std::string attributeText(const onnx::AttributeProto &attribute) {
  constexpr int kMaxItems = 16;
  constexpr size_t kMaxText = 80;
  std::string text = attribute.name() + "=";
  raw_string_ostream os(text);
  auto quoted = [&](const std::string &value) {
    os << '"';
    printEscapedString(StringRef(value).take_front(kMaxText), os);
    os << (value.size() > kMaxText ? "...\"" : "\"");
  };
  auto list = [&](const auto &values, auto print) {
    os << '[';
    for (int i = 0; i < std::min(int(values.size()), kMaxItems); ++i) {
      os << (i ? "," : "");
      print(values[i]);
    }
    os << (values.size() > kMaxItems ? ",...]" : "]");
  };
  auto integer = [&](int64_t value) { os << value; };
  auto number = [&](float value) { os << format("%.9g", double(value)); };
  switch (attribute.type()) {
  case onnx::AttributeProto::FLOAT:
    number(attribute.f());
    break;
  case onnx::AttributeProto::INT:
    integer(attribute.i());
    break;
  case onnx::AttributeProto::STRING:
    quoted(attribute.s());
    break;
  case onnx::AttributeProto::FLOATS:
    list(attribute.floats(), number);
    break;
  case onnx::AttributeProto::INTS:
    list(attribute.ints(), integer);
    break;
  case onnx::AttributeProto::STRINGS:
    list(attribute.strings(), quoted);
    break;
  case onnx::AttributeProto::TENSOR: {
    TensorType type{attribute.t().data_type(), {}};
    type.dims.assign(attribute.t().dims().begin(), attribute.t().dims().end());
    os << type.str();
    break;
  }
  case onnx::AttributeProto::GRAPH:
    os << "graph of " << attribute.g().node_size() << " nodes";
    break;
  default:
    os << "...";
  }
  return text;
}

} // namespace

ValueInfo &Scope::find(const std::string &name) {
  for (Scope *scope = this; scope; scope = scope->outer)
    if (auto it = scope->values.find(name); it != scope->values.end())
      return it->second;
  return values[name];
}

std::string Scope::nameOf(const onnx::NodeProto &proto) const {
  StringRef name = proto.name();
  name.consume_front(oldPrefix);
  return prefix + name.str();
}

Category Importer::categoryOf(const onnx::NodeProto &proto, const Node &node, StringRef reason) {
  if (proto.op_type() == "ImageDecoder")
    return Category::Decoder;
  if (category)
    return *std::exchange(category, std::nullopt);
  for (Category named : {Category::DataDependentShape, Category::Type, Category::TooLarge})
    if (reason.starts_with((toString(named) + ":").str()))
      return named;
  auto odd = [&](const TensorType &type) {
    return type.elem != TensorProto::UNDEFINED && !runtimeType(b.getContext(), type.elem);
  };
  if (any_of(node.inputs, [&](const ValueInfo *info) { return info && odd(info->type); }) ||
      any_of(node.outputs, odd) || reason.ends_with(kNotATensor))
    return Category::Type;
  return reason.ends_with(kDependsOnValues) ? Category::DataDependentShape : Category::Op;
}

void Importer::unsupported(const onnx::NodeProto &proto, const Node &node, const Scope &scope,
                           const Twine &reason) {
  UnsupportedNode entry;
  entry.name = scope.nameOf(proto);
  entry.op = proto.op_type();
  entry.domain = proto.domain().empty() ? "ai.onnx" : proto.domain();
  entry.since = node.since;
  for (auto [i, input] : enumerate(proto.input())) {
    const ValueInfo *info = i < node.inputs.size() ? node.inputs[i] : nullptr;
    entry.inputs.push_back(input.empty() ? "absent" : info ? info->type.str() : "unknown");
  }
  for (auto [i, output] : enumerate(proto.output())) {
    const bool known = i < node.outputs.size() && node.outputs[i].elem != TensorProto::UNDEFINED;
    entry.outputs.push_back(output.empty() ? "absent" : known ? node.outputs[i].str() : "unknown");
  }
  for (const auto &attribute : proto.attribute())
    entry.attributes.push_back(attributeText(attribute));
  entry.reason = reason.str();
  entry.category = categoryOf(proto, node, entry.reason);
  entry.suggestion = suggestion(node, entry.category, [&](StringRef name) {
    auto it = main.values.find(name.str());
    return it != main.values.end() && isa_and_present<BlockArgument>(it->second.value);
  });
  report.unsupported.push_back(std::move(entry));
}

DictionaryAttr Importer::boundary(StringRef name, int32_t elem) {
  return b.getDictionaryAttr(
      {b.getNamedAttr("dojo.name", b.getStringAttr(name)),
       b.getNamedAttr("dojo.type", b.getStringAttr(elemInfo(elem).shortName))});
}

bool Importer::readConstants(StringMap<Constant> &bound) {
  const auto &graph = model.proto.graph();
  StringSet<> inputs;
  for (const auto &input : graph.input())
    inputs.insert(input.name());
  for (const auto &init : graph.initializer()) {
    auto constant = Constant::fromTensor(init, files, model.path);
    if (!constant) {
      report.errors.push_back(toString(constant.takeError()));
      continue;
    }
    main.values[init.name()] = ValueInfo{constant->getType(), true, *constant, {}};
    if (inputs.contains(init.name()))
      bound.insert({init.name(), *constant});
  }
  for (const auto &[name, path] : options.constants) {
    const onnx::ValueInfoProto *input = nullptr;
    for (const auto &candidate : graph.input())
      if (candidate.name() == name)
        input = &candidate;
    if (!input)
      continue; // bindInputs reports it
    ::dojo::NpyArray array;
    std::string error;
    const int32_t elem = input->type().tensor_type().elem_type();
    if (!::dojo::readNpy(path, array, error)) {
      report.errors.push_back("--const " + name + ": " + error);
      continue;
    }
    if (array.descr != elemInfo(elem).numpy) {
      report.errors.push_back("--const " + name + ": '" + path + "' has elements of type '" +
                              array.descr + "', the input is of type " + elemInfo(elem).name.str());
      continue;
    }
    TensorType type{elem, Dims(array.shape.begin(), array.shape.end())};
    Constant constant(type, std::string(array.bytes.begin(), array.bytes.end()));
    bound.erase(name);
    bound.insert({name, constant});
    main.values[name] = ValueInfo{type, true, constant, {}};
  }
  return report.errors.empty();
}

bool Importer::makeFunction() {
  StringMap<Constant> bound;
  if (!readConstants(bound))
    return false;
  auto types = bindInputs(model, options, bound, report);
  if (!types)
    return false;

  SmallVector<Type> argumentTypes;
  SmallVector<DictionaryAttr> argumentAttrs;
  SmallVector<std::pair<std::string, TensorType>> arguments;
  for (auto [input, type] : zip(model.proto.graph().input(), *types)) {
    if (bound.count(input.name()))
      continue;
    Type element = runtimeType(b.getContext(), type.elem);
    if (!element) {
      report.refuse(Category::Type, "input '" + input.name() + "' has the element type " +
                                        elemInfo(type.elem).name.str() +
                                        ", which is not supported");
      continue;
    }
    argumentTypes.push_back(RankedTensorType::get(type.dims, element));
    argumentAttrs.push_back(boundary(input.name(), type.elem));
    arguments.push_back({input.name(), type});
  }
  if (!report.errors.empty())
    return false;
  func = func::FuncOp::create(b, "main", b.getFunctionType(argumentTypes, {}));
  for (auto [i, attrs] : enumerate(argumentAttrs))
    func.setArgAttrs(i, attrs);
  Block *entry = func.addEntryBlock();
  for (auto [argument, named] : zip(entry->getArguments(), arguments)) {
    argument.setLoc(nameLoc(named.first));
    main.values[named.first] = ValueInfo{named.second, true, std::nullopt, argument};
  }
  b.setInsertionPointToEnd(entry);
  pool = std::make_unique<ConstantPool>(entry, sideFile);
  return true;
}

/// Names the value on the op that makes it. An op that was there before, as where Identity hands
/// on its operand, keeps its name.
void Importer::tag(const std::string &name, Value value, Operation *before) {
  Operation *op = value.getDefiningOp();
  if (!op || op->hasAttr("dojo.value") || op->getBlock() != &func.front() ||
      (before && !before->isBeforeInBlock(op)))
    return;
  if (op->getNumResults() == 1 && op->getLoc() == b.getLoc())
    op->setAttr("dojo.value", b.getStringAttr(name));
}

std::string Importer::lower(const onnx::NodeProto &proto, Node &node, Scope &scope) {
  const OpEntry *entry = findLowering(proto.domain(), proto.op_type(), node.since);
  if (!entry) {
    if (proto.op_type() == "Constant")
      return "a constant of this type is not supported";
    for (const OpEntry &other : allLowerings())
      if (other.op == proto.op_type() && other.domain == proto.domain())
        return "the form of the op that opset version " + std::to_string(node.since) +
               " defines is not supported";
    if (!proto.domain().empty() && none_of(allLowerings(), [&](const OpEntry &other) {
          return other.domain == proto.domain();
        }))
      return "the domain '" + proto.domain() + "' is not supported";
    return "the op is not supported";
  }
  const TypeUse use = typeUse(node, options.demoteDoubles);
  if (std::string error = refusedType(node, options.demoteDoubles); !error.empty()) {
    category = Category::Type;
    return error;
  }
  Block *block = b.getInsertionBlock();
  Operation *before = block->empty() ? nullptr : &block->back();
  std::optional<FloatNode> inFloat;
  if (use == TypeUse::Arithmetic && FloatNode::isNeeded(node, options.demoteDoubles))
    inFloat.emplace(node, b, options.demoteDoubles);
  MeshLoops loops = meshLoops(node, scope);
  Lowering lowering(inFloat ? inFloat->get() : node, b, *pool, loops);
  if (failed(entry->lower(lowering))) {
    category = lowering.getCategory();
    return lowering.getReason();
  }
  for (auto [i, result] : enumerate(lowering.getResults())) {
    if (!node.outputUsed(i))
      continue;
    const std::string &name = proto.output(int(i));
    ValueInfo info = inFloat ? inFloat->result(result, i)
                             : ValueInfo{node.outputs[i], true, std::nullopt, result};
    const TensorType &type = node.outputs[i];
    if (!info.value || info.value.getType() !=
                           RankedTensorType::get(type.dims, runtimeType(b.getContext(), type.elem)))
      return "its output '" + name + "' should be " + type.str() +
             ", which does not fit its operands";
    tag(scope.prefix + name, info.value, before);
    scope.values[name] = std::move(info);
  }
  return "";
}

bool Importer::isRead(const std::string &name, const Scope &scope) {
  const Scope *outermost = &scope;
  while (outermost->outer)
    outermost = outermost->outer;
  if (outermost != &main)
    return true; // in the body of a function, whose nodes are not those of the model
  if (reads.empty()) {
    SmallVector<StringRef> names;
    for (const auto &node : model.proto.graph().node())
      collectReads(node, names);
    for (const auto &output : model.proto.graph().output())
      names.push_back(output.name());
    reads.insert_range(names);
  }
  return reads.contains(name);
}

void Importer::importNode(const onnx::NodeProto &proto, Scope &scope) {
  Node node(proto, model.since(proto));
  b.setLoc(nameLoc(scope.nameOf(proto)));
  bool known = true;
  for (const auto &input : proto.input()) {
    ValueInfo *value = input.empty() ? nullptr : &scope.find(input);
    if (value && !value->known) {
      value = nullptr;
      known = false;
    }
    node.inputs.push_back(value);
  }
  StringRef key = proto.output_size() ? proto.output(0) : proto.name();
  auto refused = model.refused.find(key);
  if (&scope == &main && refused != model.refused.end())
    return unsupported(proto, node, scope, refused->second);
  if (importSequence(proto, node, scope))
    return;
  const bool lowered = findLowering(proto.domain(), proto.op_type(), node.since);
  const bool isGradient =
      proto.domain() == "ai.onnx.preview.training" && proto.op_type() == "Gradient";
  const bool hasGraphs =
      proto.domain().empty() && is_contained({"If", "Loop", "Scan"}, proto.op_type());
  if (!known) {
    // What it needs could not be imported; still say if the op itself is a problem.
    if (!lowered && !hasGraphs && !isGradient && !model.hasFunction(proto) &&
        proto.op_type() != "Constant" && proto.op_type() != "Shape")
      unsupported(proto, node, scope, lower(proto, node, scope));
    return;
  }
  if (hasGraphs)
    return importControlFlow(proto, node, scope);
  if (isGradient) {
    if (std::string error = importGradient(proto, node, scope); !error.empty())
      unsupported(proto, node, scope, error);
    return;
  }
  if (!lowered && expandFunction(proto, node, scope))
    return;
  const std::string inferred = inferOutputs(model, proto, node);
  if (!inferred.empty()) {
    const bool says = lowered || StringRef(inferred).ends_with(kDependsOnValues) ||
                      StringRef(inferred).ends_with(kNotATensor);
    return unsupported(proto, node, scope, says ? inferred : lower(proto, node, scope));
  }
  for (auto [i, type] : enumerate(node.outputs))
    if (node.outputUsed(i) && type.elem == TensorProto::STRING && !isRead(proto.output(i), scope)) {
      node.leftOut.push_back(i);
      type = {};
    }
  // Types of outputs that were inferred hold, whatever happens to the node.
  for (auto [i, type] : enumerate(node.outputs))
    if (node.outputUsed(i) && type.elem != TensorProto::UNDEFINED)
      scope.values[proto.output(int(i))] = ValueInfo{type, true, std::nullopt, {}};
  if (auto folded = foldNode(node, files, model.path)) {
    for (auto [i, constant] : enumerate(*folded))
      if (node.outputUsed(i))
        scope.values[proto.output(int(i))] = ValueInfo{constant.getType(), true, constant, {}};
    return;
  }
  std::string reason = lower(proto, node, scope);
  if (reason.empty())
    return;
  unsupported(proto, node, scope, reason);
  // A stand-in lets the nodes after it be looked at in the same run.
  for (auto [i, type] : enumerate(node.outputs)) {
    if (!node.outputUsed(i))
      continue;
    ValueInfo &value = scope.values[proto.output(int(i))];
    Type element = runtimeType(b.getContext(), type.elem);
    value.known = bool(element);
    if (element)
      value.value = b.empty(type.dims, element);
  }
}

bool Importer::finish() {
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> attrs;
  llvm::DenseSet<Value> returned;
  for (const auto &output : model.proto.graph().output()) {
    ValueInfo &info = main.values[output.name()];
    const auto &declared = output.type().tensor_type();
    if (declared.elem_type() != TensorProto::UNDEFINED && declared.elem_type() != info.type.elem)
      report.errors.push_back("output '" + output.name() + "' is declared as " +
                              elemInfo(declared.elem_type()).name.str() + ", but it is " +
                              info.type.str());
    if (declared.has_shape()) {
      bool fits = size_t(declared.shape().dim_size()) == info.type.dims.size();
      for (int d = 0; fits && d < declared.shape().dim_size(); ++d) {
        const auto &dim = declared.shape().dim(d);
        // Some exporters write -1 for an unknown dimension.
        fits = !dim.has_dim_value() || dim.dim_value() < 0 || dim.dim_value() == info.type.dims[d];
      }
      if (!fits)
        report.errors.push_back("output '" + output.name() + "' is " + info.type.str() +
                                ", which contradicts the dimensions the model declares for it");
    }
    if (!runtimeType(b.getContext(), info.type.elem)) {
      report.refuse(Category::Type, "output '" + output.name() + "' has the element type " +
                                        elemInfo(info.type.elem).name.str() +
                                        ", which is not supported");
      continue;
    }
    b.setLoc(nameLoc(output.name()));
    if (!info.value)
      info.value = pool->get(*info.constant, b.getLoc());
    // Every result is made by an op of its own.
    Value value = info.value;
    if (!value.getDefiningOp() || info.constant || !returned.insert(value).second) {
      value = b.copy(value);
      value.getDefiningOp()->setAttr("dojo.value", b.getStringAttr(output.name()));
    }
    results.push_back(value);
    attrs.push_back(boundary(output.name(), info.type.elem));
  }
  if (!report.ok())
    return false;
  func::ReturnOp::create(b, results);
  func.setType(b.getFunctionType(func.getArgumentTypes(), ValueRange(results).getTypes()));
  for (auto [i, attr] : enumerate(attrs))
    func.setResultAttrs(i, attr);
  // Doubles that nothing reads: what was computed in float went on in float.
  if (options.demoteDoubles)
    for (Operation &op : make_early_inc_range(reverse(func.front())))
      if (isOpTriviallyDead(&op))
        op.erase();
  return true;
}

OwningOpRef<ModuleOp> Importer::run() {
  OwningOpRef<ModuleOp> module(ModuleOp::create(nameLoc(model.path)));
  b.setLoc(nameLoc(model.proto.graph().name()));
  b.setInsertionPointToEnd(module->getBody());
  if (!makeFunction())
    return nullptr;
  for (const auto &node : model.proto.graph().node())
    importNode(node, main);
  if (!report.ok() || !finish())
    return nullptr;
  std::string diagnostics;
  ScopedDiagnosticHandler handler(module->getContext(), [&](Diagnostic &diagnostic) {
    diagnostics += diagnostics.empty() ? diagnostic.str() : "; " + diagnostic.str();
    return success();
  });
  if (failed(verify(*module))) {
    report.errors.push_back("the importer made an invalid module: " + diagnostics);
    return nullptr;
  }
  if (Error error = sideFile.write()) {
    report.errors.push_back(toString(std::move(error)));
    return nullptr;
  }
  return module;
}

} // namespace onnximport

OwningOpRef<ModuleOp> importOnnx(MLIRContext &context, StringRef path, const ImportOptions &options,
                                 ImportReport &report) {
  using namespace onnximport;
  context.loadDialect<arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect,
                      math::MathDialect, tensor::TensorDialect, DojoDialect, scf::SCFDialect>();
  FileStore files;
  Model model;
  if (!loadModel(path, files, model, report))
    return nullptr;
  auto lowers = [](StringRef domain, StringRef op, int since) {
    return findLowering(domain, op, since) != nullptr;
  };
  if (!simplifyModel(model, options.conversion, lowers, report))
    return nullptr;
  return Importer(context, model, files, options, report).run();
}

} // namespace mlir::dojo
