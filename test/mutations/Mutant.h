// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled image that may be changed: bytes of one node or of all that share them, transfer
// lists, tables, instructions, and everything the manifest says.
#ifndef DOJO_TEST_MUTATIONS_MUTANT_H
#define DOJO_TEST_MUTATIONS_MUTANT_H

#include "dojo/ISA/Descriptor.h"
#include "dojo/ISA/ISA.h"
#include "dojo/Image/Image.h"

#include <random>
#include <string>
#include <vector>

namespace dojo::mutations {

/// Draws from one seed, the same everywhere.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}
  uint64_t below(uint64_t n) { return engine() % n; }
  bool flip() { return engine() & 1; }
  template <typename T> auto &oneOf(T &list) { return list[below(list.size())]; }
  template <typename T> const T &oneOf(std::initializer_list<T> list) {
    return list.begin()[below(list.size())];
  }

private:
  std::mt19937_64 engine;
};

/// Where the per-node tables and lists begin, as the main programs say: `li x2, TABLE` first in
/// main.0 and main.1, `list ADDRESS` in main.2.
struct TablePlaces {
  uint32_t arrivals = 0; ///< per layer: prologue, arrivals to wait for, kernel
  uint32_t halves = 0;   ///< thread 1's kernels
  uint32_t list = 0;
};

class Mutant {
public:
  /// `good` must outlive the mutant and be one of the compiler's.
  explicit Mutant(const image::Image &good);
  Mutant(const Mutant &) = delete;

  image::Image image;

  /// Nodes with programs, ascending.
  const std::vector<int64_t> &nodes() const { return usable; }
  const TablePlaces &tables() const { return places; }
  /// Words of the tables: three a layer, then one for each half.
  uint32_t tableWords() const { return (places.list - places.arrivals) / 4; }

  /// Index of the load that holds an address of a node, or -1.
  int64_t loadAt(int64_t node, uint32_t address) const;
  std::span<const uint8_t> bytesOf(uint32_t load) const;
  uint32_t word(int64_t node, uint32_t address) const;
  std::vector<isa::Descriptor> list(int64_t node) const;

  /// Changes placed bytes: on every node that shares the load, or on the node alone. The load grows
  /// if need be; false if it would run into another.
  bool write(int64_t node, uint32_t address, std::span<const uint8_t> bytes, bool alone);
  bool setWord(int64_t node, uint32_t address, uint32_t value);
  bool setList(int64_t node, const std::vector<isa::Descriptor> &list);
  /// Index of a set with one node.
  uint32_t singleton(int64_t node);

  /// An instruction of a load.
  struct Site {
    int64_t node;
    uint32_t pc;
    isa::Inst inst;
  };
  /// All instructions of a load, from its start on.
  std::vector<Site> instructions(int64_t node, uint32_t load) const;
  /// Those of a thread's main program.
  std::vector<Site> text(int64_t node, unsigned thread) const;
  /// Code loads of a node.
  std::vector<uint32_t> codeOf(int64_t node) const;
  bool put(const Site &at, const isa::Inst &inst, bool alone);

  /// The file of the changed image, its checksums made anew. False: the loader refuses it, for the
  /// reason in `error`.
  bool reload(image::Image &out, std::string &error) const;

private:
  void refresh();

  std::vector<uint8_t> code, data;
  std::vector<int64_t> usable;
  TablePlaces places;
};

} // namespace dojo::mutations

#endif // DOJO_TEST_MUTATIONS_MUTANT_H
