// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The oracle of the instructions' semantic tests: for each, one line of assembly and a reference
// written without the emulator's code.
//
// A case's instruction reads x5, x6, x7, v1, v2, v3, m1 and memory at x11 (128 bytes that may be
// written), and writes x4, v4, m2 or that memory. Before it x4 = x7, v4 = v3, m2 = m1.
#ifndef DOJO_TEST_EMULATOR_SEMANTICCASES_H
#define DOJO_TEST_EMULATOR_SEMANTICCASES_H

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dojo::emu {

using Lanes = std::array<uint32_t, 16>;

struct SemanticState {
  uint64_t x4, x5, x6, x7, x11;
  uint64_t m1, m2;
  Lanes v1, v2, v3, v4;
  std::array<uint8_t, 128> memory;
};

struct SemanticCase {
  std::string text;
  std::function<void(SemanticState &)> reference;
  /// What the random operands are like.
  enum Data { Integers, Floats, SmallFloats } data = Integers;
  std::string mnemonic() const { return text.substr(0, text.find(' ')); }
};

std::vector<SemanticCase> scalarCases();
std::vector<SemanticCase> simdCases();
std::vector<SemanticCase> laneCases();
std::vector<SemanticCase> memoryCases();

// References shared by the tables: fp32 with the library's operations.
float laneFloat(uint32_t bits);   // denormals are zero
uint32_t floatLane(double value); // rounds once, denormals to zero, NaN canonical

} // namespace dojo::emu

#endif
