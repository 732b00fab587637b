// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "RandomCode.h"

namespace dojo::emu {

using isa::Descriptor;
using isa::OperandKind;
using isa::TimingClass;

namespace {

// Registers that random instructions do not write: bases of vector and of scalar accesses, a link,
// counters; offsets of gathers.
constexpr int vectorBase = 20, scalarBase = 22, link = 24, counter = 25;
constexpr int gatherOffsets = 31;
constexpr uint32_t dataBase = 0x40000, dataBytes = 0x10000; // of a thread, one after the other
constexpr uint32_t outbox = 0x80000, inbox = 0x90000, blockBytes = 0x400, offsetsAt = 0xA0000;

class Writer {
public:
  Writer(std::mt19937 &engine, const RandomCodeOptions &options, unsigned thread, uint32_t base)
      : engine(engine), options(options), thread(thread), base(base) {}

  std::vector<uint8_t> code;

  int below(int n) { return static_cast<int>(engine() % static_cast<unsigned>(n)); }
  uint32_t here() const { return base + static_cast<uint32_t>(code.size()); }

  void text(const std::string &lines) {
    auto more = assemble(lines, here());
    code.insert(code.end(), more.begin(), more.end());
  }

  void setBases() {
    uint32_t data = dataBase + thread * dataBytes;
    for (int i = 0; i < 2; ++i) {
      text("li x" + std::to_string(vectorBase + i) + ", " +
           std::to_string(data + 0x4000 + 2 * static_cast<uint32_t>(below(0x1000))));
      text("li x" + std::to_string(scalarBase + i) + ", " +
           std::to_string(data + 0x4000 + 8 * static_cast<uint32_t>(below(0x400))));
    }
  }

