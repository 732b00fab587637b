// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Reference/CpuRunner.h"

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Support/WeightData.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::dojo;

namespace {

// Bufferises in place, then loops, then LLVM. Casts of bf16 are spelled out in integer arithmetic,
// for hosts without instructions for them.
constexpr StringLiteral bufferize =
    "eliminate-empty-tensors,empty-tensor-to-alloc-tensor,"
    "one-shot-bufferize{bufferize-function-boundaries "
    "function-boundary-type-conversion=identity-layout-map},canonicalize,cse,"
    "buffer-results-to-out-params{hoist-static-allocs=1 modify-public-functions=1},"
    "canonicalize,cse,buffer-deallocation-pipeline";
constexpr StringLiteral toLLVM =
    "func.func(convert-linalg-to-loops),"
    "lower-affine,convert-scf-to-cf,expand-strided-metadata,lower-affine,"
    "arith-expand{include-bf16=1},"
    "convert-math-to-llvm,convert-math-to-libm,convert-vector-to-llvm,convert-ub-to-llvm,"
    "convert-index-to-llvm,convert-arith-to-llvm,finalize-memref-to-llvm,"
    "convert-func-to-llvm{use-bare-ptr-memref-call-conv=1},convert-cf-to-llvm,canonicalize,"
    "reconcile-unrealized-casts";

uint64_t bytesOf(Type type) { return getArrayType(cast<RankedTensorType>(type))->bytes(); }

/// Every weight becomes a further argument; their bytes are appended to `weights`.
LogicalResult exposeWeights(func::FuncOp function, std::vector<std::vector<uint8_t>> &weights) {
  WeightReader reader;
  SmallVector<WeightOp> ops;
  function.walk([&](WeightOp op) { ops.push_back(op); });
  for (WeightOp op : ops) {
    FailureOr<std::vector<uint8_t>> bytes = reader.read(op);
    if (failed(bytes))
      return failure();
    weights.push_back(std::move(*bytes));
    unsigned number = function.getNumArguments();
    if (failed(function.insertArgument(number, op.getType(), {}, op.getLoc())))
      return failure();
    op.replaceAllUsesWith(function.getArgument(number));
    op.erase();
  }
  return success();
}

/// Puts the last loop of the result of a contraction, most often the one that is contiguous there,
/// innermost, where LLVM's vectoriser wants it.
void interchangeContractions(func::FuncOp function) {
  IRRewriter rewriter(function.getContext());
  SmallVector<linalg::GenericOp> ops;
  function.walk([&](linalg::GenericOp op) { ops.push_back(op); });
  for (linalg::GenericOp op : ops) {
    AffineMap result = op.getIndexingMapsArray().back();
    if (op.getNumReductionLoops() == 0 || op.getNumDpsInputs() != 2 ||
        !result.isProjectedPermutation() || result.getNumResults() == 0)
      continue;
    // Output channels come second in the model's convolutions.
    unsigned inner = result.getDimPosition(
        result.getNumResults() == 4 && op.getNumLoops() > 5 ? 1 : result.getNumResults() - 1);
    SmallVector<unsigned> order;
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
      if (loop != inner)
        order.push_back(loop);
    order.push_back(inner);
    rewriter.setInsertionPoint(op);
    (void)linalg::interchangeGenericOp(rewriter, op, order);
  }
}

/// Copies become loops too: the engine has no run-time library.
void expandCopies(ModuleOp module) {
  OpBuilder builder(module.getContext());
  SmallVector<memref::CopyOp> copies;
  module.walk([&](memref::CopyOp op) { copies.push_back(op); });
  for (memref::CopyOp op : copies) {
    builder.setInsertionPoint(op);
    linalg::makeMemRefCopyOp(builder, op.getLoc(), op.getSource(), op.getTarget());
    op.erase();
  }
}

LogicalResult runPasses(ModuleOp module, StringRef passes) {
  PassManager manager(module.getContext());
  return failure(failed(parsePassPipeline(passes, manager)) || failed(manager.run(module)));
}

/// LLVM's default pipeline without unrolling, which costs most of its time and gains nothing here.
llvm::Error optimise(llvm::Module *module, llvm::TargetMachine *machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(*module, modules);
  return llvm::Error::success();
}

} // namespace

