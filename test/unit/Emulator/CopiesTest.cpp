// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/emulator/Copies.h"

#include "TestMachine.h"

#include <random>

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;
using Kind = Descriptor::Kind;

namespace {

// Many pieces, some for the same bytes: what was added last stays, whoever moves it.
TEST(Copies, PiecesForANodeKeepTheirOrder) {
  constexpr uint32_t nodes = 40, bytes = 4096;
  for (unsigned threads : {1u, 2u, 4u})
    for (unsigned pieces : {10u, 5000u}) {
      HostThreads host(threads);
      std::mt19937 engine(pieces);
      std::vector<uint8_t> source(nodes * bytes), got(nodes * bytes), want(nodes * bytes);
      for (uint8_t &b : source)
        b = static_cast<uint8_t>(engine());
      Copies copies(nodes);
      for (unsigned i = 0; i < pieces; ++i) {
        uint32_t from = engine() % nodes, to = engine() % nodes;
        uint32_t length = engine() % 3 ? 64 : 1 + engine() % 300;
        uint32_t at = engine() % (bytes - length), on = engine() % (bytes - length);
        copies.add(from, to, source.data() + from * bytes + at, got.data() + to * bytes + on,
                   length);
        std::memcpy(want.data() + to * bytes + on, source.data() + from * bytes + at, length);
        EXPECT_TRUE(copies.readsFrom(from));
        EXPECT_TRUE(copies.writesTo(to));
      }
      copies.finish(host);
      EXPECT_TRUE(got == want) << threads << " threads, " << pieces << " pieces";
      for (uint32_t n = 0; n < nodes; ++n)
        EXPECT_FALSE(copies.readsFrom(n) || copies.writesTo(n));
    }
}

Descriptor transfer(Kind kind, uint16_t node, uint32_t from, uint32_t to) {
  Descriptor d;
  d.kind = kind;
  d.node = node;
  d.localAddress = from;
  d.remoteAddress = to;
  d.runBytes = 64;
  return d;
}

// Every other node sends bytes, then overwrites them by a copy within itself a few cycles later,
// then sends them again: each train carries what was there when it left.
TEST(Copies, ACopyWithinTheNodeComesAfterWhatWasSent) {
  Target die, target;
  std::string error;
  ASSERT_TRUE(loadTarget("d1", die, error)) << error;
  ASSERT_TRUE(die.withPartition(1, 6, target, error)) << error;
  for (unsigned threads : {1u, 2u}) {
    TestMachine m(target);
    std::vector<int64_t> nodes = target.usableNodes();
    for (size_t i = 0; i + 1 < nodes.size(); i += 2) {
      uint32_t node = static_cast<uint32_t>(nodes[i]);
      uint16_t next = static_cast<uint16_t>(nodes[i + 1]);
      m.write(node, 0x40000, std::vector<uint32_t>(16, node + 100));
      m.write(node, 0x41000, std::vector<uint32_t>(16, node + 200));
      m.listThread(node, 2,
                   {transfer(Kind::Push, next, 0x40000, 0x50000),
                    transfer(Kind::Copy, 0, 0x41000, 0x40000),
                    transfer(Kind::Push, next, 0x40000, 0x51000)});
    }
    RunOptions options;
    options.threads = threads;
    m.runGood(options);
    for (size_t i = 0; i + 1 < nodes.size(); i += 2) {
      uint32_t before = static_cast<uint32_t>(nodes[i]);
      uint32_t node = static_cast<uint32_t>(nodes[i + 1]);
      EXPECT_EQ(m.read<uint32_t>(node, 0x50000, 16), std::vector<uint32_t>(16, before + 100));
      EXPECT_EQ(m.read<uint32_t>(node, 0x51000, 16), std::vector<uint32_t>(16, before + 200));
    }
  }
}

} // namespace
