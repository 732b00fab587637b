// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Places in an image's code by name, and names for places.
#ifndef DOJO_TOOLS_DOJORUN_SYMBOLS_H
#define DOJO_TOOLS_DOJORUN_SYMBOLS_H

#include "dojo/Emulator/Stops.h"
#include "dojo/Image/Image.h"

namespace dojo::run {

/// Decimal, or hexadecimal after 0x.
[[nodiscard]] bool parseNumber(const std::string &text, uint64_t &out);

/// The places that "[LIST@]WHAT" names, each with the nodes that have code there. WHAT is an
/// address, a symbol or symbol+offset as dojo-objdump shows them, or a layer by its number as in
/// "layer 3", by its name or by that of one of its ONNX nodes: then where its code begins. LIST is
/// one of nodes (NodeList.h). False with \p error if there is no such place.
[[nodiscard]] bool findPlaces(const image::Image &image, const std::string &text,
                              std::vector<emu::Breakpoint> &out, std::string &error);

/// "0x1a4 <main.3+0x8>".
std::string describePc(const image::Image &image, uint32_t node, uint32_t pc);

/// "layer 3, Conv, ONNX node "x""; "no layer".
std::string describeLayer(const image::Image &image, int32_t layer);

/// "node 21 (row 1, column 1), thread 0".
std::string describeThread(const image::Image &image, uint32_t node, unsigned thread);

/// Where the code around `pc` begins and ends on a node; false if there is none.
[[nodiscard]] bool codeAround(const image::Image &image, uint32_t node, uint32_t pc,
                              uint32_t &begin, uint32_t &end);

} // namespace dojo::run

#endif
