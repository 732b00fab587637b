// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// First pass of the assembler: what stands where. Nothing is encoded yet.
#ifndef DOJO_ASSEMBLER_LAYOUT_H
#define DOJO_ASSEMBLER_LAYOUT_H

#include "Expression.h"
#include "dojo/Assembler/Assembler.h"
#include "dojo/Image/Description.h"

#include <map>
#include <optional>

namespace dojo::assembler {

/// An instruction or a data directive.
struct Item {
  unsigned line = 0;
  uint32_t address = 0, bytes = 0;
  bool code = false;
  int32_t layer = -1;
  std::string_view symbol;    // the last label before it
  std::string_view directive; // of data
  std::string_view text;      // the instruction, or what follows the directive
};

/// What goes to one set of nodes. Its labels are its own.
struct Section {
  unsigned line = 0;
  std::vector<int64_t> nodes;
  std::map<std::string_view, int64_t> names;
  std::vector<Item> items;
};

/// `.thread`.
struct Start {
  unsigned line = 0;
  size_t section = 0;
  unsigned thread = 0;
  uint32_t address = 0;
};

/// `.space`: bytes set aside without content.
struct Space {
  size_t section = 0;
  uint32_t address = 0, bytes = 0;
  std::string_view symbol;
  int32_t layer = -1;
};

/// `.input`, `.output`; `section` gives the names they may use.
struct TensorPart {
  unsigned line = 0;
  bool isInput = false;
  size_t section = 0;
  std::string_view text;
};

struct Layout {
  Target target;
  std::map<std::string_view, int64_t> names; // `.equ` before the first section
  std::vector<Section> sections;
  std::vector<Start> starts;
  std::vector<Space> spaces;
  std::vector<TensorPart> tensors;
  std::vector<image::Layer> layers;
  image::Description description; // `.describe`

  /// Value of a name as seen from a section; `sections.size()`: from outside of all.
  std::optional<int64_t> find(size_t section, std::string_view name) const;
};

/// Reads the source; views in `out` point into it. Errors are appended.
void layOut(std::string_view source, Layout &out, std::vector<Error> &errors);

} // namespace dojo::assembler

#endif
