// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Assembly text to an image and back; the language is docs/assembly.md.
#ifndef DOJO_ASSEMBLER_ASSEMBLER_H
#define DOJO_ASSEMBLER_ASSEMBLER_H

#include "dojo/Image/Image.h"

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::assembler {

struct Error {
  unsigned line = 0; // from 1; 0: the file as a whole
  std::string message;
};

/// Assembles a whole file. False with every error found, in line order, if there is one; the image
/// is then unspecified. A sound image otherwise: image::validate has nothing to say.
[[nodiscard]] bool assemble(std::string_view source, image::Image &out, std::vector<Error> &errors);

struct PrintOptions {
  bool data = false;  // contents of data blobs too
  bool bytes = false; // address and bytes of each instruction in a comment
  /// With `data`: what else the image says, in `.describe` lines. Assembling the text then gives
  /// the same image, to the byte.
  bool description = false;
};

/// Prints the programs of an image as assembly: target, starts of threads, and each distinct code
/// of each set of nodes, with symbols as labels. With `data` on, assembling the text gives an image
/// that places the same bytes and starts the same threads.
void print(const image::Image &image, const PrintOptions &options, std::ostream &os);

/// The nodes of a set as the language writes them: "@0:0 @1:0..3".
std::string nodeSetText(const image::NodeSet &set, const Target &target);

} // namespace dojo::assembler

#endif
