// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Transforms/NodeNames.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::dojo;

static void collect(Location location, SetVector<StringAttr> &names) {
  if (auto name = dyn_cast<NameLoc>(location)) {
    names.insert(name.getName());
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collect(part, names);
  } else if (auto call = dyn_cast<CallSiteLoc>(location)) {
    collect(call.getCallee(), names);
  }
}

SmallVector<StringAttr> mlir::dojo::getNodeNames(Location location) {
  SetVector<StringAttr> names;
  collect(location, names);
  return names.takeVector();
}

Location mlir::dojo::fuseLocations(ArrayRef<Location> locations) {
  SetVector<StringAttr> names;
  for (Location location : locations)
    collect(location, names);
  if (names.empty())
    return locations.front();
  SmallVector<Location> parts;
  for (StringAttr name : names)
    parts.push_back(NameLoc::get(name));
  return FusedLoc::get(parts, {}, locations.front().getContext());
}

InFlightDiagnostic mlir::dojo::emitNodeError(Operation *op) {
  InFlightDiagnostic diagnostic = op->emitError();
  SmallVector<StringAttr> names = getNodeNames(op->getLoc());
  for (auto [index, name] : llvm::enumerate(names))
    diagnostic << (index ? ", '" : "ONNX node '") << name.getValue() << "'";
  if (!names.empty())
    diagnostic << ": ";
  return diagnostic;
}
