// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libFuzzer target of the image loader. Checksums are made to fit first: they would hide what lies
// behind them.
#include "dojo/Image/Image.h"

#include <cstdlib>

using namespace dojo;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  (void)image::reseal(file);
  image::Image image;
  std::string error;
  if (!image::parseImage(file, nullptr, image, error)) {
    if (error.empty())
      std::abort();
    return 0;
  }
  // What is read is sound and can be written.
  std::vector<uint8_t> again;
  if (!image::serialize(image, again, error))
    std::abort();
  return 0;
}