CpuFunction::~CpuFunction() = default;

std::unique_ptr<CpuFunction> CpuFunction::compile(ModuleOp module, StringRef name) {
  auto original = module.lookupSymbol<func::FuncOp>(name);
  if (!original || original.isExternal()) {
    module.emitError() << "has no function '" << name << "'";
    return nullptr;
  }
  for (TypeRange types :
       {TypeRange(original.getArgumentTypes()), TypeRange(original.getResultTypes())})
    for (Type type : types)
      if (auto tensor = dyn_cast<RankedTensorType>(type); !tensor || !getArrayType(tensor)) {
        original.emitError() << "has an argument or result of type " << type
                             << ", which is no tensor of fixed shape with elements of whole bytes";
        return nullptr;
      }
  std::unique_ptr<CpuFunction> result(new CpuFunction());
  for (Type type : original.getArgumentTypes())
    result->inputBytes.push_back(bytesOf(type));
  for (Type type : original.getResultTypes())
    result->outputBytes.push_back(bytesOf(type));

  OwningOpRef<ModuleOp> own = ModuleOp::create(module.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(own->getBody());
  auto function = cast<func::FuncOp>(builder.clone(*original));
  if (failed(exposeWeights(function, result->weights)))
    return nullptr;
  interchangeContractions(function);
  // A result that is an argument, or the same as another, would share its buffer.
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    function.setArgAttr(i, "bufferization.writable", builder.getBoolAttr(false));

  MLIRContext *context = module.getContext();
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context->appendDialectRegistry(registry);
  if (failed(runPasses(*own, bufferize)))
    return nullptr;
  expandCopies(*own);
  if (failed(runPasses(*own, toLLVM)))
    return nullptr;

  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto host = llvm::orc::JITTargetMachineBuilder::detectHost();
  auto fail = [&](llvm::Error error) {
    module.emitError() << "cannot be compiled for the host: " << llvm::toString(std::move(error));
    return nullptr;
  };
  if (!host)
    return fail(host.takeError());
  auto machine = host->createTargetMachine();
  if (!machine)
    return fail(machine.takeError());
  llvm::TargetMachine *tuned = machine->get();
  ExecutionEngineOptions options;
  auto transformer = [tuned](llvm::Module *llvmModule) { return optimise(llvmModule, tuned); };
  options.transformer = transformer;
  options.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Default;
  auto engine = ExecutionEngine::create(*own, options, std::move(*machine));
  if (!engine)
    return fail(engine.takeError());
  result->engine = std::move(*engine);
  if (auto entry = result->engine->lookupPacked(name))
    result->entry = *entry;
  else
    return fail(entry.takeError());
  return result;
}

std::vector<std::vector<uint8_t>> CpuFunction::run(ArrayRef<ArrayRef<uint8_t>> inputs) {
  assert(inputs.size() == inputBytes.size() && "one array an argument");
  std::vector<std::vector<uint8_t>> outputs;
  SmallVector<void *> pointers;
  for (auto [input, bytes] : llvm::zip_equal(inputs, inputBytes)) {
    assert(input.size() == bytes && "an array of the argument's size");
    pointers.push_back(const_cast<uint8_t *>(input.data()));
  }
  for (std::vector<uint8_t> &weight : weights)
    pointers.push_back(weight.data());
  for (uint64_t bytes : outputBytes)
    outputs.emplace_back(bytes);
  for (std::vector<uint8_t> &output : outputs)
    pointers.push_back(output.data());
  // The engine takes the address of each argument.
  SmallVector<void *> arguments;
  for (void *&pointer : pointers)
    arguments.push_back(&pointer);
  entry(arguments.data());
  return outputs;
}
