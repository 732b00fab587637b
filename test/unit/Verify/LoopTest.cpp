// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops of the program that a byte ends which data decide: followed for two steps and for none.
// The byte lies at 69632, in a buffer of kind "condition", data at 65536 and up.

#include "TinyImage.h"

using namespace dojo;
using namespace dojo::verify;

namespace {

constexpr uint32_t dataAddress = 65536, conditionAddress = 69632;

/// Two nodes with a buffer for data and one for the condition, which the loader leaves alone.
struct LoopImage : TinyImage {
  explicit LoopImage(const std::string &kind = "condition") {
    image::Image &image = images().image();
    uint32_t both = images().addNodeSet(std::vector<int64_t>{0, 1});
    image.buffers.push_back({"data", "tensor", both, dataAddress, 1024, -1, -1});
    image.buffers.push_back({"while", kind, both, conditionAddress, 1, -1, -1});
  }
  /// Thread 0 sets the byte, then does `body` as long as it is set.
  void loop(int64_t node, const std::string &body, const std::string &behind = "") {
    thread(node, 0,
           "li x5, 65536; li x6, 69632; sb x0, 0(x6);"
           "again:; lbu x7, 0(x6); beq x7, x0, leave;" +
               body + "; j again; leave:;" + behind + "; halt");
  }
};

void expect(const Report &report, Verdict verdict, const char *text) {
  EXPECT_EQ(report.verdict(), verdict) << report.toString();
  EXPECT_NE(report.toString().find(text), std::string::npos) << "expected: " << text << "\n"
                                                             << report.toString();
}

} // namespace

TEST(Loop, IsFollowed) {
  LoopImage image;
  image.loop(0, "sw x0, 0(x5); lw x8, 0(x5)");
  Report report = image.verify();
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
}

TEST(Loop, OfAnotherByteIsNot) {
  LoopImage image("tensor");
  image.loop(0, "sw x0, 0(x5)");
  expect(image.verify(), Verdict::Undecided, "branches on a condition that is not known");
}

// What the first step leaves behind is there in the second, but not behind a loop without steps.
TEST(Loop, MayTakeNoStep) {
  LoopImage image;
  image.loop(0, "sw x0, 0(x5)", "lw x8, 0(x5)");
  expect(image.verify(), Verdict::Error, "if no loop takes a step: ");
}

TEST(Loop, SecondStepReadsWhatTheFirstOneWrote) {
  LoopImage image;
  image.loop(0, "lw x8, 0(x5); sw x0, 0(x5)");
  expect(image.verify(), Verdict::Error, "reads what nothing has written before");
}

// In one step thread 1 would read before thread 0 writes again; in two nothing says so.
TEST(Loop, StepsMeetEachOther) {
  LoopImage image;
  image.loop(0, "sw x0, 0(x5); signal s1");
  image.thread(
      0, 1,
      "li x5, 65536; li x6, 69632; wait s2, 1;"
      "again:; lbu x7, 0(x6); beq x7, x0, leave; wait s1, 1; lw x8, 0(x5); j again; leave:; halt");
  expect(image.verify(), Verdict::Error, "");
}

TEST(Loop, BothThreadsTakeTheSameSteps) {
  LoopImage image;
  const std::string first = "li x5, 65536; li x6, 69632; sb x0, 0(x6); signal s1;"
                            "again:; lbu x7, 0(x6); beq x7, x0, leave; sw x0, 0(x5); signal s2;"
                            "wait s3, 1; j again; leave:; halt";
  const std::string second = "li x5, 65536; li x6, 69632; wait s1, 1;"
                             "again:; lbu x7, 0(x6); beq x7, x0, leave; wait s2, 1; lw x8, 0(x5);"
                             "signal s3; j again; leave:; halt";
  image.thread(0, 0, first);
  image.thread(0, 1, second);
  Report report = image.verify();
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
}

TEST(Loop, CommunicationMayLookAtTheCondition) {
  LoopImage image;
  image.thread(0, 0, "li x6, 69632; sb x0, 0(x6); signal s1; halt");
  image.thread(0, 2,
               "wait s1, 1; li x6, 69632; again:; lbu x7, 0(x6); beq x7, x0, leave; list 32768; j "
               "again; leave:; halt");
  image.list(0, 32768, {});
  Report report = image.verify();
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
}

TEST(Loop, CommunicationMayNotLookAtAnythingElse) {
  LoopImage image;
  image.thread(0, 0, "li x6, 65536; sb x0, 0(x6); signal s1; halt");
  image.thread(0, 2, "wait s1, 1; li x6, 65536; lbu x7, 0(x6); list 32768; halt");
  image.list(0, 32768, {});
  expect(image.verify(), Verdict::Error, "does more than control");
}

// Node 1 would take steps of its own.
TEST(Loop, NodesAgree) {
  auto verify = [](bool same) {
    LoopImage image;
    const std::string ask = "again:; lbu x7, 0(x6); beq x7, x0, leave; j again; leave:; halt";
    image.thread(0, 0, "li x6, 69632; sb x0, 0(x6); li x5, 65536; sb x0, 0(x5); signal s1;" + ask);
    image.thread(0, 2, "wait s1, 1; list 32768; halt");
    // The byte of node 1 is the one that node 0 has, or another.
    image.list(0, 32768, {announcing(push(1, same ? 69632 : 65536, 69632, 1), 9)});
    image.thread(1, 0, "li x6, 69632; wait s9, 1;" + ask);
    return image.verify();
  };
  EXPECT_EQ(verify(true).verdict(), Verdict::Accept) << verify(true).toString();
  expect(verify(false), Verdict::Error, "they may disagree about the next step");
}
