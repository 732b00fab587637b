// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The issue rules, each by a few instructions whose cycles were worked out by hand for target d1.
//
// A thread's first line comes in cycle 6, so a program's first instruction issues there. Programs
// stay inside one code line (64 bytes) where lines are not the point; labels name the cycles.
#include "TestMachine.h"

#include "runtime/emulator/LineCache.h"

using namespace dojo;
using namespace dojo::emu;

namespace {

using Cycles = std::map<std::string, uint64_t>;

Target oneNode(const std::string &name = "d1") {
  Target die, target;
  std::string error;
  EXPECT_TRUE(loadTarget(name, die, error));
  EXPECT_TRUE(die.withPartition(1, 1, target, error)) << error;
  return target;
}

// Issue cycles of one or more threads' labelled instructions.
Cycles timed(const std::vector<std::string> &threads, const std::string &target = "d1") {
  TestMachine m(oneNode(target));
  for (unsigned i = 0; i < threads.size(); ++i)
    m.timedProgram(0, i, threads[i]);
  m.write(0, 0, std::vector<uint64_t>{2, 3, 0, 5});
  m.runGood();
  return m.cycles;
}

void expectCycles(const std::vector<std::string> &threads, const Cycles &want,
                  const std::string &target = "d1") {
  Cycles got = timed(threads, target);
  for (const auto &[label, cycle] : want)
    EXPECT_EQ(got[label], cycle) << label;
}

TEST(Issue, FourInstructionsOfAThreadACycle) {
  expectCycles({"a:\nnop\nnop\nnop\nb:\nnop\nc:\nnop\nnop\nnop\nnop\nd:\nhalt"},
               {{"a", 6}, {"b", 6}, {"c", 7}, {"d", 8}});
}

TEST(Issue, CyclesCountToTheLastIssue) {
  TestMachine m(oneNode());
  m.program(0, 0, "halt");
  EXPECT_EQ(m.runGood().counters.cycles, 7u);
}

TEST(Issue, ScalarLatencies) {
  const char *program = R"(
    addi x1, x0, 5
    a:
    mul x2, x1, x1       # adds take 1
    b:
    div x3, x2, x1       # multiplications 3
    c:
    add x4, x3, x0       # divisions 20
    ld x5, 0(x4)         # 8 bytes
    d:
    add x6, x5, x5       # loads 6
    halt
  )";
  // x4 is 5: loads there would be misaligned, so divide 25 by 5, then clear.
  std::string text = program;
  text.replace(text.find("add x4, x3, x0"), 14, "sub x4, x3, x3");
  expectCycles({text}, {{"a", 7}, {"b", 10}, {"c", 30}, {"d", 37}});
  expectCycles({text}, {{"a", 8}, {"b", 14}, {"c", 54}, {"d", 68}}, "d1-pessimistic");
}

TEST(Issue, TwoAluSlotsTwoAguSlots) {
  expectCycles({R"(
    addi x1, x0, 1
    a:
    addi x2, x0, 1
    b:
    addi x3, x0, 1
    c:
    ld x4, 0(x0)
    d:
    ld x5, 0(x0)
    e:
    ld x6, 0(x0)
    halt
  )"},
               {{"a", 6}, {"b", 7}, {"c", 7}, {"d", 7}, {"e", 8}});
}

TEST(Issue, OneStoreACycle) {
  expectCycles({"sd x0, 0(x0)\na:\nsd x0, 8(x0)\nb:\nld x1, 0(x0)\nhalt"}, {{"a", 7}, {"b", 7}});
}

TEST(Issue, DividerIsBusy) {
  expectCycles({"div x1, x0, x0\na:\ndiv x2, x0, x0\nb:\nhalt"}, {{"a", 26}, {"b", 26}});
  // A thread that waits for the divider is not asked, so the third thread decodes.
  expectCycles({"div x1, x0, x0\ndiv x2, x0, x0\nhalt", "addi x1, x0, 1\naddi x1, x0, 1\nhalt",
                "a:\naddi x1, x0, 1\nhalt"},
               {{"a", 7}});
}

TEST(Issue, YoungerResultIsNotEarlier) {
  // The load's result comes in cycle 12, the immediate's and the sum's one cycle after issue.
  expectCycles({"ld x1, 0(x0)\na:\nli x1, 5\nhalt"}, {{"a", 11}});
  expectCycles({"ld x1, 0(x0)\na:\naddi x1, x0, 5\nhalt"}, {{"a", 11}});
  expectCycles({"ld x0, 0(x0)\na:\naddi x0, x0, 5\nb:\naddi x2, x0, 1\nhalt"},
               {{"a", 6}, {"b", 6}});
}

