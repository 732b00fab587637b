// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whatever is in an image that the loader accepts, the checks come to an end and say something.

#include "RingImage.h"
#include "dojo/Verify/Verify.h"

#include <gtest/gtest.h>
#include <random>

using namespace dojo;
using namespace dojo::verify;

TEST(Damage, RandomBytes) {
  RingPlan plan;
  image::Image good = ringImage({2, 2, 4, 2, false}, plan);
  int found = 0;
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    Editable e(good);
    uint32_t changes = 1 + random() % 3;
    for (uint32_t i = 0; i < changes; ++i) {
      std::vector<uint8_t> &bytes = random() % 2 ? e.code : e.data;
      bytes[random() % bytes.size()] = uint8_t(random() % 4 ? random() : random() % 6);
    }
    Report report;
    verifyImage(e.image, report);
    found += report.verdict() != Verdict::Accept;
    EXPECT_LE(report.findings().size(), numChecks * Report::maxFindings);
  }
  // Reserved fields of descriptors without effect and bytes behind the last instruction of a path
  // may change unseen; most others not.
  EXPECT_GT(found, 150);
}

TEST(Damage, RandomDeclarations) {
  RingPlan plan;
  image::Image good = ringImage({2, 2, 4, 2, false}, plan);
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    Editable e(good);
    image::Image &image = e.image;
    auto word = [&](uint32_t &value) {
      uint32_t small[] = {0, 1, 4, 64, value + 1, value - 64, 2 * value, 1u << 20};
      value = small[random() % 8];
    };
    auto layer = [&](int32_t &value) { value = int32_t(random() % 6) - 1; };
    switch (random() % 4) {
    case 0: {
      image::Segment &s = image.segments[random() % image.segments.size()];
      std::vector<image::Region> &list = s.reads.empty() || random() % 2 ? s.writes : s.reads;
      image::Region &r = list[random() % list.size()];
      word(random() % 2 ? r.address : random() % 2 ? r.bytes : r.count[random() % 3]);
      r.stride[random() % 3] = int32_t(random() % 9) - 4;
      break;
    }
    case 1: {
      image::Segment &s = image.segments[random() % image.segments.size()];
      word(random() % 2 ? s.begin : s.end);
      layer(s.layer);
      break;
    }
    case 2: {
      image::Buffer &b = image.buffers[random() % image.buffers.size()];
      word(random() % 2 ? b.address : b.bytes);
      layer(random() % 2 ? b.firstLayer : b.lastLayer);
      break;
    }
    default: {
      image::PcRange &r = image.pcRanges[random() % image.pcRanges.size()];
      word(random() % 2 ? r.begin : r.end);
      layer(r.layer);
      break;
    }
    }
    Report report;
    verifyImage(image, report);
    EXPECT_LE(report.findings().size(), numChecks * Report::maxFindings);
  }
}
