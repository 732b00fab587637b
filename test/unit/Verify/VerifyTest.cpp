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
  Report report = verifyRing({2, 2, 5, 2});
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
  EXPECT_EQ(report.statistics.threads, 12u);
  EXPECT_EQ(report.statistics.calls, 4u * (5 * 2 + 4));
  // Per layer but the last: four copies, four pushes, two copies and two multicasts of rows.
  EXPECT_EQ(report.statistics.transfers, 4u * 12);
  EXPECT_EQ(report.statistics.rounds, 1u);
  EXPECT_EQ(report.statistics.accesses, 4u * (5 * 2 * 2 + 4) + 2 * 48);
}

TEST(Verify, AcceptsOneNode) {
  Report report = verifyRing({1, 1, 4, 1});
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
}

TEST(Verify, AcceptsRingWithHoles) {
  // Position (1, 6) is disabled: the multicasts of row 1 pass it.
  Report report = verifyRing({3, 9, 7, 3});
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
}

TEST(Verify, AcceptsWholeDie) {
  Report report = verifyRing({18, 20, 6, 2});
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
  EXPECT_EQ(report.statistics.threads, 3u * 354);
}
