// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Golden/Golden.h"
#include "Weights.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Golden/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include <cstdlib>

using namespace llvm;

namespace mlir::dojo {
namespace {

struct Free {
  void operator()(uint8_t *data) const { std::free(data); }
};
using Buffer = std::unique_ptr<uint8_t, Free>;

/// Memory for a tensor as compiled code expects it: 64-byte aligned, not empty.
Buffer allocate(uint64_t bytes) {
  void *data = std::aligned_alloc(64, (bytes + 64) / 64 * 64);
  if (!data)
    report_bad_alloc_error("a tensor does not fit into memory");
  return Buffer(static_cast<uint8_t *>(data));
}

Buffer copyOf(ArrayRef<uint8_t> bytes) {
  Buffer buffer = allocate(bytes.size());
  std::copy(bytes.begin(), bytes.end(), buffer.get());
  return buffer;
}

/// Runs `passes`; the error holds what they reported.
Error runPasses(PassManager &pm, ModuleOp module) {
  std::string diagnostics;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      diagnostics += diagnostics.empty() ? diagnostic.str() : "; " + diagnostic.str();
    return success();
  });
  if (failed(pm.run(module)))
    return createStringError("the model cannot be lowered for the host: " + diagnostics);
  return Error::success();
}

Expected<HostTensorInfo> infoOf(Type type, StringRef name, StringAttr elementName) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  auto array = tensor && tensor.hasStaticShape() ? getArrayType(tensor) : std::nullopt;
  if (!array)
    return createStringError("'" + name + "' is not a static tensor of numbers");
  HostTensorInfo info;
  info.name = name.str();
  info.shape = array->shape;
  info.bytes = array->bytes();
  if (elementName)
    info.type = elementName.str();
  else
    info.type = array->element == ::dojo::ElementType::I1
                    ? "bool"
                    : std::string(::dojo::elementName(array->element));
  return info;
}

/// Makes the ops of @main whose dojo.value is in `values` further results. Returns their names.
std::vector<std::string> returnValues(func::FuncOp main, ArrayRef<std::string> values) {
  std::vector<std::string> names;
  Operation *terminator = main.front().getTerminator();
  SmallVector<Type> results(main.getResultTypes());
  for (Operation &op : main.front()) {
    auto name = op.getAttrOfType<StringAttr>("dojo.value");
    if (!name || op.getNumResults() != 1 || !is_contained(values, name.getValue()))
      continue;
    terminator->insertOperands(terminator->getNumOperands(), op.getResult(0));
    results.push_back(op.getResult(0).getType());
    names.push_back(name.str());
  }
  // Attributes of results are by position, and the new ones have none.
  SmallVector<Attribute> attrs;
  if (ArrayAttr old = main.getAllResultAttrs())
    attrs.append(old.begin(), old.end());
  attrs.resize(results.size(), DictionaryAttr::get(main.getContext()));
  main.setType(FunctionType::get(main.getContext(), main.getArgumentTypes(), results));
  main.setAllResultAttrs(attrs);
  return names;
}

/// Gives every result a tensor of its own: each becomes a buffer that the caller provides.
void separateResults(func::FuncOp main) {
  Operation *terminator = main.front().getTerminator();
  OpBuilder b(terminator);
  DenseSet<Value> seen;
  for (OpOperand &operand : terminator->getOpOperands()) {
    if (!isa<BlockArgument>(operand.get()) && seen.insert(operand.get()).second)
      continue;
    // Not a linalg op, which would be made to work in place.
    auto type = cast<RankedTensorType>(operand.get().getType());
    operand.set(bufferization::AllocTensorOp::create(b, terminator->getLoc(), type, ValueRange{},
                                                     operand.get()));
  }
}

