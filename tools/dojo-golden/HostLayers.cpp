// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "HostLayers.h"

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"

using namespace llvm;
using namespace mlir;
using namespace mlir::dojo;

namespace dojo::golden {

/// Attributes of an argument or a result that is called `name`.
static Attribute called(MLIRContext *context, StringRef name) {
  Builder b(context);
  return b.getDictionaryAttr(b.getNamedAttr("dojo.name", b.getStringAttr(name)));
}

/// The attributes of `count` arguments or results.
static SmallVector<Attribute> attributesOf(MLIRContext *context, ArrayAttr all, unsigned count) {
  if (all)
    return SmallVector<Attribute>(all.begin(), all.end());
  return SmallVector<Attribute>(count, DictionaryAttr::get(context));
}

Expected<HostLayers> HostLayers::compile(ModuleOp original, bool isolated) {
  OwningOpRef<ModuleOp> module(original.clone());
  auto main = module->lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !main.getBody().hasOneBlock())
    return createStringError("there is no function @main of layers");
  MLIRContext *context = main.getContext();
  Block &body = main.getBody().front();
  module->walk([](RedistributeOp op) {
    op.replaceAllUsesWith(op.getSource());
    op.erase();
  });

  HostLayers host;
  SmallVector<Value> results;
  SmallVector<Attribute> resultAttrs;
  SmallVector<Attribute> argumentAttrs =
      attributesOf(context, main.getAllArgAttrs(), main.getNumArguments());
  host.taken.assign(body.getNumArguments(), -1);
  for (LayerOp layer : main.getOps<LayerOp>()) {
    auto value = layer->getAttrOfType<StringAttr>("dojo.value");
    Value result = layer->getResult(0);
    if (isolated && !result.use_empty()) {
      result.replaceAllUsesWith(body.addArgument(result.getType(), layer.getLoc()));
      argumentAttrs.push_back(called(context, layer.getName()));
      host.taken.push_back(int64_t(host.all.size()));
    }
    results.push_back(result);
    resultAttrs.push_back(called(context, layer.getName()));
    host.all.push_back({layer.getName().str(), value ? value.str() : ""});
  }
  Operation *terminator = body.getTerminator();
  llvm::append_range(results, terminator->getOperands());
  llvm::append_range(resultAttrs,
                     attributesOf(context, main.getAllResultAttrs(), main.getNumResults()));
  terminator->setOperands(results);
  main.setType(FunctionType::get(context, body.getArgumentTypes(), ValueRange(results).getTypes()));
  main.setAllArgAttrs(argumentAttrs);
  main.setAllResultAttrs(resultAttrs);

  PassManager expand(context);
  expand.nest<func::FuncOp>().addPass(createExpandLayers());
  if (failed(expand.run(*module)))
    return createStringError("the layers cannot be lowered for the host");
  auto program = GoldenProgram::compile(*module);
  if (!program)
    return program.takeError();
  host.program = std::move(*program);
  return host;
}

Expected<std::vector<HostTensor>> HostLayers::run(Source source) {
  std::vector<HostTensor> inputs;
  for (auto [info, layer] : zip_equal(program->getInputs(), taken)) {
    auto tensor = source(info, layer);
    if (!tensor)
      return tensor.takeError();
    inputs.push_back(std::move(*tensor));
  }
  return program->run(inputs);
}

} // namespace dojo::golden
