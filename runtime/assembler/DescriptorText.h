// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transfer descriptors as text: a kind, then named fields. docs/assembly.md lists them.
#ifndef DOJO_ASSEMBLER_DESCRIPTORTEXT_H
#define DOJO_ASSEMBLER_DESCRIPTORTEXT_H

#include "Expression.h"
#include "dojo/ISA/Descriptor.h"

namespace dojo::assembler {

/// Parses what follows `.descriptor`. False with a reason.
bool parseDescriptor(std::string_view text, const Target &target, const NameLookup &lookup,
                     isa::Descriptor &out, std::string &error);

} // namespace dojo::assembler

#endif
