// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changes to a good image, one at a time, each of which must be found, by the right check.

#include "RingImage.h"
#include "dojo/Verify/Verify.h"

#include <functional>
#include <gtest/gtest.h>

namespace dojo::verify {
namespace {

using isa::Descriptor;

struct Mutation {
  const char *name;
  Check by;             ///< the check that must find it
  const char *expected; ///< part of one of its findings
  std::function<void(Editable &, const RingPlan &)> apply;
  bool dataDependent = false;
};

void PrintTo(const Mutation &m, std::ostream *os) { *os << m.name; }

constexpr RingOptions options{2, 3, 6, 2, false};

/// Address of the n-th descriptor (from 0) of a node's list that satisfies the condition.
uint32_t find(const RingPlan &plan, int64_t node, size_t n,
              const std::function<bool(const Descriptor &)> &condition) {
  const std::vector<Descriptor> &list = plan.list.at(node);
  for (size_t i = 0; i < list.size(); ++i)
    if (condition(list[i]) && n-- == 0)
      return uint32_t(RingPlan::lists + i * Descriptor::bytes);
  ADD_FAILURE() << "no such descriptor";
  return RingPlan::lists;
}

bool isPush(const Descriptor &d) { return d.kind == Descriptor::Kind::Push && d.count[0] == 4; }
bool isCopy(const Descriptor &d) { return d.kind == Descriptor::Kind::Copy; }
bool isMulticast(const Descriptor &d) { return d.multicast; }
auto isWait(uint8_t semaphore) {
  return [=](const Descriptor &d) {
    return d.kind == Descriptor::Kind::Wait && d.ownSemaphore == semaphore;
  };
}
auto isSignal(uint8_t semaphore) {
  return [=](const Descriptor &d) {
    return d.kind == Descriptor::Kind::Signal &&
           (d.hasFarSemaphore ? d.farSemaphore : d.ownSemaphore) == semaphore;
  };
}

/// Changes the n-th such descriptor of a node.
template <typename Condition, typename Change>
void change(Editable &e, const RingPlan &plan, int64_t node, size_t n, Condition condition,
            Change apply) {
  uint32_t address = find(plan, node, n, condition);
  Descriptor d = e.descriptor(node, address);
  apply(d);
  e.put(node, address, d);
}

void drop(Descriptor &d) { // a descriptor that does nothing
  d = Descriptor();
  d.kind = Descriptor::Kind::Signal;
}

/// Table word of thread 0: column 0 arrivals, 1 prologue, 2 kernel.
uint32_t tableAddress(int32_t layer, int column) {
  return RingPlan::tables + uint32_t(12 * layer + 4 * column);
}

image::Segment &segmentOf(image::Image &image, uint32_t begin, int32_t layer) {
  for (image::Segment &s : image.segments)
    if (s.begin == begin && s.layer == layer)
      return s;
  ADD_FAILURE() << "no such segment";
  return image.segments[0];
}

image::Buffer &bufferOf(image::Image &image, const std::string &name) {
  for (image::Buffer &b : image.buffers)
    if (b.name == name)
      return b;
  ADD_FAILURE() << "no such buffer";
  return image.buffers[0];
}

const Mutation mutations[] = {
    // Transfers.
    {"DropPush", Check::Order, "deadlock",
     [](Editable &e, const RingPlan &p) { change(e, p, 1, 2, isPush, drop); }},
    {"DropPushIsUnbalanced", Check::Transfers, "are waited for",
     [](Editable &e, const RingPlan &p) { change(e, p, 1, 2, isPush, drop); }},
    {"DropPushAndItsCount", Check::Order, "reads what nothing has written",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 2, isPush, drop);
       e.put32(2, tableAddress(3, 0), 2);
     }},
    {"DropCopyAndItsCount", Check::Order, "reads what nothing has written",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 2, isCopy, drop);
       e.put32(1, tableAddress(3, 0), 2);
     }},
    {"DuplicatePush", Check::Transfers, "are waited for",
     [](Editable &e, const RingPlan &p) {
       Descriptor d = e.descriptor(2, find(p, 2, 1, isPush));
       e.put(2, find(p, 2, 1, isCopy), d);
     }},
    {"ReroutePush", Check::Transfers, "are waited for",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 0, isPush, [](Descriptor &d) { d.node = 20; });
     }},
    {"PushToDeadNode", Check::Transfers, "which is not usable",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 0, isPush, [](Descriptor &d) { d.node = 19; });
     }},
    {"PushToOtherDie", Check::Transfers, "die 3",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 0, isPush, [](Descriptor &d) { d.die = 3; });
     }},
    {"PushFromBeforeItsTensor", Check::Transfers, "lie in no declared buffer",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 0, isPush, [](Descriptor &d) { d.localAddress += 64; });
     }},
    {"PushFromAnotherTensor", Check::Order, "which no buffer holds that lives in layer 2",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 2, isPush, [&](Descriptor &d) { d.localAddress = p.tensor[3] + 192; });
     }},
    {"PushToTheWrongPiece", Check::Order, "nothing orders the write",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 1, isPush, [](Descriptor &d) { d.remoteAddress -= 64; });
     }},
    {"PushWithWrongStride", Check::Transfers, "more than once",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 1, isPush, [](Descriptor &d) { d.remoteStride[0] = -32; });
     }},
    {"PushOfShorterRuns", Check::Order, "reads what nothing has written",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 1, isPush, [](Descriptor &d) { d.runBytes = 60; });
     }},
    {"PushOfFewerRuns", Check::Order, "reads what nothing has written",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 1, isPush, [](Descriptor &d) { d.count[0] = 3; });
     }},
    {"PushBehindSram", Check::Transfers, "not all in SRAM",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 1, isPush, [](Descriptor &d) { d.remoteAddress = 1310720 - 32; });
     }},
    {"PushSignalsAnotherLayer", Check::Order, "deadlock",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 1, isPush, [](Descriptor &d) { ++d.farSemaphore; });
     }},
    {"PushIntoTheTables", Check::Order, "placed by the loader",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 1, isCopy, [](Descriptor &d) {
         d.remoteAddress = RingPlan::tables;
         d.runBytes = 64;
       });
     }},
    {"MulticastReachesOneMore", Check::Transfers, "are waited for",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 0, 0, isMulticast, [](Descriptor &d) {
         d.run = Descriptor::Run::Column;
         d.column = 1, d.first = 0, d.last = 1;
       });
     }},
    {"MulticastEndsEarly", Check::Transfers, "are waited for",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 0, 0, isMulticast, [](Descriptor &d) { d.last = 1; });
     }},
    {"MulticastFarEndFirst", Check::Transfers, "the near end first",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 0, 0, isMulticast, [](Descriptor &d) { std::swap(d.first, d.last); });
     }},
    {"MulticastWithoutMulticast", Check::Transfers, "which the target does not have",
     [](Editable &e, const RingPlan &) { e.image.target.multicast = false; }},
    {"UnknownRoute", Check::Transfers, "names route 0, which does not exist",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 0, isPush, [](Descriptor &d) { d.route = 0; });
     }},
    {"RouteToElsewhere", Check::Transfers, "names route 0, which ends at",
     [](Editable &e, const RingPlan &p) {
       e.image.routes = {{image::Step::South}};
       change(e, p, 1, 0, isPush, [](Descriptor &d) { d.route = 0; });
     }},
    {"RoutesInACircle", Check::Transfers, "a circle of links",
     [](Editable &e, const RingPlan &p) {
       // Detours around the square of nodes 0, 1, 21, 20; each ends where the push must.
       using image::Step;
       e.image.routes = {{Step::East, Step::South, Step::West, Step::North, Step::East},
                         {Step::South, Step::West, Step::North, Step::East, Step::East}};
       change(e, p, 0, 0, isPush, [](Descriptor &d) { d.route = 0; });
       change(e, p, 1, 0, isPush, [](Descriptor &d) { d.route = 1; });
     }},
    {"CertificateDenies", Check::Transfers, "cycle_free",
     [](Editable &e, const RingPlan &) { e.image.certificate = {{"cycle_free", false}}; }},
    {"CertificateNumbersDescend", Check::Transfers, "does not hold",
     [](Editable &e, const RingPlan &) {
       std::vector<int> numbers(4 * 360, 1);
       e.image.certificate = {{"numbers", numbers}};
     }},
    {"UnknownDescriptor", Check::Transfers, "unknown kind",
     [](Editable &e, const RingPlan &p) { *e.at(1, find(p, 1, 1, isPush)) = 9; }},
    {"ListWithoutEnd", Check::Transfers, "was not placed",
     [](Editable &e, const RingPlan &p) {
       change(
           e, p, 1, 0, [](const Descriptor &d) { return d.kind == Descriptor::Kind::End; }, drop);
     }},

    // Waits and signals.
    {"SendBeforeDone", Check::Order, "which no buffer holds that lives in layer 0",
     [](Editable &e, const RingPlan &p) {
       // The wait for layer 1 moves behind the sends of layer 1.
       uint32_t wait = find(p, 2, 1, isWait(RingPlan::Done));
       uint32_t push = find(p, 2, 1, isPush);
       Descriptor a = e.descriptor(2, wait), b = e.descriptor(2, push);
       e.put(2, wait, b);
       e.put(2, push, a);
     }},
    {"WaitForMoreArrivals", Check::Order, "deadlock",
     [](Editable &e, const RingPlan &) { e.put32(21, tableAddress(2, 0), 4); }},
    {"WaitForFewerArrivals", Check::Order, "nothing orders the write",
     [](Editable &e, const RingPlan &) { e.put32(21, tableAddress(2, 0), 2); }},
    {"NoWaitForArrivals", Check::Order, "nothing orders the write",
     [](Editable &e, const RingPlan &p) { e.put(0, p.text[3].waitArrivals, "nop"); }},
    {"StartBeforeArrivals", Check::Order, "nothing orders the write",
     [](Editable &e, const RingPlan &p) {
       uint32_t at = p.text[4].waitArrivals;
       e.put(0, at, "signal s0");
       e.put(0, at + 4, "waitx s" + std::to_string(RingPlan::FirstArrival + 4) + ", x5");
     }},
    {"NoJoin", Check::Order, "nothing orders",
     [](Editable &e, const RingPlan &p) {
       // Done before the other thread has joined.
       e.put(0, p.text[2].join, "signal s2");
       e.put(0, p.text[2].done, "wait s1, 1");
     }},
    {"NoGo", Check::Order, "deadlock",
     [](Editable &e, const RingPlan &p) { e.put(0, p.text[2].go, "nop"); }},
    {"NoBarrier", Check::Order, "used again",
     [](Editable &e, const RingPlan &p) {
       // Thread 0 still waits for its own communication thread, which no longer meets the others.
       for (int64_t node : p.nodes)
         for (size_t i = 0; i < p.list.at(node).size(); ++i) {
           const Descriptor &d = p.list.at(node)[i];
           bool joins = isWait(RingPlan::Up)(d) || isWait(RingPlan::Down)(d) ||
                        isSignal(RingPlan::Up)(d) || isSignal(RingPlan::Down)(d);
           if (joins)
             change(e, p, node, i, [](const Descriptor &) { return true; }, drop);
         }
     }},
    {"BarrierWithoutAChild", Check::Order, "",
     [](Editable &e, const RingPlan &p) {
       // The root passes the first barrier without its last child and the second with a late one.
       change(e, p, 0, 0, isWait(RingPlan::Up), [](Descriptor &d) { --d.amount; });
       change(e, p, 0, 1, isWait(RingPlan::Up), [](Descriptor &d) { ++d.amount; });
     }},
    {"ReleaseBeforeTheBarrier", Check::Order, "",
     [](Editable &e, const RingPlan &p) {
       // An inner node lets its children go before it is released itself.
       uint32_t wait = find(p, 1, 0, isWait(RingPlan::Down));
       uint32_t signal = find(p, 1, 0, isSignal(RingPlan::Epoch));
       Descriptor a = e.descriptor(1, wait), b = e.descriptor(1, signal);
       e.put(1, wait, b);
       e.put(1, signal, a);
     }},
    {"TwoWaiters", Check::Transfers, "also waits",
     [](Editable &e, const RingPlan &p) {
       change(e, p, 1, 0, isWait(RingPlan::Done),
              [](Descriptor &d) { d.ownSemaphore = RingPlan::Join; });
     }},

    // Code.
    {"UndefinedInstructionInAKernel", Check::Instructions, "undefined instruction",
     [](Editable &e, const RingPlan &p) { e.put32(0, p.kernel[1][1] + 20, 0); }},
    {"UndefinedInstructionInTheText", Check::Instructions, "undefined instruction",
     [](Editable &e, const RingPlan &p) { e.put32(0, p.text[2].done, 0); }},
    {"BranchOutOfTheCode", Check::Instructions, "no code was placed",
     [](Editable &e, const RingPlan &p) { e.put(0, p.text[2].go, "j 0x100"); }},
    {"BranchIntoAnInstruction", Check::Instructions, "begins inside",
     [](Editable &e, const RingPlan &p) {
       // The vector load has 8 bytes.
       uint32_t load = p.kernel[0][0] + 12;
       e.put(0, load + 8 + 4, "loop x5, " + std::to_string(load + 4));
     }},
    {"KernelOfAnotherLayer", Check::Order, "enters code declared for",
     [](Editable &e, const RingPlan &p) { e.put32(1, tableAddress(2, 2), p.kernel[1][0]); }},
    {"KernelInTheMiddle", Check::Instructions, "",
     [](Editable &e, const RingPlan &p) { e.put32(1, tableAddress(2, 2), p.kernel[0][0] + 4); }},
    {"ThreadsShareAnAccumulator", Check::Order, "accumulator 0",
     [](Editable &e, const RingPlan &p) {
       // Behind li, move, load, add, loop.
       e.put(0, p.kernel[0][1] + 28, "mm acc0, v0, v1, 1, bf16");
     }},
    {"CommunicationThreadComputes", Check::Instructions, "not a control instruction",
     [](Editable &e, const RingPlan &) {
       e.put(0, uint32_t(e.image.entries[0].pc[2]) + 4, "add x5, x0, x0");
     }},
    {"KernelLosesItsReturn", Check::Order, "accumulator 4",
     [](Editable &e, const RingPlan &p) {
       e.put(0, p.kernel[0][1] - 4, "nop"); // falls into the other thread's kernel
     }},
    {"EndlessText", Check::Order, "longer than the checker follows",
     [](Editable &e, const RingPlan &p) {
       e.put(0, p.text[2].done, "j " + std::to_string(p.text[2].done));
     }},

    // What the image says of itself.
    {"MoveBuffer", Check::Order, "which no buffer holds that lives in layer 2",
     [](Editable &e, const RingPlan &) { bufferOf(e.image, "P3").address += 64; }},
    {"MoveBufferOntoAnother", Check::Layouts, "live at the same time",
     [](Editable &e, const RingPlan &p) { bufferOf(e.image, "P3").address = p.tensor[3]; }},
    {"ShrinkBuffer", Check::Order, "which no buffer holds that lives in layer 2",
     [](Editable &e, const RingPlan &) { bufferOf(e.image, "T2").bytes = 128; }},
    {"SegmentReadsMore", Check::Order, "reads what nothing has written",
     [](Editable &e, const RingPlan &p) {
       segmentOf(e.image, p.kernel[0][0], 2).reads.push_back({p.tensor[2], 256, {1, 1, 1}, {}});
     },
     true},
    {"SegmentWritesLess", Check::Order, "reads what nothing has written",
     [](Editable &e, const RingPlan &p) {
       segmentOf(e.image, p.kernel[0][0], 2).writes[0].bytes = 64;
     },
     true},
    {"UndeclaredWrite", Check::Order, "which its segment does not declare",
     [](Editable &e, const RingPlan &p) {
       segmentOf(e.image, p.kernel[0][0], 2).writes[0].bytes = 64;
     }},
    {"UndeclaredRead", Check::Order, "which its segment does not declare",
     [](Editable &e, const RingPlan &p) {
       segmentOf(e.image, p.kernel[0][1], 2).reads[0].count[0] = 12;
     }},
    {"KernelReadsBeyond", Check::Order, "which its segment does not declare",
     [](Editable &e, const RingPlan &p) { e.put(0, p.kernel[1][0], "li x5, 14"); }},
    {"KernelUsesAnUnsetRegister", Check::Order, "reads what nothing has written",
     [](Editable &e, const RingPlan &p) { e.put(0, p.kernel[1][0] + 8, "vmov.x v9, x0"); }},
    {"KernelInstructionsSwapped", Check::Order, "reads what nothing has written",
     [](Editable &e, const RingPlan &p) {
       // The drain before the step: the accumulator is not set yet.
       e.put(0, p.kernel[1][0] + 28, "drain v2, acc1, 0");
       e.put(0, p.kernel[1][0] + 32, "mm acc1, v0, v1, 1, bf16");
     }},
    {"SegmentWritesTheOtherHalfToo", Check::Order, "nothing orders the write",
     [](Editable &e, const RingPlan &p) {
       segmentOf(e.image, p.kernel[0][0], 2).writes[0].bytes = 256;
     },
     true},
    {"OutputElsewhere", Check::Layouts, "lives as long as the tensor",
     [](Editable &e, const RingPlan &p) { e.image.outputs[0].boxes[2].address = p.tensor[4]; }},
    {"OutputOverwritten", Check::Order, "hold something else",
     [](Editable &e, const RingPlan &p) {
       bufferOf(e.image, "T2").lastLayer = 5;
       e.image.outputs[0].boxes[2].address = p.tensor[2];
     }},
    {"OutputOfUnwrittenBytes", Check::Order, "nothing writes",
     [](Editable &e, const RingPlan &p) {
       segmentOf(e.image, p.kernel[1][1], 5).writes[0].bytes = 64;
     },
     true},
    {"InputInTwoBoxes", Check::Layouts, "in two boxes",
     [](Editable &e, const RingPlan &) { e.image.inputs[0].boxes[2].lo[0] = 1; }},
    {"InputBoxesOverlap", Check::Layouts, "share bytes",
     [](Editable &e, const RingPlan &) {
       e.image.inputs[0].boxes[1].nodeSet = e.image.inputs[0].boxes[0].nodeSet;
     }},
    {"TensorWithAHole", Check::Layouts, "in no box",
     [](Editable &e, const RingPlan &) {
       e.image.tensors = {e.image.outputs[0]};
       e.image.tensors[0].boxes.pop_back();
     }},
    {"TensorsShareBytes", Check::Layouts, "exist at the same time",
     [](Editable &e, const RingPlan &p) {
       image::TensorRef t = e.image.outputs[0];
       t.name = "z", t.firstLayer = 4;
       e.image.tensors = {t};
     }},
    {"StridesTooSmall", Check::Layouts, "into the same bytes",
     [](Editable &e, const RingPlan &) { e.image.outputs[0].boxes[1].strides[1] = 2; }},
};

