// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef DOJO_TOOLS_DOJOBENCH_RANDOMINPUTS_H
#define DOJO_TOOLS_DOJOBENCH_RANDOMINPUTS_H

#include "dojo/Image/ElementType.h"
#include "dojo/Npy/Elements.h"
#include "dojo/Runtime/Runtime.h"

namespace dojo::bench {

/// Sets every input of the image, the same each time.
[[nodiscard]] inline bool setRandomInputs(Runtime &runtime, std::string &error) {
  for (const image::TensorRef &input : runtime.image().inputs) {
    const image::ElementType &type = *image::findElementType(input.type);
    std::vector<uint8_t> bytes =
        npy::randomElements(1, input.name, type, image::tensorBytes(input) / type.bytes);
    if (!runtime.setInput(input.name, bytes, error))
      return false;
  }
  return true;
}

} // namespace dojo::bench

#endif
