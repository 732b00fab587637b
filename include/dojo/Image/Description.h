// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything of an image but the contents of its blobs, as lines of text: the manifest as JSON,
// then a line for each row of each table. docs/image.md names the tables.
#ifndef DOJO_IMAGE_DESCRIPTION_H
#define DOJO_IMAGE_DESCRIPTION_H

#include "dojo/Image/Image.h"

#include <functional>
#include <map>
#include <string_view>

namespace dojo::image {

/// Lines "TABLE ROW" in the order in which they are to be read; without '#' and line ends.
std::vector<std::string> describe(const Image &image);

/// The way back.
class Description {
public:
  /// Takes the next line. False with \p error if it is malformed; the first must be the manifest.
  [[nodiscard]] bool add(std::string_view line, std::string &error);

  bool empty() const { return !hasManifest; }
  const Target &target() const { return image.target; }

  /// What lies at \p address on each of \p nodes; false if there is nothing, or not the same on
  /// all of them.
  using Content =
      std::function<bool(const NodeSet &nodes, uint32_t address, std::span<uint8_t> bytes)>;

  /// The image. False with \p error if rows contradict each other or \p content has nothing for a
  /// load. The image is not validated.
  [[nodiscard]] bool build(const Content &content, Image &out, std::string &error);

private:
  using Row = std::vector<int64_t>;
  Image image;
  std::map<std::string, std::vector<Row>, std::less<>> tables;
  bool hasManifest = false;
};

} // namespace dojo::image

#endif
