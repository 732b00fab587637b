// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "CodeWriter.h"

#include "dojo/ISA/ISA.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace dojo::emu {

using isa::OperandKind;
using isa::TimingClass;

namespace {

// Bases lie in [baseBegin, baseBegin + baseBytes) of the data. Post-increments of a piece move them
// by maxDrift at most, those of the piece around it by as much again.
constexpr uint32_t maxDrift = 0x400, maxOffset = 0x800, baseBytes = 0x800;
constexpr uint32_t baseBegin = 2 * maxDrift + maxOffset;
static_assert(baseBegin + baseBytes + 2 * maxDrift + maxOffset + CodeWriter::gatherBytes + 64 <=
              CodeWriter::dataBytes);

void append(std::vector<uint8_t> &code, const std::string &line, uint32_t pc) {
  isa::Inst inst;
  std::string error;
  if (isa::parseInst(line, pc, {}, inst, &error) && isa::encode(inst, code, &error))
    return;
  std::fprintf(stderr, "%s: %s\n", line.c_str(), error.c_str());
  std::abort(); // the text is part of the test
}

// Control but for what only computes stands in pieces.
bool usable(const isa::InstInfo &info, isa::Opcode op, bool predicate) {
  if (info.reserved)
    return false;
  if (info.timing != TimingClass::Control)
    return true;
  switch (op) {
  case isa::Opcode::LI:
  case isa::Opcode::LI_S:
  case isa::Opcode::LIH:
  case isa::Opcode::NOP:
  case isa::Opcode::NODEID:
    return true;
  case isa::Opcode::PRED:
  case isa::Opcode::PREDZ:
    return predicate;
  default:
    return false;
  }
}

} // namespace

void CodeWriter::text(const std::string &lines) {
  std::istringstream in(lines);
  std::string line;
  while (std::getline(in, line))
    if (!line.empty())
      append(code, line, here());
}

void CodeWriter::replace(size_t at, const std::string &line) {
  std::vector<uint8_t> patched;
  append(patched, line, place.code + static_cast<uint32_t>(at));
  std::copy(patched.begin(), patched.end(), code.begin() + static_cast<std::ptrdiff_t>(at));
}

void CodeWriter::setBases() {
  uint32_t base = place.data + baseBegin;
  for (int i = 0; i < 2; ++i) {
    text("li x" + std::to_string(vectorBase + i) + ", " +
         std::to_string(base + 2 * static_cast<uint32_t>(below(baseBytes / 2))));
    text("li x" + std::to_string(scalarBase + i) + ", " +
         std::to_string(base + 8 * static_cast<uint32_t>(below(baseBytes / 8))));
  }
}

void CodeWriter::piece(int depth) {
  setBases();
  drift = maxDrift;
  switch (below(depth > 0 ? 6 : 2)) {
  case 0:
  case 1:
    instructions(1 + below(30));
    return;
  case 5:
    matrixLoop(counter + depth);
    return;
  case 2: {
    int count = counter + depth, times = 1 + below(12);
    text("li x" + std::to_string(count) + ", " + std::to_string(times));
    uint32_t top = here();
    instructions(1 + below(20), times);
    if (below(2))
      piece(depth - 1);
    text("loop x" + std::to_string(count) + ", " + std::to_string(top));
    return;
  }
  case 3: {
    static const char *const branches[] = {"beq", "bne", "blt", "bge", "bltu", "bgeu"};
    size_t at = code.size();
    std::string branch = std::string(branches[below(6)]) + " x" + std::to_string(below(6)) + ", x" +
                         std::to_string(below(6)) + ", ";
    text(branch + std::to_string(here()));
    instructions(1 + below(8));
    replace(at, branch + std::to_string(here()));
    return;
  }
  default: { // over a function, then into it
    size_t at = code.size();
    text("j " + std::to_string(here()));
    uint32_t function = here();
    int calls = 1 + below(3);
    instructions(1 + below(10), calls);
    text("jr x" + std::to_string(link));
    replace(at, "j " + std::to_string(here()));
    for (; calls > 0; --calls)
      text("jal x" + std::to_string(link) + ", " + std::to_string(function));
  }
  }
}

