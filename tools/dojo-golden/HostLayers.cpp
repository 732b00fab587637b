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

/// Attributes of arguments or results that have grown to `names`.size(); new ones get the name.
static SmallVector<Attribute> named(MLIRContext *context, ArrayAttr old,
                                    ArrayRef<std::string> names) {
  SmallVector<Attribute> attrs;
  if (old)
    attrs.append(old.begin(), old.end());
  Builder b(context);
  for (size_t i = attrs.size(); i < names.size(); ++i)
    attrs.push_back(b.getDictionaryAttr(b.getNamedAttr("dojo.name", b.getStringAttr(names[i]))));
  return attrs;
}

Expected<HostLayers> HostLayers::compile(ModuleOp original, bool isolated) {
  OwningOpRef<ModuleOp> module(original.clone());
  auto main = module->lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !main.getBody().hasOneBlock())
    return createStringError("there is no function @main of layers");
  MLIRContext *context = main.getContext();
  Block &body = main.getBody().front();
  for (auto op : make_early_inc_range(main.getOps<RedistributeOp>())) {
    op.replaceAllUsesWith(op.getSource());
    op.erase();
  }

  HostLayers host;
  SmallVector<Value> results;
  std::vector<std::string> names;
  ArrayAttr argumentAttrs = main.getAllArgAttrs();
  std::vector<std::string> arguments(body.getNumArguments());
  host.taken.assign(body.getNumArguments(), -1);
  for (LayerOp layer : main.getOps<LayerOp>()) {
    auto value = layer->getAttrOfType<StringAttr>("dojo.value");
    Value result = layer->getResult(0);
    if (isolated && !result.use_empty()) {
      result.replaceAllUsesWith(body.addArgument(result.getType(), layer.getLoc()));
      arguments.push_back(layer.getName().str());
      host.taken.push_back(int64_t(host.all.size()));
    }
    results.push_back(result);
    names.push_back(layer.getName().str());
    host.all.push_back({layer.getName().str(), value ? value.str() : ""});
  }
  body.getTerminator()->setOperands(results);
  if (!argumentAttrs) {
    // The first arguments have no attributes: none of them may take a layer's name.
    SmallVector<Attribute> none(main.getNumArguments(), DictionaryAttr::get(context));
    argumentAttrs = ArrayAttr::get(context, none);
  }
  main.setType(FunctionType::get(context, body.getArgumentTypes(), ValueRange(results).getTypes()));
  main.setAllArgAttrs(named(context, argumentAttrs, arguments));
  main.setAllResultAttrs(named(context, {}, names));

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
