// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A layer in the planner's terms.

#ifndef DOJO_CONVERSION_MESH_PLANPROBLEM_H
#define DOJO_CONVERSION_MESH_PLANPROBLEM_H

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Planning/LayerProblem.h"
#include "dojo/Planning/Mesh.h"
#include "dojo/Transforms/LayerAccess.h"

namespace mlir::dojo {

/// Loops, operands and work of a layer. `constant` operands are those that dojo.weight ops make.
::dojo::planning::LayerProblem planProblemOf(LayerOp layer, const LayerAccess &access);

/// What is wrong with a plan, which may come from a file; empty if nothing.
std::string planFault(PlanAttr plan, LayerOp op, const LayerAccess &access,
                      const ::dojo::planning::Mesh &mesh);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_PLANPROBLEM_H
