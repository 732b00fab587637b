// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names of ONNX nodes, carried by the locations of ops.

#ifndef DOJO_TRANSFORMS_NODENAMES_H
#define DOJO_TRANSFORMS_NODENAMES_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/Operation.h"

namespace mlir::dojo {

/// The names in `location`, each once, in order.
SmallVector<StringAttr> getNodeNames(Location location);

/// One location with all the names of `locations`; the first location if none has a name.
Location fuseLocations(ArrayRef<Location> locations);

/// Starts an error at `op` that begins with the names of its nodes, if it has any.
InFlightDiagnostic emitNodeError(Operation *op);

} // namespace mlir::dojo

#endif // DOJO_TRANSFORMS_NODENAMES_H
