// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine a module is compiled for, as the module's attribute `dojo.machine` names it.

#ifndef DOJO_CONVERSION_MACHINE_H
#define DOJO_CONVERSION_MACHINE_H

#include "dojo/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::dojo {

/// Loads `target` (name or path), restricts it to the partition `nodes` ("RxC", empty: whole die)
/// and declares the positions `dead` ("R:C") dead. False with a message for people.
bool loadMachine(const std::string &target, const std::string &nodes, ArrayRef<std::string> dead,
                 ::dojo::Target &out, std::string &error);

/// Records the choice on the module, with the target's hash.
void setMachine(ModuleOp module, StringRef target, StringRef nodes, ArrayRef<std::string> dead,
                const ::dojo::Target &machine);

/// The machine recorded on the module; an error on the module if there is none or the target file
/// has changed since.
FailureOr<::dojo::Target> getMachine(ModuleOp module);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MACHINE_H
