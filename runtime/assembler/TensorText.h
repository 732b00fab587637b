// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Graph inputs and outputs as text:
//   NAME TYPE SHAPE [part LO SIZE] at @ROW:COLUMN ADDRESS
// SHAPE and SIZE as in 4x16 (`scalar`: no dimension), LO as in 0,16.
#ifndef DOJO_ASSEMBLER_TENSORTEXT_H
#define DOJO_ASSEMBLER_TENSORTEXT_H

#include "Expression.h"
#include "dojo/Image/Image.h"

namespace dojo::assembler {

/// Adds what follows `.input` or `.output` as one more box of the tensor of this name, row-major
/// and dense. The caller sets the box's node set from `node`. False with a reason.
bool addTensorPart(std::string_view text, const Target &target, const NameLookup &lookup,
                   std::vector<image::TensorRef> &tensors, int64_t &node, std::string &error);

/// Bytes from the first to the last element of a box.
uint32_t boxBytes(const image::TensorRef &tensor, const image::Box &box);

} // namespace dojo::assembler

#endif
