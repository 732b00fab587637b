// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Dojo/DojoDialect.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::dojo;

LogicalResult LoopOp::verify() {
  if (getInits().getTypes() != getResultTypes())
    return emitOpError("must result in what it carries");
  return success();
}

LogicalResult LoopOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto function = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(*this, getBodyAttr());
  if (!function || function.isExternal())
    return emitOpError("has no body @") << getBody();
  SmallVector<Type> inputs(getInits().getTypes()), results{getCondition().getType()};
  llvm::append_range(inputs, getInvariants().getTypes());
  llvm::append_range(results, getResultTypes());
  FunctionType expected = FunctionType::get(getContext(), inputs, results);
  if (function.getFunctionType() != expected)
    return emitOpError("needs a body of type ")
           << expected << "; @" << getBody() << " has " << function.getFunctionType();
  return success();
}