/// Takes tensors without elements out of the boundary of @main: they have no memory to point to,
/// and the lowering of functions to bare pointers does not take them.
void dropEmptyTensors(func::FuncOp main) {
  auto isEmpty = [](Type type) { return cast<RankedTensorType>(type).getNumElements() == 0; };
  OpBuilder b(main.getBody());
  for (unsigned i = main.getNumArguments(); i-- > 0;) {
    BlockArgument argument = main.getArgument(i);
    if (!isEmpty(argument.getType()))
      continue;
    auto type = cast<RankedTensorType>(argument.getType());
    argument.replaceAllUsesWith(
        tensor::EmptyOp::create(b, argument.getLoc(), type.getShape(), type.getElementType()));
    (void)main.eraseArgument(i);
  }
  Operation *terminator = main.front().getTerminator();
  for (unsigned i = main.getNumResults(); i-- > 0;)
    if (isEmpty(main.getResultTypes()[i])) {
      terminator->eraseOperand(i);
      (void)main.eraseResult(i);
    }
}

/// Takes off what the ops and arguments were called: the translation to LLVM knows none of it.
void dropNames(ModuleOp module) {
  module.walk([](LLVM::LLVMFuncOp function) {
    function.removeArgAttrsAttr();
    function.removeResAttrsAttr();
  });
}

/// LLVM's -O2 without loop unrolling, which takes most of its time and gains nothing here.
Error optimise(llvm::Module *module, TargetMachine *machine) {
  PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = true;
  PassBuilder builder(machine, tuning);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2).run(*module, modules);
  return Error::success();
}

/// What the passes and the translation to LLVM attach to dialects.
const DialectRegistry &extensions() {
  static const DialectRegistry registry = [] {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
    DialectRegistry all;
    registerAllDialects(all);
    registerAllExtensions(all);
    registerAllToLLVMIRTranslations(all);
    return all;
  }();
  return registry;
}

} // namespace

struct GoldenProgram::Impl {
  std::vector<HostTensorInfo> inputs, outputs;
  std::vector<Buffer> weights;
  std::unique_ptr<ExecutionEngine> engine;
  void (*entry)(void **) = nullptr;
};

GoldenProgram::GoldenProgram() : impl(std::make_unique<Impl>()) {}
GoldenProgram::~GoldenProgram() = default;

const std::vector<HostTensorInfo> &GoldenProgram::getInputs() const { return impl->inputs; }
const std::vector<HostTensorInfo> &GoldenProgram::getOutputs() const { return impl->outputs; }

Expected<std::unique_ptr<GoldenProgram>> GoldenProgram::compile(ModuleOp original,
                                                                ArrayRef<std::string> values) {
  MLIRContext *context = original.getContext();
  context->appendDialectRegistry(extensions());
  context->loadDialect<bufferization::BufferizationDialect>();
  OwningOpRef<ModuleOp> module(original.clone());
  auto main = module->lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !main.getBody().hasOneBlock())
    return createStringError("there is no function @main of one block");
  std::unique_ptr<GoldenProgram> program(new GoldenProgram());
  Impl &impl = *program->impl;

  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    auto name = main.getArgAttrOfType<StringAttr>(i, "dojo.name");
    auto info = infoOf(main.getArgument(i).getType(), name ? name.getValue() : "",
                       main.getArgAttrOfType<StringAttr>(i, "dojo.type"));
    if (!info)
      return info.takeError();
    impl.inputs.push_back(*info);
  }
  const unsigned ownResults = main.getNumResults();
  std::vector<std::string> names = returnValues(main, values);
  for (unsigned i = 0; i < main.getNumResults(); ++i) {
    auto name = main.getResultAttrOfType<StringAttr>(i, "dojo.name");
    auto info = infoOf(main.getResultTypes()[i],
                       i >= ownResults ? StringRef(names[i - ownResults])
                       : name          ? name.getValue()
                                       : StringRef(),
                       main.getResultAttrOfType<StringAttr>(i, "dojo.type"));
    if (!info)
      return info.takeError();
    impl.outputs.push_back(*info);
  }

  PassManager loops(context);
  loops.addPass(createInlineLoops());
  if (Error error = runPasses(loops, *module))
    return std::move(error);
  separateResults(main);
  dropEmptyTensors(main);
  const unsigned firstWeight = main.getNumArguments();
  PassManager hoist(context);
  hoist.addPass(createHoistWeights());
  if (Error error = runPasses(hoist, *module))
    return std::move(error);
  WeightReader reader;
  for (unsigned i = firstWeight; i < main.getNumArguments(); ++i) {
    auto bytes = reader.read(main, i);
    if (!bytes)
      return bytes.takeError();
    impl.weights.push_back(copyOf(*bytes));
  }
  PassManager lower(context);
  buildLowerToCpuPipeline(lower);
  if (Error error = runPasses(lower, *module))
    return std::move(error);

  dropNames(*module);

  auto builder = orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  auto machine = builder->createTargetMachine();
  if (!machine)
    return machine.takeError();
  TargetMachine *host = machine->get();
  auto transformer = [host](llvm::Module *llvmModule) { return optimise(llvmModule, host); };
  ExecutionEngineOptions options;
  options.transformer = transformer;
  options.jitCodeGenOptLevel = CodeGenOptLevel::Default;
  options.enableGDBNotificationListener = false;
  options.enablePerfNotificationListener = false;
  auto engine = ExecutionEngine::create(*module, options, std::move(*machine));
  if (!engine)
    return engine.takeError();
  impl.engine = std::move(*engine);
  auto entry = impl.engine->lookupPacked("main");
  if (!entry)
    return entry.takeError();
  impl.entry = *entry;
  return program;
}