class MutationTest : public testing::TestWithParam<Mutation> {};

TEST_P(MutationTest, IsFound) {
  const Mutation &mutation = GetParam();
  RingPlan plan;
  RingOptions changed = options;
  changed.dataDependent = mutation.dataDependent;
  image::Image image = ringImage(changed, plan);
  Editable editable(image);
  mutation.apply(editable, plan);
  Report report;
  verifyImage(editable.image, report);
  EXPECT_NE(report.verdict(mutation.by), Verdict::Accept) << report.toString();
  bool found = false;
  for (const Finding &f : report.findings())
    found |= f.check == mutation.by && f.text.find(mutation.expected) != std::string::npos;
  EXPECT_TRUE(found) << "expected: " << mutation.expected << "\n" << report.toString();
}

TEST(Harmless, NoWaitForTheEpoch) {
  // Behind the first barrier a node writes over bytes that only its own threads used, in order.
  RingPlan plan;
  image::Image image = ringImage(options, plan);
  Editable e(image);
  e.put(0, plan.text[1].epoch, "nop");
  for (int64_t node : plan.nodes)
    change(e, plan, node, 0, isSignal(RingPlan::Epoch), drop);
  Report report;
  verifyImage(e.image, report);
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
}

INSTANTIATE_TEST_SUITE_P(Ring, MutationTest, testing::ValuesIn(mutations),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace dojo::verify