TEST(Issue, SimdLatencyAndMemoryOperand) {
  expectCycles({R"(
    vmov v1, v0
    a:
    vfadd v2, v1, v1
    b:
    vfadd.m v3, v2, 0(x0), w32
    c:
    vmov v4, v3
    halt
  )"},
               {{"a", 10}, {"b", 14}, {"c", 24}});
  expectCycles({"vld v1, 0(x0), w32, m0\na:\nvmov v2, v1\nhalt"}, {{"a", 12}});
  expectCycles({"vfcmp m1, v0, v0, eq\na:\nvsel v1, m1, v0, v0\nb:\nmmov.m x1, m1\nhalt"},
               {{"a", 10}, {"b", 10}});
}

TEST(Issue, EstimateUnitIsBusy) {
  // Other SIMD operations go on beside it.
  expectCycles({"vrcpe v1, v0\na:\nvmov v2, v0\nb:\nvrcpe v3, v0\nc:\nvmov v4, v1\nhalt"},
               {{"a", 7}, {"b", 10}, {"c", 14}});
}

TEST(Issue, Gather) {
  // Two gathers hold both AGU slots for four cycles; the result comes after ten.
  expectCycles({R"(
    vgather8 v1, x0, v0, m0
    a:
    vgather8 v2, x0, v0, m0
    b:
    ld x1, 0(x0)
    c:
    vmov v3, v1
    halt
  )"},
               {{"a", 6}, {"b", 10}, {"c", 16}});
  // A granule at 60 crosses a line: one more cycle of the slot, one more to the result.
  expectCycles({R"(
    li.s x2, 60
    vgather8 v1, x2, v0, m0
    vgather8 v2, x0, v0, m0
    vgather8 v4, x0, v0, m0
    b:
    ld x1, 0(x0)
    c:
    vmov v3, v1
    halt
  )"},
               {{"b", 12}, {"c", 18}});
}

TEST(Issue, LineCrossing) {
  expectCycles({R"(
    vld v1, 32(x0), w32, m0     # crosses: its slot is taken in cycle 7 too
    a:
    vld v2, 0(x0), w32, m0
    b:
    vld v3, 64(x0), w32, m0
    c:
    vld v4, 32(x0), bf16, m0    # 32 bytes, does not cross
    d:
    vmov v5, v1
    halt
  )"},
               {{"a", 6}, {"b", 7}, {"c", 8}, {"d", 13}});
  // The store port is held for both cycles.
  expectCycles({"vst v1, 80(x0), w32, m0\na:\nvst v1, 128(x0), w32, m0\nhalt"}, {{"a", 8}});
  // All 16 elements count, also the masked ones.
  expectCycles({"mlanes.i m1, 1\nvld v1, 32(x0), w32, m1\na:\nvmov v2, v1\nhalt"}, {{"a", 17}});
  // A step is drained a cycle later.
  expectCycles({"mm.vm acc0, v0, 32(x0), 1, bf16\na:\ndrain v1, acc0, 0\nhalt"}, {{"a", 17}});
  // Broadcasts cross where their one element does.
  expectCycles({"vldb v1, 62(x0), w32\na:\nvmov v2, v1\nhalt"}, {{"a", 13}});
  expectCycles({"vldb v1, 60(x0), w32\na:\nvmov v2, v1\nhalt"}, {{"a", 12}});
}

TEST(Issue, StepsEveryCycleStepToDrain) {
  expectCycles({R"(
    mm acc0, v0, v0, 1, bf16
    a:
    mm acc0, v0, v0, 0, bf16
    b:
    mm.mm acc0, 0(x0), 64(x0), 0, bf16
    c:
    drain v1, acc0, 0
    d:
    mm acc0, v0, v0, 0, bf16
    e:
    vmov v2, v1
    halt
  )"},
               {{"a", 7}, {"b", 8}, {"c", 18}, {"d", 19}, {"e", 26}});
}

TEST(Issue, StepToDrain) {
  // Readiness is the accumulator's, whichever quarter and thread.
  expectCycles({"mm acc0, v0, v0, 1, bf16\nsignal s1\nhalt",
                "wait s1, 1\na:\ndrain v1, acc0, 3\nb:\ndrain v2, acc1, 3\nhalt"},
               {{"a", 16}, {"b", 17}});
}

