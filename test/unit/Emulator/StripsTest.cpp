// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random matrix loops as native code runs them together (NativeStrip.h), held to the plain engine:
// several groups of accumulators, operands of the turn before, loads that widen or are masked,
// bases that move by constants or not, line crossings, more turns than one call runs, and accesses
// that leave the memory in some turn, with counters of 0, too.
#include "NativeAgreement.h"

using namespace dojo;
using namespace dojo::emu;

namespace {

constexpr uint32_t data = 0x10000;

// A loop of loads, matrix steps and scalar instructions, run several times.
class LoopWriter {
public:
  LoopWriter(unsigned seed, unsigned sramBytes) : engine(seed), sramBytes(sramBytes) {}

  std::string write() {
    unsigned accumulators = upTo(8), turns = chance(4) ? upTo(200) : upTo(20);
    if (leaves && chance(3))
      turns = 0; // counts down from 2^64: only leaving the memory ends it
    line("li x20, " + number(upTo(3)));
    line("mlanes.i m1, " + number(upTo(15)));
    line("outer:");
    for (unsigned base : bases)
      line("li x" + number(base) + ", " +
           number((leaves && base == 3) || chance(8) ? sramBytes - 64 * upTo(60)
                                                     : data + 0x8000 + 64 * upTo(200) + odd()));
    line("li x9, " + number(turns));
    line("li x10, " + number(8 * upTo(16)));
    if (chance(3))
      line("fill acc" + number(upTo(accumulators) - 1) + ", " + number(upTo(4) - 1) + ", v" +
           number(upTo(31)));
    line("next:");
    for (unsigned i = 0, pieces = 2 + upTo(24); i < pieces; ++i)
      piece(accumulators);
    if (leaves)
      line("vld v7, 0(x3), w32, m0\nadd x3, x3, x10");
    line("loop x9, next");
    line("loop x20, outer");
    for (unsigned acc = 0; acc < 8; ++acc)
      for (unsigned quarter = 0; quarter < 4; ++quarter)
        line("drain v" + number((4 * acc + quarter) % 32) + ", acc" + number(acc) + ", " +
             number(quarter));
    line("halt");
    return text;
  }

private:
  static constexpr unsigned bases[] = {1, 2, 3, 4};
  static std::string number(unsigned n) { return std::to_string(n); }
  unsigned upTo(unsigned n) { return 1 + static_cast<unsigned>(engine()) % n; }
  bool chance(unsigned n) { return engine() % n == 0; }
  unsigned odd() { return crossing ? 4 * upTo(15) : 0; }
  void line(const std::string &s) { text += s + "\n"; }
  std::string vector() { return "v" + number(upTo(6)); }

  std::string operand() {
    unsigned base = bases[upTo(4) - 1];
    static constexpr int steps[] = {64, 64, 128, -64, 192, 20, 48, -12};
    if (chance(2))
      return "(x" + number(base) + ")+" + std::to_string(steps[upTo(crossing ? 8 : 5) - 1]);
    return number(64 * upTo(8) - 64 + odd()) + "(x" + number(base) + ")";
  }

  void piece(unsigned accumulators) {
    if (chance(12) && uneven) {
      static constexpr const char *moves[] = {"add x3, x3, x10", "addi x4, x4, 64",
                                              "sub x2, x2, x10", "add x5, x5, x9"};
      line(moves[upTo(4) - 1]);
      return;
    }
    if (chance(3)) {
      line("vld " + vector() + ", " + operand() + ", " + (chance(4) ? "bf16" : "w32") + ", " +
           (chance(4) ? "m1" : "m0"));
      return;
    }
    std::string acc = "acc" + number(upTo(accumulators) - 1), first = chance(9) ? ", 1" : ", 0";
    switch (upTo(4)) {
    case 1:
      line("mm.vm " + acc + ", " + vector() + ", " + operand() + first + ", bf16");
      break;
    case 2:
      line("mm.mv " + acc + ", " + operand() + ", " + vector() + first + ", bf16");
      break;
    default:
      line("mm " + acc + ", " + vector() + ", " + vector() + first + ", bf16");
    }
  }

  std::mt19937 engine;
  const unsigned sramBytes;
  bool crossing = chance(2), uneven = chance(2), leaves = chance(4);
  std::string text;
};

class Strips : public NativeAgreement {};

TEST_F(Strips, AgreeWithThePlainEngine) {
  uint64_t before = numNativeBlocks();
  for (unsigned seed = 1; seed <= 150 && !HasFatalFailure(); ++seed)
    expectAgreement(seed, LoopWriter(seed, static_cast<unsigned>(target.sramBytes)).write());
  EXPECT_GT(good, 60u);
  EXPECT_GT(faults, 10u);
  if (supported(HostPath::Avx512))
    EXPECT_GT(numNativeBlocks(), before + 150);
}

} // namespace
