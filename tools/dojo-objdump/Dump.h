// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What dojo-objdump prints of a file that parseImage accepts.
#ifndef DOJO_OBJDUMP_DUMP_H
#define DOJO_OBJDUMP_DUMP_H

#include "dojo/Image/Image.h"

#include <iosfwd>
#include <span>
#include <string>

namespace dojo::objdump {

/// The sections of the file and the totals of the image.
void dumpSections(std::span<const uint8_t> file, const image::Image &image, std::ostream &os);

/// The manifest section, indented.
void dumpManifest(std::span<const uint8_t> file, std::ostream &os);

/// What lies in a node's SRAM by address: buffers with the layers in which they live, loads that no
/// buffer covers, gaps.
void dumpMap(const image::Image &image, int64_t node, std::ostream &os);

} // namespace dojo::objdump

#endif
