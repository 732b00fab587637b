// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Accesses that native code makes itself, at the borders of what they may touch: with masks that
// take away what lies beyond, or not quite; stores at and into code; bases that first appear while
// operands of matrix steps are in the host's registers.
#include "NativeAgreement.h"

using namespace dojo;
using namespace dojo::emu;

namespace {

class BorderWriter {
public:
  BorderWriter(unsigned seed, unsigned sramBytes, unsigned data)
      : engine(seed), sramBytes(sramBytes), data(data) {}

  std::string write() {
    line("li x9, " + number(1 + below(3)));
    line("mlanes.i m1, " + number(lanes[1]) + "\nmlanes.i m2, " + number(lanes[2]));
    if (below(2))
      line("mxor m2, m1, m2"); // lanes from one on, or none
    for (unsigned i = 0; i < 6; ++i)
      line("li x20, " + number(data + 0x400 * i) + "\nvld v" + number(i) + ", 0(x20), w32, m0");
    line("again:");
    for (unsigned i = 0, pieces = 3 + below(12); i < pieces; ++i)
      piece();
    line("loop x9, again");
    for (unsigned acc = 0; acc < 4; ++acc)
      line("drain v" + number(8 + acc) + ", acc" + number(acc) + ", 0");
    line("halt");
    return text;
  }

private:
  static std::string number(unsigned n) { return std::to_string(n); }
  unsigned below(unsigned n) { return static_cast<unsigned>(engine()) % n; }
  void line(const std::string &s) { text += s + "\n"; }
  std::string vector() { return "v" + number(below(6)); }

  void piece() {
    if (below(2)) {
      line("mm acc" + number(below(4)) + ", " + vector() + ", " + vector() + ", 0, bf16");
      return;
    }
    // Mostly within what is allowed by the mask or by itself.
    bool store = below(2), border = below(3) != 0;
    unsigned end = store ? TestMachine::codeBase : sramBytes;
    // The last lane lies at the border's end, or beyond it.
    unsigned mask = below(3), last = lanes[mask] - (below(12) == 0);
    unsigned place = border ? end - 4 * last : data + 64 * below(64);
    std::string base = "x" + number(1 + below(8)), offset = number(4 * below(8));
    line("li " + base + ", " + number(place) + "\naddi " + base + ", " + base + ", -" + offset);
    if (store)
      line("vst " + vector() + ", " + offset + "(" + base + "), w32, m" + number(mask));
    else
      line("vld " + vector() + ", " + offset + "(" + base + "), " + (below(3) ? "w32" : "bf16") +
           ", m" + number(mask));
  }

  std::mt19937 engine;
  const unsigned sramBytes, data;
  const unsigned lanes[3] = {16, 1 + below(15), 1 + below(15)}; // by mask register
  std::string text;
};

class NativeAccess : public NativeAgreement {};

TEST_F(NativeAccess, AtBorders) {
  uint64_t before = numNativeBlocks();
  for (unsigned seed = 1; seed <= 300 && !HasFatalFailure(); ++seed)
    expectAgreement(seed,
                    BorderWriter(seed, static_cast<unsigned>(target.sramBytes), data).write());
  EXPECT_GT(good, 60u);
  EXPECT_GT(faults, 60u);
  if (supported(HostPath::Avx512))
    EXPECT_GT(numNativeBlocks(), before + 300);
}

} // namespace
