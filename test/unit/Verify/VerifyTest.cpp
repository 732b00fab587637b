// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Good images pass, and the checks had something to do.

#include "dojo/Verify/Verify.h"
#include "RingImage.h"

#include <gtest/gtest.h>

using namespace dojo;
using namespace dojo::verify;

static Report verifyRing(const RingOptions &options) {
  RingPlan plan;
  image::Image image = ringImage(options, plan);
  EXPECT_EQ(image::validate(image), "");
  Report report;
  verifyImage(image, report);
  return report;
}

TEST(Verify, AcceptsRingOfFourNodes) {
  Report report = verifyRing({2, 2, 5, 2, false});
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
  EXPECT_EQ(report.statistics.threads, 12u);
  EXPECT_EQ(report.statistics.calls, 4u * (5 * 2 + 4));
  // Per layer but the last: four copies, four pushes, two copies and two multicasts of rows.
  EXPECT_EQ(report.statistics.transfers, 4u * 12);
  EXPECT_EQ(report.statistics.rounds, 1u);
  EXPECT_EQ(report.statistics.accesses, 4u * (5 * 2 * 2 + 4) + 2 * 48);
}

TEST(Verify, AcceptsOneNode) {
  Report report = verifyRing({1, 1, 4, 1, false});
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
}

TEST(Verify, BelievesDeclarationsOnlyWithAnIntent) {
  Report report = verifyRing({2, 2, 5, 2, true});
  EXPECT_EQ(report.verdict(), Verdict::Undecided) << report.toString();
  for (const Finding &finding : report.findings())
    EXPECT_NE(finding.text.find("only what its segment declares was checked"), std::string::npos)
        << finding.text;

  // With the intent of exactly this image.
  RingPlan ring;
  image::Image image = ringImage({2, 2, 5, 2, true}, ring);
  Intent plan;
  for (const auto &[node, list] : ring.list)
    for (const isa::Descriptor &d : list)
      if (d.kind == isa::Descriptor::Kind::Push || d.kind == isa::Descriptor::Kind::Copy)
        plan.transfers.push_back({uint32_t(node), d});
  for (const auto *list : {&image.inputs, &image.outputs, &image.tensors})
    for (const image::TensorRef &tensor : *list)
      for (const image::Box &box : tensor.boxes)
        for (int64_t node : image.nodeSets[box.nodeSet].nodes())
          plan.boxes.push_back({tensor.name, uint32_t(node), box});
  Report planned;
  verifyCompiled(image, plan, planned);
  for (const Finding &finding : planned.findings()) // the ring has no certificate
    EXPECT_NE(finding.text.find("certificate"), std::string::npos) << finding.text;

  plan.boxes.back().box.address += 64;
  plan.transfers.pop_back();
  Report differs;
  verifyCompiled(image, plan, differs);
  EXPECT_EQ(differs.verdict(Check::Layouts), Verdict::Error);
  EXPECT_EQ(differs.verdict(Check::Transfers), Verdict::Error);
  EXPECT_EQ(differs.verdict(Check::Order), Verdict::Accept);
}

TEST(Verify, AcceptsRingWithHoles) {
  // Position (1, 6) is disabled: the multicasts of row 1 pass it.
  Report report = verifyRing({3, 9, 7, 3, false});
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
}

TEST(Verify, AcceptsWholeDie) {
  Report report = verifyRing({18, 20, 6, 2, false});
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
  EXPECT_EQ(report.statistics.threads, 3u * 354);
}

TEST(Verify, ComparesListings) {
  RingPlan plan;
  image::Image image = ringImage({2, 2, 3, 2, false}, plan);
  Listing listing{{{image.pcRanges[0].nodeSet, plan.kernel[0][0]}},
                  {"li x5, 13", "vmov.x v1, x0", "vld v0, (x10)+64, w32, m0"}};
  Report good;
  checkListings(image, {listing}, good);
  EXPECT_EQ(good.verdict(), Verdict::Accept) << good.toString();

  // Two instructions of a kernel swapped: nothing in the image alone says so.
  std::swap(listing.lines[1], listing.lines[2]);
  Report bad;
  checkListings(image, {listing}, bad);
  EXPECT_EQ(bad.verdict(Check::Instructions), Verdict::Error);
  ASSERT_EQ(bad.findings().size(), 1u);
  EXPECT_NE(bad.findings()[0].text.find("\"vmov.x v1, x0\" was placed where"), std::string::npos);
}

TEST(Verify, ComparesTransfersWithThePlan) {
  RingPlan plan;
  image::Image image = ringImage({2, 2, 3, 2, false}, plan);
  std::vector<PlannedTransfer> planned;
  for (const auto &[node, list] : plan.list)
    for (const isa::Descriptor &d : list)
      if (d.runBytes)
        planned.push_back({uint32_t(node), d});
  ASSERT_EQ(planned.size(), 24u);
  Report good;
  checkPlanned(image, planned, good);
  EXPECT_EQ(good.verdict(), Verdict::Accept) << good.toString();

  // The right shape at the right place, but other bytes are sent.
  planned[3].descriptor.localAddress -= 64;
  Report bad;
  checkPlanned(image, planned, bad);
  EXPECT_EQ(bad.verdict(Check::Transfers), Verdict::Error);
  EXPECT_EQ(bad.count(Check::Transfers), 2u) << bad.toString();
  EXPECT_NE(bad.toString().find("was not planned"), std::string::npos);
  EXPECT_NE(bad.toString().find("was planned to send"), std::string::npos);
}
