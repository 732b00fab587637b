// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copying between tensors and the boxes of them that nodes hold.
#ifndef DOJO_RUNTIME_API_BOXES_H
#define DOJO_RUNTIME_API_BOXES_H

#include "dojo/Image/Image.h"

namespace dojo {

/// Calls visit(address in SRAM, offset in the row-major tensor, bytes) for each run of bytes of \p
/// box that is contiguous in both. Stops, false, where visit returns false.
template <class F>
bool forEachRun(const image::TensorRef &tensor, const image::Box &box, int64_t elementBytes,
                F visit) {
  size_t rank = tensor.shape.size();
  std::vector<int64_t> pitch(rank + 1, elementBytes); // of the row-major tensor, in bytes
  for (size_t d = rank; d-- > 0;)
    pitch[d] = pitch[d + 1] * tensor.shape[d];
  // Dimensions from `inner` on make one run.
  size_t inner = rank;
  int64_t run = elementBytes;
  while (inner > 0 && pitch[inner] == run &&
         (box.strides[inner - 1] == run || box.size[inner - 1] == 1)) {
    run *= box.size[inner - 1];
    --inner;
  }
  int64_t address = box.address, offset = 0;
  for (size_t d = 0; d < rank; ++d)
    offset += box.lo[d] * pitch[d + 1];
  std::vector<int64_t> index(inner, 0);
  while (true) {
    if (!visit(uint32_t(address), offset, run))
      return false;
    size_t d = inner;
    while (d > 0) {
      --d;
      address += box.strides[d], offset += pitch[d + 1];
      if (++index[d] < box.size[d])
        break;
      address -= box.size[d] * box.strides[d], offset -= box.size[d] * pitch[d + 1];
      index[d] = 0;
      if (d == 0)
        return true;
    }
    if (inner == 0)
      return true;
  }
}

} // namespace dojo

#endif
