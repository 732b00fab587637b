// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "RandomCode.h"

#include "CodeWriter.h"

namespace dojo::emu {

using isa::Descriptor;

namespace {
constexpr uint32_t dataBase = 0x40000, dataBytes = 0x10000; // of a thread, one after the other
constexpr uint32_t outbox = 0x80000, inbox = 0x90000, blockBytes = 0x400, offsetsAt = 0xA0000;
static_assert(dataBytes >= CodeWriter::dataBytes);
} // namespace

void placeRandomCode(TestMachine &m, const Target &target, unsigned seed,
                     const RandomCodeOptions &options) {
  std::mt19937 engine(seed);
  std::vector<int64_t> nodes = target.usableNodes();
  std::string error;
  // All nodes run the same code on other data.
  std::vector<uint32_t> all(nodes.begin(), nodes.end());
  std::vector<std::vector<uint8_t>> code;
  for (unsigned t = 0; t < options.threads; ++t) {
    CodePlace place;
    place.code = TestMachine::codeAddress(t);
    place.data = dataBase + t * dataBytes;
    place.thread = t;
    place.firstAccumulator = 2 * t;
    place.accumulators = 2;
    place.wildOneIn = options.wild ? 150 : 0;
    CodeWriter w(engine, place);
    w.text("li x1, " + std::to_string(offsetsAt) + "\nvld v31, 0(x1), u16, m0\nli x1, 0");
    for (unsigned round = 0; round < options.rounds; ++round) {
      for (unsigned i = 0; i < options.pieces; ++i)
        w.piece(2);
      if (t != 0)
        continue;
      // Out goes a register; in comes the neighbour's.
      w.text("li x20, " + std::to_string(outbox + round * blockBytes) +
             "\nvst v1, 0(x20), w32, m0\nvst v2, 64(x20), bf16, m0\nsignal s0");
      w.text("wait s1, 1\nli x20, " + std::to_string(inbox + round * blockBytes) +
             "\nvld v3, 0(x20), w32, m0\nvfadd.m v4, v4, 64(x20), bf16");
    }
    w.text("halt");
    ASSERT_LT(w.code.size(), TestMachine::threadBytes);
    ASSERT_TRUE(m.machine->placeCode(all, TestMachine::codeAddress(t), w.code, error)) << error;
    code.push_back(w.code);
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    uint32_t node = all[i];
    for (unsigned t = 0; t < options.threads; ++t)
      ASSERT_TRUE(m.machine->setEntry(node, t, TestMachine::codeAddress(t), error)) << error;
    m.write(node, dataBase, specialBytes(engine, 2 * dataBytes));
    std::vector<uint16_t> offsets(16);
    for (uint16_t &o : offsets)
      o = static_cast<uint16_t>(engine() % (CodeWriter::gatherBytes / 2) * 2);
    m.write(node, offsetsAt, offsets);
    std::vector<Descriptor> list;
    for (unsigned round = 0; round < options.rounds; ++round) {
      Descriptor wait, push;
      wait.kind = Descriptor::Kind::Wait;
      wait.ownSemaphore = 0;
      wait.amount = 1;
      push.kind = Descriptor::Kind::Push;
      push.node = static_cast<uint16_t>(all[(i + 1) % all.size()]);
      push.localAddress = outbox + round * blockBytes;
      push.remoteAddress = inbox + round * blockBytes;
      push.runBytes = 96;
      push.hasFarSemaphore = true;
      push.farSemaphore = 1;
      list.insert(list.end(), {wait, push});
    }
    m.listThread(node, 3, list);
  }
  auto codeEnd = [&](unsigned t) {
    return TestMachine::codeAddress(t) + static_cast<uint32_t>(code[t].size());
  };
  if (options.declared)
    for (unsigned t = 0; t < options.threads; ++t)
      ASSERT_TRUE(m.machine->declareAccesses(
          all, TestMachine::codeAddress(t), codeEnd(t), {{dataBase, 0x100000}},
          {{dataBase, dataBase + 2 * dataBytes}, {outbox, outbox + 0x8000}}, error))
          << error;
  if (options.ranges) {
    std::vector<PcRange> ranges;
    for (uint32_t at = TestMachine::codeAddress(0); at + 200 < codeEnd(0);) {
      uint32_t bytes = 4 * (1 + static_cast<uint32_t>(engine() % 100));
      ranges.push_back({at, at + bytes, static_cast<int32_t>(engine() % 6) - 2});
      at += bytes + 4 * static_cast<uint32_t>(engine() % 3);
    }
    ASSERT_TRUE(m.machine->setPcRanges(all, ranges, error)) << error;
  }
}

} // namespace dojo::emu
