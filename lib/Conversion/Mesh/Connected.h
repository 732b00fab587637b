// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DOJO_CONVERSION_MESH_CONNECTED_H
#define DOJO_CONVERSION_MESH_CONNECTED_H

#include "dojo/Planning/Mesh.h"
#include "mlir/IR/Location.h"

namespace mlir::dojo {

/// An error that names nodes, routers and remedies if routers that do not forward cut the usable
/// nodes into parts.
LogicalResult checkConnected(Location loc, const ::dojo::planning::Mesh &mesh);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_CONNECTED_H