TEST(Issue, FillToStep) {
  expectCycles({R"(
    fill acc0, 0, v0
    fill acc0, 1, v0
    a:
    mm acc0, v0, v0, 1, bf16
    b:
    fill acc0, 2, v0       # its result in 8 cycles, not before the step's in 10
    halt
  )"},
               {{"a", 15}, {"b", 17}});
}

TEST(Issue, BranchesDoNotWait) {
  // Right guesses cost nothing: forward not taken, backward taken.
  expectCycles({R"(
    ld x1, 8(x0)          # 3, in cycle 12
    beq x1, x0, out
    a:
    addi x2, x0, 1
    b:
    nop
    out:
    halt
  )"},
               {{"a", 6}, {"b", 6}});
}

TEST(Issue, WrongGuess) {
  // The condition is ready in cycle 12, the thread goes on in 20.
  expectCycles({"ld x1, 8(x0)\nbne x1, x0, out\nnop\nout:\nhalt"}, {{"out", 20}});
  // A condition that has been ready for long: 8 cycles from the branch.
  expectCycles({"nop\nnop\nnop\nnop\nbeq x0, x0, out\nnop\nout:\nhalt"}, {{"out", 15}});
  // Backward, not taken.
  expectCycles({"nop\nback:\nnop\nbne x0, x0, back\na:\nhalt"}, {{"a", 14}});
}

TEST(Issue, JumpRegisterIsNeverGuessed) {
  expectCycles({"li x1, 4108\njr x1\na:\nhalt"}, {{"a", 15}}); // 0x100C, x1 ready in 7
  expectCycles({"jal x1, a\nnop\na:\nj b\nnop\nb:\nhalt"}, {{"a", 6}, {"b", 6}});
}

TEST(Issue, LoopDoesNotWaitForItsCounter) {
  expectCycles({R"(
    ld x1, 0(x0)          # 2, in cycle 12
    a:
    loop x1, a            # 13, 14
    b:
    addi x2, x0, 1
    c:
    addi x3, x1, 1
    halt
  )"},
               {{"a", 6}, {"b", 6}, {"c", 14}});
}

TEST(Issue, PredicateCoversTheNextInstructions) {
  // `pred` waits for its register; what it switches off takes no slot and waits for nothing.
  expectCycles({R"(
    ld x1, 16(x0)         # 0
    a:
    pred x1, 2
    div x2, x1, x1
    div x3, x2, x2
    b:
    addi x4, x0, 1
    halt
  )"},
               {{"a", 12}, {"b", 12}});
}

TEST(Issue, ControlTakesNoPlace) {
  // Threads 0 and 1 decode in every cycle; thread 2's control instructions pass beside them.
  std::string busy = "vmov v1, v0\nvmov v1, v0\nvmov v1, v0\nvmov v1, v0\nhalt";
  expectCycles({busy, busy, "li.s x1, 3\nnop\nnop\na:\nnop\nb:\nhalt"}, {{"a", 6}, {"b", 7}});
}

TEST(Issue, ThreadsTakeTurns) {
  // One SIMD slot: the thread that got nothing is asked first in the next cycle.
  std::string first = "a:\nvmov v1, v0\nb:\nvmov v2, v0\nc:\nvmov v3, v0\nhalt";
  std::string second = "d:\nvmov v1, v0\ne:\nvmov v2, v0\nf:\nvmov v3, v0\nhalt";
  expectCycles({first, second}, {{"a", 6}, {"d", 7}, {"b", 8}, {"e", 9}, {"c", 10}, {"f", 11}});
}

TEST(Issue, SecondThreadAskedKeepsItsPlace) {
  // Thread 1 is asked second and finds the SIMD slot taken; thread 2 has no place left.
  expectCycles(
      {"vmov v1, v0\nvmov v2, v0\nhalt", "a:\nvmov v1, v0\nhalt", "b:\naddi x1, x0, 1\nhalt"},
      {{"a", 7}, {"b", 7}});
}

TEST(Issue, TwoThreadsDecode) {
  // Two slots of each kind, four threads of one addition: two threads a cycle.
  expectCycles({"a:\naddi x1, x0, 1\nhalt", "b:\naddi x1, x0, 1\nhalt", "c:\naddi x1, x0, 1\nhalt",
                "d:\nld x1, 0(x0)\nhalt"},
               {{"a", 6}, {"b", 6}, {"c", 7}, {"d", 7}});
}