Expected<std::vector<HostTensor>> GoldenProgram::run(ArrayRef<HostTensor> inputs) {
  if (inputs.size() != impl->inputs.size())
    return createStringError("the model has " + Twine(impl->inputs.size()) + " inputs, not " +
                             Twine(inputs.size()));
  std::vector<Buffer> buffers;
  std::vector<uint8_t *> pointers;
  for (auto [input, info] : zip(inputs, impl->inputs)) {
    if (input.type != info.type || input.shape != info.shape || input.bytes.size() != info.bytes)
      return createStringError("input '" + info.name + "' is of another type or shape");
    if (info.bytes == 0)
      continue;
    buffers.push_back(copyOf(input.bytes));
    pointers.push_back(buffers.back().get());
  }
  for (const Buffer &weight : impl->weights)
    pointers.push_back(weight.get());
  std::vector<HostTensor> results;
  size_t next = buffers.size();
  for (const HostTensorInfo &info : impl->outputs)
    if (info.bytes != 0) {
      buffers.push_back(allocate(info.bytes));
      pointers.push_back(buffers.back().get());
    }
  std::vector<void *> packed;
  for (uint8_t *&pointer : pointers)
    packed.push_back(&pointer);
  impl->entry(packed.data());
  for (const HostTensorInfo &info : impl->outputs) {
    const uint8_t *data = info.bytes ? buffers[next++].get() : nullptr;
    results.push_back({info.type, info.shape, {data, data + info.bytes}});
  }
  return results;
}

std::vector<std::string> goldenValues(ModuleOp module) {
  std::vector<std::string> names;
  if (auto main = module.lookupSymbol<func::FuncOp>("main"); main && !main.isExternal())
    for (Operation &op : main.front())
      if (auto name = op.getAttrOfType<StringAttr>("dojo.value"))
        names.push_back(name.str());
  return names;
}

Expected<std::map<std::string, HostTensor>>
runGolden(ModuleOp module, const std::map<std::string, HostTensor> &inputs,
          ArrayRef<std::string> values) {
  auto program = GoldenProgram::compile(module, values);
  if (!program)
    return program.takeError();
  std::vector<HostTensor> ordered;
  for (const HostTensorInfo &info : (*program)->getInputs()) {
    auto it = inputs.find(info.name);
    if (it == inputs.end())
      return createStringError("input '" + info.name + "' is missing");
    ordered.push_back(it->second);
  }
  auto results = (*program)->run(ordered);
  if (!results)
    return results.takeError();
  std::map<std::string, HostTensor> named;
  for (auto [info, tensor] : zip((*program)->getOutputs(), *results))
    named.insert_or_assign(info.name, std::move(tensor));
  return named;
}

} // namespace mlir::dojo
