// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/ISA/Descriptor.h"
#include <gtest/gtest.h>
#include <random>
#include <vector>

using dojo::isa::Descriptor;

namespace {

TEST(Descriptor, PinnedPush) {
  Descriptor d;
  d.kind = Descriptor::Kind::Push;
  d.countFromRegister = true;
  d.countRegister = 7;
  d.hasFarSemaphore = true;
  d.localAddress = 0x12340;
  d.node = 0x0153;
  d.die = 2;
  d.remoteAddress = 0x56780;
  d.runBytes = 0x480;
  d.count[0] = 3;
  d.localStride[0] = -128;
  d.remoteStride[1] = 0x1000;
  d.farSemaphore = 9;
  d.route = 5;
  const std::vector<uint8_t> want = {
      1,    0x06, 0,    7,                                  // push, flags, registers
      0x40, 0x23, 0x01, 0,                                  // local address
      0x53, 0x01, 2,    0,                                  // node, die
      0x80, 0x67, 0x05, 0,                                  // remote address
      0x80, 0x04, 0,    0,                                  // run
      3,    0,    0,    0,    1,    0,    0, 0, 1, 0, 0, 0, // counts
      0x80, 0xff, 0xff, 0xff, 0,    0,    0, 0, 0, 0, 0, 0, // local strides
      0,    0,    0,    0,    0x00, 0x10, 0, 0, 0, 0, 0, 0, // remote strides
      9,    0,    0,    0,    5,    0,    0, 0};            // semaphores, amount, route
  std::vector<uint8_t> bytes(Descriptor::bytes, 0xAA);
  d.encode(bytes.data());
  EXPECT_EQ(bytes, want);
}

TEST(Descriptor, PinnedMulticastAndWait) {
  Descriptor d;
  d.kind = Descriptor::Kind::Push;
  d.multicast = true;
  d.run = Descriptor::Run::Column;
  d.first = 4;
  d.last = 1;
  d.column = 19;
  uint8_t bytes[Descriptor::bytes];
  d.encode(bytes);
  EXPECT_EQ(bytes[1], 0x10);
  EXPECT_EQ(bytes[8], 1);
  EXPECT_EQ(bytes[9], 4);
  EXPECT_EQ(bytes[10], 1);
  EXPECT_EQ(bytes[11], 19);

  Descriptor wait;
  wait.kind = Descriptor::Kind::Wait;
  wait.hasOwnSemaphore = true;
  wait.ownSemaphore = 17;
  wait.amount = 0x0102;
  wait.encode(bytes);
  EXPECT_EQ(bytes[0], 4);
  EXPECT_EQ(bytes[1], 0x08);
  EXPECT_EQ(bytes[57], 17);
  EXPECT_EQ(bytes[58], 2);
  EXPECT_EQ(bytes[59], 1);
  EXPECT_EQ(bytes[60], 0xff);
  EXPECT_EQ(bytes[61], 0xff);
}

TEST(Descriptor, RandomBytesDecodeToThemselvesOrNotAtAll) {
  constexpr uint64_t seed = 20260104;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 rng(seed);
  unsigned defined = 0;
  for (int i = 0; i < 20000; ++i) {
    uint8_t bytes[Descriptor::bytes], again[Descriptor::bytes];
    for (uint8_t &b : bytes)
      b = uint8_t(rng());
    bytes[0] %= 8;
    bytes[1] &= 0x3f;
    bytes[2] %= 33;
    bytes[3] %= 33;
    bytes[8] %= 3;
    bytes[62] = uint8_t(rng() % 8 == 0);
    bytes[63] = 0;
    Descriptor d;
    std::string error;
    if (!Descriptor::decode(bytes, d, &error)) {
      EXPECT_FALSE(error.empty());
      continue;
    }
    ++defined;
    d.encode(again);
    ASSERT_TRUE(std::equal(bytes, bytes + Descriptor::bytes, again));
  }
  EXPECT_GT(defined, 3000u);
}

TEST(Descriptor, UndefinedBytesAreNamed) {
  struct Case {
    size_t at;
    uint8_t value;
    const char *message;
  } cases[] = {{0, 6, "descriptor: unknown kind 6"},
               {1, 0x20, "descriptor: unknown flags 32"},
               {2, 32, "descriptor: register number over 31"},
               {3, 255, "descriptor: register number over 31"},
               {62, 1, "descriptor: bytes 62 and 63 are not zero"},
               {63, 1, "descriptor: bytes 62 and 63 are not zero"}};
  for (const Case &c : cases) {
    uint8_t bytes[Descriptor::bytes];
    Descriptor().encode(bytes);
    bytes[c.at] = c.value;
    Descriptor d;
    std::string error;
    EXPECT_FALSE(Descriptor::decode(bytes, d, &error));
    EXPECT_EQ(error, c.message);
  }
}

} // namespace