// A loop such as matrix kernels have: short, of few kinds of instructions, with many turns. Every
// other one writes nothing but registers and accumulators.
void CodeWriter::matrixLoop(int count) {
  int times = below(3) ? 1 + below(12) : 65 + below(80);
  text("li x" + std::to_string(count) + ", " + std::to_string(times));
  uint32_t top = here();
  unsigned kinds = below(2) ? numMatrixLoopOps : numMatrixLoopOps - 4;
  for (int i = 1 + below(30); i > 0; --i)
    instruction(times, kinds);
  text("loop x" + std::to_string(count) + ", " + std::to_string(top));
}

void CodeWriter::instructions(int count, int times) {
  while (count-- > 0)
    instruction(times);
}

void CodeWriter::instruction(int times, unsigned kinds) {
  if (place.wildOneIn && below(place.wildOneIn) == 0) {
    // The end of the SRAM is for one thread: others would race with it.
    std::string end = place.thread == 0 ? "0x13FFC0" : "0x140000";
    std::string code = std::to_string(place.code);
    const std::string bad[] = {"li x20, " + end, "li x21, 0x1001", "li x22, " + code,
                               "li.s x23, -8",   "jr x3",          "li x20, " + end,
                               "li x20, 0x40001"};
    text(bad[below(7)]);
  }
  if (place.wildOneIn && below(13 * place.wildOneIn) == 0)
    code.insert(code.end(), 4, 0); // never an instruction
  isa::Inst inst;
  const isa::InstInfo *info;
  do {
    using isa::Opcode;
    static constexpr Opcode matrixLoopOps[] = {
        Opcode::MM,    Opcode::MM,   Opcode::MM,    Opcode::MM,   Opcode::MM_VM,
        Opcode::MM_MV, Opcode::VLD,  Opcode::VLD,   Opcode::VLD,  Opcode::ADDI,
        Opcode::SUB,   Opcode::SEL,  Opcode::SLT,   Opcode::SRAI, Opcode::LI,
        Opcode::VST,   Opcode::FILL, Opcode::DRAIN, Opcode::VFADD};
    static_assert(std::size(matrixLoopOps) == numMatrixLoopOps);
    inst.op = kinds ? matrixLoopOps[engine() % kinds] : Opcode(engine() % isa::numOpcodes);
    info = &isa::info(inst.op);
  } while (!usable(*info, inst.op, below(3) == 0));
  inst.bytes = info->bytes;
  bool scalar = info->access == isa::MemAccess::Scalar;
  unsigned mode = 0;
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
    case OperandKind::MemMode:
      mode = i;
      break;
    case OperandKind::MemOff: {
      value = scalar ? 8 * (below(40) - 20) : below(3) ? 64 * (below(20) - 10) : 2 * below(500);
      auto moved = static_cast<uint32_t>(std::abs(value) * times);
      if (inst.f[mode] && moved > drift)
        inst.f[mode] = 0;
      if (inst.f[mode])
        drift -= moved;
      break;
    }
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
      value = place.firstAccumulator +
              static_cast<unsigned>(below(static_cast<int>(place.accumulators)));
      break;
    default:
      break;
    }
    if (kinds && field.kind == OperandKind::EType)
      value = static_cast<int64_t>(below(3) ? isa::EType::w32 : isa::EType::bf16);
    if (field.allowed)
      while (!(field.allowed >> value & 1))
        value = field.min + int64_t(engine()) % span;
    inst.f[i] = static_cast<int32_t>(value >> field.shift << field.shift);
  }
  std::string error;
  isa::encode(inst, code, &error);
  if (inst.op == isa::Opcode::PRED || inst.op == isa::Opcode::PREDZ) // covers no counter of a loop
    instructions(7, times);
}

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

std::vector<uint8_t> specialBytes(std::mt19937 &engine, size_t bytes) {
  std::vector<uint8_t> out(bytes);
  for (size_t i = 0; i + 4 <= bytes; i += 4) {
    uint32_t word = specialWord(engine);
    std::memcpy(out.data() + i, &word, 4);
  }
  return out;
}

} // namespace dojo::emu
