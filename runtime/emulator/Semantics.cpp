// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Semantics.h"

namespace dojo::emu {

SemanticFunction semanticOf(isa::Opcode opcode) {
  switch (opcode) {
#define DOJO_SEMANTIC(opcode, function)                                                            \
  case isa::Opcode::opcode:                                                                        \
    return portable::semantics::function;
#include "dojo/ISA/EmulatorDispatch.inc"
  default:
    return nullptr; // reserved, never decoded
  }
}

} // namespace dojo::emu