TEST(Issue, SignalAndWait) {
  expectCycles({"nop\nnop\nnop\nnop\nsignal s3\nhalt", "wait s3, 1\na:\nhalt"}, {{"a", 9}});
  // Shown before the wait issues: it passes at once, the thread goes on in the next cycle.
  expectCycles({"signal s3\nsignal s3\nhalt", "nop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nwait s3, "
                                              "2\na:\nhalt"},
               {{"a", 9}});
}

TEST(Issue, CodeLines) {
  // Line 1 is reached in cycle 10 and came in cycle 8.
  std::string sixteen;
  for (int i = 0; i < 16; ++i)
    sixteen += "nop\n";
  expectCycles({sixteen + "a:\nhalt"}, {{"a", 10}});
  // A jump to a cold line: six cycles from the jump.
  expectCycles({"j far\n" + sixteen + "far:\nhalt"}, {{"far", 12}});
  // An instruction in two lines needs both: the second of them misses.
  std::string fifteen = sixteen.substr(4);
  expectCycles({"j in\n" + sixteen + fifteen.substr(4) + "in:\nli x1, 5\na:\nhalt"},
               {{"in", 14}, {"a", 14}});
}

TEST(Issue, CodeLineStream) {
  LineCache cache;
  Parameters p{};
  p.codeLines = 4;
  p.codeMiss = 6;
  p.codeNextLine = 2;
  cache.reset(p);
  EXPECT_EQ(cache.reach(10, 100), 106u);
  EXPECT_EQ(cache.reach(11, 106), 108u); // comes two cycles after line 10
  EXPECT_EQ(cache.reach(12, 120), 120u); // came in cycle 110
  cache.branch();
  EXPECT_EQ(cache.reach(13, 120), 126u);
  EXPECT_EQ(cache.reach(10, 130), 130u);
  // Lines 11 to 13 and 10 are kept; 14 replaces 11, the least recently used, and 15 then 12.
  cache.branch();
  EXPECT_EQ(cache.reach(14, 140), 146u);
  EXPECT_EQ(cache.reach(15, 150), 150u); // in the stream since 148
  cache.branch();
  EXPECT_EQ(cache.reach(13, 160), 160u);
  EXPECT_EQ(cache.reach(10, 161), 161u);
  EXPECT_EQ(cache.reach(11, 162), 168u);
}

TEST(Issue, CodeLinesAreKeptLeastRecentlyUsedOut) {
  LineCache cache;
  Parameters p{};
  p.codeLines = 128;
  p.codeMiss = 6;
  p.codeNextLine = 2;
  cache.reset(p);
  // 128 lines fit for ever; with 129 in turn every line misses.
  for (uint32_t lines : {128u, 129u}) {
    cache.reset(p);
    unsigned misses = 0;
    uint64_t now = 0;
    for (unsigned round = 0; round < 3; ++round)
      for (uint32_t line = 0; line < lines; ++line) {
        cache.branch();
        now += 100;
        misses += cache.reach(line * 2, now) != now;
      }
    EXPECT_EQ(misses, lines == 128 ? 128u : 3 * 129u);
  }
}

TEST(Issue, TakenBranchEndsTheStream) {
  // The loop's jump back in cycle 6 ends the stream; line 1 is reached in cycle 10.
  std::string thirteen;
  for (int i = 0; i < 13; ++i)
    thirteen += "nop\n";
  expectCycles({"li.s x1, 2\ntop:\nnop\nloop x1, top\n" + thirteen + "a:\nhalt"}, {{"a", 16}});
}

TEST(Issue, ApartThreadsDelayNobody) {
  // A thread of control instructions only advances by itself; the others' cycles do not change.
  std::string compute = "li.s x1, 20\ntop:\nvfadd v1, v1, v1\naddi x2, x2, 1\nloop x1, "
                        "top\nsignal s1\na:\nhalt";
  Cycles alone = timed({compute, "wait s1, 1\nhalt"});
  Cycles beside = timed({compute, "wait s1, 1\nhalt",
                         "li.s x1, 100\nagain:\nnop\nnop\nsignal s2\nwait s2, 1\nloop x1, "
                         "again\nhalt"});
  EXPECT_EQ(alone["a"], beside["a"]);
}

} // namespace
