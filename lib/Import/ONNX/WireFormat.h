// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A walk over the bytes of a serialised ModelProto that leaves weights where they are.

#ifndef DOJO_LIB_IMPORT_ONNX_WIREFORMAT_H
#define DOJO_LIB_IMPORT_ONNX_WIREFORMAT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::dojo::onnximport {

/// The `location` of external data that lies in the model file itself. It cannot be a path.
inline constexpr llvm::StringLiteral kModelFileLocation("\x01model");

/// Returns a copy of `model`, a serialised onnx.ModelProto, in which the raw_data of every tensor
/// (initialiser or attribute, at any depth) of more than `keepBytes` bytes is replaced by external
/// data with the location kModelFileLocation and raw_data's offset and length in `model`.
/// So the copy is small, no later step copies weights, and models above protobuf's limit of 2 GB
/// can be read. Fails if a length runs past the end of its message.
llvm::Expected<std::string> moveRawDataOut(llvm::StringRef model, size_t keepBytes);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_WIREFORMAT_H
