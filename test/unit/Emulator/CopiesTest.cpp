// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/emulator/Copies.h"

#include "TestMachine.h"

#include <deque>
#include <random>
#include <thread>

using namespace dojo;
using namespace dojo::emu;
using isa::Descriptor;
using Kind = Descriptor::Kind;

namespace {

// Many trains, some for the same bytes: what was added last stays, whoever moves it.
TEST(Copies, TrainsForANodeKeepTheirOrder) {
  constexpr uint32_t nodes = 40, bytes = 4096;
  for (unsigned threads : {1u, 2u, 4u})
    for (unsigned trains : {3u, 5000u}) {
      std::mt19937 engine(trains);
      std::vector<uint8_t> source(nodes * bytes), got(nodes * bytes), want(nodes * bytes);
      for (uint8_t &b : source)
        b = static_cast<uint8_t>(engine());
      // Senders are the first half of the nodes, receivers the second.
      std::vector<uint8_t *> memory;
      for (std::vector<uint8_t> *half : {&source, &got})
        for (uint32_t n = 0; n < nodes; ++n)
          memory.push_back(half->data() + n * bytes);
      Copies copies(memory, 64);
      std::atomic<bool> stop{false};
      std::vector<std::thread> helpers;
      for (unsigned i = 1; i < threads; ++i)
        helpers.emplace_back([&] {
          while (!stop)
            if (!copies.help())
              std::this_thread::yield();
        });
      std::deque<Transfer> transfers;
      for (unsigned i = 0; i < trains; ++i) {
        Transfer &x = transfers.emplace_back();
        x.from = engine() % nodes;
        Runs &r = x.runs;
        r.runBytes = engine() % 3 ? 64 : 1 + engine() % 300;
        for (uint32_t &count : r.count)
          count = 1 + engine() % 3;
        for (unsigned d : {0u, 1u, 2u}) {
          r.sourceStride[d] = static_cast<int32_t>(engine() % 300);
          r.destinationStride[d] = static_cast<int32_t>(engine() % 300);
        }
        r.source = engine() % 512;
        r.destination = engine() % 512;
        auto extent = [](Reach reach) {
          return Extent{static_cast<uint32_t>(reach.low), static_cast<uint32_t>(reach.high)};
        };
        x.reads = extent(reachOf(r, r.source, r.sourceStride));
        x.writes = extent(reachOf(r, r.destination, r.destinationStride));
        ASSERT_LE(std::max(x.reads.high, x.writes.high), bytes);
        uint64_t all = countPackets(r, 64);
        x.packetsSent = engine() % all;
        uint64_t packets = 1 + engine() % (all - x.packetsSent);
        const uint8_t *from = source.data() + x.from * bytes;
        for (unsigned receivers = 1 + engine() % 3; receivers; --receivers) {
          uint32_t to = engine() % nodes;
          copies.add(x, static_cast<unsigned>(packets), nodes + to);
          EXPECT_TRUE(copies.readsFrom(x.from, x.reads));
          EXPECT_TRUE(copies.writesTo(nodes + to, x.writes));
          // Packet by packet.
          uint64_t packet = 0;
          for (uint32_t c = 0; c < r.count[2]; ++c)
            for (uint32_t b = 0; b < r.count[1]; ++b)
              for (uint32_t a = 0; a < r.count[0]; ++a)
                for (uint32_t at = 0; at < r.runBytes; at += 64, ++packet)
                  if (packet >= x.packetsSent && packet < x.packetsSent + packets) {
                    auto place = [&](int64_t base, const int32_t *stride) {
                      return static_cast<size_t>(base + at + int64_t(a) * stride[0] +
                                                 int64_t(b) * stride[1] + int64_t(c) * stride[2]);
                    };
                    std::memcpy(
                        want.data() + to * bytes + place(r.destination, r.destinationStride),
                        from + place(r.source, r.sourceStride), std::min(64u, r.runBytes - at));
                  }
        }
      }
      copies.finish();
      stop = true;
      for (std::thread &helper : helpers)
        helper.join();
      EXPECT_TRUE(got == want) << threads << " threads, " << trains << " trains";
      for (uint32_t n = 0; n < 2 * nodes; ++n)
        EXPECT_FALSE(copies.readsFrom(n, {0, bytes}) || copies.writesTo(n, {0, bytes}));
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

// The same with a thread that stores to what it has sent as soon as its list has ended, within the
// window in which its train was committed.
TEST(Copies, AStoreAfterTheListComesAfterWhatWasSent) {
  Target die;
  std::string error;
  ASSERT_TRUE(loadTarget("d1", die, error)) << error;
  std::vector<int64_t> nodes = die.usableNodes();
  TestMachine m(die);
  for (size_t i = 0; i + 1 < nodes.size(); i += 2) {
    uint32_t node = static_cast<uint32_t>(nodes[i]);
    m.list(node, 0, {transfer(Kind::Push, static_cast<uint16_t>(nodes[i + 1]), 0x40000, 0x50000)});
    m.program(node, 0,
              "li x1, 0x40000\nlist " + std::to_string(TestMachine::listAddress(0)) +
                  "\nvst v0, 0(x1), w32, m0\nhalt");
  }
  for (unsigned round = 1; round <= 40; ++round) {
    for (size_t i = 0; i + 1 < nodes.size(); i += 2)
      m.write(static_cast<uint32_t>(nodes[i]), 0x40000, std::vector<uint32_t>(16, round));
    RunOptions options;
    options.threads = 1 + round % 4;
    m.runGood(options);
    for (size_t i = 0; i + 1 < nodes.size(); i += 2) {
      ASSERT_EQ(m.read<uint32_t>(static_cast<uint32_t>(nodes[i + 1]), 0x50000, 16),
                std::vector<uint32_t>(16, round));
      ASSERT_EQ(m.read<uint32_t>(static_cast<uint32_t>(nodes[i]), 0x40000, 1)[0], 0u);
    }
  }
}

} // namespace
