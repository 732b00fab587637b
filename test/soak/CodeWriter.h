// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random code of one thread: instructions of every class, loops, branches, calls and predicates,
// which touch nothing but the thread's own bytes and accumulators. Programs for tests are put
// together from such pieces and from text.
#ifndef DOJO_TEST_SOAK_CODEWRITER_H
#define DOJO_TEST_SOAK_CODEWRITER_H

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace dojo::emu {

/// What a thread has for itself.
struct CodePlace {
  uint32_t code = 0; ///< address of its first instruction
  uint32_t data = 0; ///< of CodeWriter::dataBytes bytes
  unsigned thread = 0;
  unsigned firstAccumulator = 0, accumulators = 1;
  /// If not 0, one instruction in so many is before an access to anywhere, undefined or a bad jump.
  int wildOneIn = 0;
};

class CodeWriter {
public:
  static constexpr uint32_t dataBytes = 0x4000;
  /// Registers that random instructions read as addresses but never write. v31 must hold 16 offsets
  /// for gathers, even and below gatherBytes. x28 to x31 are free for the text between pieces.
  static constexpr int vectorBase = 20, scalarBase = 22, link = 24, counter = 25, free = 28;
  static constexpr int gatherOffsets = 31;
  static constexpr uint32_t gatherBytes = 0x800;

  CodeWriter(std::mt19937 &engine, const CodePlace &place) : engine(engine), place(place) {}

  std::vector<uint8_t> code;

  uint32_t here() const { return place.code + static_cast<uint32_t>(code.size()); }
  int below(int n) { return static_cast<int>(engine() % static_cast<unsigned>(n)); }

  /// Appends lines of assembly; branch targets are addresses.
  void text(const std::string &lines);
  /// Straight code, a counted loop, one of matrix steps, a branch over code on what the data say,
  /// or a call; nested up to `depth` deep (2 at most).
  void piece(int depth);
  /// Straight code. It is run `times` times without a piece in between, at most.
  void instructions(int count, int times = 1);
  /// Sets the registers that addresses are made from; every piece begins so.
  void setBases();

private:
  // One of the first `kinds` that matrix loops have; 0: of any kind.
  static constexpr unsigned numMatrixLoopOps = 19;
  void instruction(int times, unsigned kinds = 0);
  void matrixLoop(int count);
  void replace(size_t at, const std::string &line);

  std::mt19937 &engine;
  CodePlace place;
  uint32_t drift = 0; // how far post-increments may still move the bases
};

/// A word that is likely to be special as fp32, or as two bfloat16.
uint32_t specialWord(std::mt19937 &engine);
/// So many bytes of such words.
std::vector<uint8_t> specialBytes(std::mt19937 &engine, size_t bytes);

} // namespace dojo::emu

#endif
