// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the d1 level to an image file: encodes kernels and main programs, applies the transforms of
// constants, writes tables and transfer lists, and says in the manifest what lies where.

#ifndef DOJO_CONVERSION_IMAGEWRITER_H
#define DOJO_CONVERSION_IMAGEWRITER_H

#include "dojo/Image/Image.h"
#include "dojo/Verify/Verify.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::dojo {

/// Builds the image of a module at the d1 level. Errors are reported on the module or the op at
/// fault. \p intent, if not null, gets what the image is to be compared with: the transfers of the
/// module's exchanges, the instructions of its programs and the boxes of its ports. If code and
/// tables do not fit into what the allocation of SRAM left and \p codeNeeded is not null, no error
/// is reported and it gets the bytes of code that the allocation has to keep room for.
LogicalResult buildImage(ModuleOp module, ::dojo::image::Image &image,
                         ::dojo::verify::Intent *intent = nullptr, int64_t *codeNeeded = nullptr);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_IMAGEWRITER_H