  // Straight code, a counted loop, a branch over code on what the data say, or a call.
  void piece(int depth) {
    setBases();
    switch (below(depth > 0 ? 5 : 2)) {
    case 0:
    case 1:
      instructions(1 + below(30));
      return;
    case 2: {
      int count = counter + depth;
      text("li x" + std::to_string(count) + ", " + std::to_string(1 + below(12)));
      uint32_t top = here();
      instructions(1 + below(20));
      if (below(2))
        piece(depth - 1);
      text("loop x" + std::to_string(count) + ", " + std::to_string(top));
      return;
    }
    case 3: {
      static const char *const branches[] = {"beq", "bne", "blt", "bgeu"};
      size_t at = code.size();
      std::string branch = std::string(branches[below(4)]) + " x" + std::to_string(below(6)) +
                           ", x" + std::to_string(below(6)) + ", ";
      text(branch + std::to_string(here()));
      instructions(1 + below(8));
      auto patched = assemble(branch + std::to_string(here()), base + static_cast<uint32_t>(at));
      std::copy(patched.begin(), patched.end(), code.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    }
    default: { // over a function, then into it
      size_t at = code.size();
      text("j " + std::to_string(here()));
      uint32_t function = here();
      instructions(1 + below(10));
      text("jr x" + std::to_string(link));
      auto jump = assemble("j " + std::to_string(here()), base + static_cast<uint32_t>(at));
      std::copy(jump.begin(), jump.end(), code.begin() + static_cast<std::ptrdiff_t>(at));
      for (int calls = 1 + below(3); calls > 0; --calls)
        text("jal x" + std::to_string(link) + ", " + std::to_string(function));
    }
    }
  }

  void instructions(int count) {
    while (count-- > 0)
      instruction();
  }

private:
  void instruction() {
    if (options.wild && below(150) == 0) {
      static const char *const bad[] = {"li x20, 0x13FFC0", "li x21, 0x1001", "li x22, 0x1000",
                                        "li.s x23, -8",     "jr x3",          "li x20, 0x40001"};
      text(bad[below(6)]);
    }
    isa::Inst inst;
    const isa::InstInfo *info;
    do {
      inst.op = isa::Opcode(engine() % isa::numOpcodes);
      info = &isa::info(inst.op);
    } while (info->reserved || !usable(*info, inst.op));
    inst.bytes = info->bytes;
    bool scalar = info->access == isa::MemAccess::Scalar;
    for (unsigned i = 0; i < info->numOperands; ++i) {
      const isa::OperandInfo &field = info->ops[i];
      int64_t span = field.max - field.min + 1, value = field.min + int64_t(engine()) % span;
      switch (field.kind) {
      case OperandKind::XDef:
      case OperandKind::XUseDef:
        value %= vectorBase;
        break;
      case OperandKind::VDef:
      case OperandKind::VUseDef:
        value %= gatherOffsets;
        break;
      case OperandKind::MemBase:
        value = (scalar ? scalarBase : vectorBase) + below(2);
        break;
      case OperandKind::MemOff:
        value = scalar ? 8 * (below(40) - 20) : below(3) ? 64 * (below(20) - 10) : 2 * below(500);
        break;
      case OperandKind::XUse:
        if (info->access == isa::MemAccess::Granules)
          value = vectorBase;
        break;
      case OperandKind::VUse:
        if (info->access == isa::MemAccess::Granules)
          value = gatherOffsets;
        break;
      case OperandKind::AccUse:
      case OperandKind::AccDef:
      case OperandKind::AccUseDef: // the node's: each thread has its own
        value = 2 * thread + static_cast<unsigned>(below(2));
        break;
      default:
        break;
      }
      if (field.allowed)
        while (!(field.allowed >> value & 1))
          value = field.min + int64_t(engine()) % span;
      inst.f[i] = static_cast<int32_t>(value >> field.shift << field.shift);
    }
    std::string error;
    if (isa::encode(inst, code, &error) && options.wild && below(3000) == 0)
      code[code.size() - 1] ^= 0xFF;
    if (inst.op == isa::Opcode::PRED) // it covers no counter of a loop
      instructions(7);
  }

  // Control but for what only computes stands in pieces; matrix steps come often.
  bool usable(const isa::InstInfo &info, isa::Opcode op) {
    if (info.timing == TimingClass::Control)
      return op == isa::Opcode::LI || op == isa::Opcode::LIH || op == isa::Opcode::NOP ||
             op == isa::Opcode::NODEID || (op == isa::Opcode::PRED && below(3) == 0);
    return true;
  }

  std::mt19937 &engine;
  const RandomCodeOptions &options;
  unsigned thread;
  uint32_t base;
};

std::vector<uint8_t> specialBytes(std::mt19937 &engine, size_t bytes) {
  std::vector<uint8_t> out(bytes);
  for (size_t i = 0; i + 4 <= bytes; i += 4) {
    uint32_t word = specialWord(engine);
    std::memcpy(out.data() + i, &word, 4);
  }
  return out;
}

} // namespace

uint32_t specialWord(std::mt19937 &engine) {
  static const uint32_t words[] = {0,          0x80000000, 0x00000001, 0x807FFFFF, 0x00800000,
                                   0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 0xFFC12345,
                                   0x7F7FFFFF, 0x3F800000, 0x00010001, 0x7F817FC1, 0x00800080};
  uint32_t random = static_cast<uint32_t>(engine());
  switch (engine() % 8) {
  case 0:
    return words[random % std::size(words)];
  case 1:
    return random; // anything
  case 2:          // products around the least normal number
    return (random & 0x807F807F) | 0x1F801F80 | (random & 0x03000300);
  default: // two bfloat16 around 1, fp32 around 1
    return (random & 0x80FF80FF) | 0x3F003F00;
  }
}

void placeRandomCode(TestMachine &m, const Target &target, unsigned seed,
                     const RandomCodeOptions &options) {
  std::mt19937 engine(seed);
  std::vector<int64_t> nodes = target.usableNodes();
  std::string error;
  // All nodes run the same code on other data.
  std::vector<uint32_t> all(nodes.begin(), nodes.end());
  std::vector<std::vector<uint8_t>> code;
  for (unsigned t = 0; t < options.threads; ++t) {
    Writer w(engine, options, t, TestMachine::codeAddress(t));
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
      o = static_cast<uint16_t>(engine() % 0x1000 * 2);
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
