// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Inspect.h"

#include "Dump.h"
#include "Format.h"
#include "Symbols.h"

#include "dojo/ISA/ISA.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace dojo::run {

namespace {

// The instruction at `pc`; false: no instruction.
bool decodeAt(Runtime &runtime, uint32_t node, uint32_t pc, isa::Inst &inst) {
  uint8_t bytes[8];
  auto sram = uint64_t(runtime.image().target.sramBytes);
  if (pc >= sram)
    return false;
  size_t size = std::min<uint64_t>(sizeof bytes, sram - pc);
  std::string error;
  return runtime.machine().read(node, pc, std::span(bytes, size), error) &&
         isa::decode(bytes, size, inst);
}

std::string range(uint32_t address, uint32_t bytes) {
  return format("bytes 0x%x to 0x%x", address, address + bytes - 1);
}

} // namespace

std::string instructionAt(Runtime &runtime, uint32_t node, uint32_t pc) {
  isa::Inst inst;
  return decodeAt(runtime, node, pc, inst) ? isa::disassemble(inst, pc) : "no instruction";
}

std::string describeStops(Runtime &runtime, const std::vector<emu::Stop> &stops) {
  constexpr size_t shown = 8;
  const image::Image &image = runtime.image();
  std::string text;
  for (size_t i = 0; i < stops.size() && i < shown; ++i) {
    const emu::Stop &s = stops[i];
    std::string thread = describeThread(image, s.threadNode, s.thread);
    std::string number = std::to_string(s.number), cycle = std::to_string(s.cycle);
    std::string before =
        describePc(image, s.threadNode, s.pc) + ": " + instructionAt(runtime, s.threadNode, s.pc);
    switch (s.kind) {
    case emu::Stop::Kind::Breakpoint:
      text += "break point " + number + " in cycle " + cycle + ": " + thread + ", before " + before;
      break;
    case emu::Stop::Kind::Step:
      text += "in cycle " + cycle + ": " + thread + ", before " + before;
      break;
    case emu::Stop::Kind::Ended:
      text += "in cycle " + cycle + ": " + thread + " has ended";
      break;
    case emu::Stop::Kind::Watchpoint:
      text += "watch point " + number + " in cycle " + cycle + ": " + range(s.address, s.bytes) +
              " of node " + std::to_string(s.node) + " written by ";
      text += s.byTransfer
                  ? "a transfer of " + thread + ", pc " + describePc(image, s.threadNode, s.pc)
                  : thread + ", " + before;
      break;
    }
    text += '\n';
  }
  if (stops.size() > shown)
    text += "and " + std::to_string(stops.size() - shown) + " more\n";
  return text;
}

std::string describePlace(Runtime &runtime, uint32_t node, unsigned thread) {
  const image::Image &image = runtime.image();
  emu::ThreadStatus t = runtime.machine().threadStatus(node, thread);
  std::string text = describeThread(image, node, thread) + ": " + describe(t) + "\n";
  if (t.place == emu::ThreadPlace::Ended)
    return text;
  text += "  " + describePc(image, node, t.pc) + ": " + instructionAt(runtime, node, t.pc) + "\n";
  return text + "  " + describeLayer(image, t.layer) + "\n";
}

std::string disassembly(Runtime &runtime, uint32_t node, uint32_t pc, unsigned before,
                        unsigned after) {
  uint32_t begin = pc, end = pc;
  std::vector<uint32_t> addresses;
  isa::Inst inst;
  if (codeAround(runtime.image(), node, pc, begin, end))
    for (uint32_t at = begin; at < pc; at += decodeAt(runtime, node, at, inst) ? inst.bytes : 4)
      addresses.push_back(at);
  if (addresses.size() > before)
    addresses.erase(addresses.begin(), addresses.end() - before);
  for (uint32_t at = pc; after > 0 && at < end; --after) {
    addresses.push_back(at);
    at += decodeAt(runtime, node, at, inst) ? inst.bytes : 4;
  }
  std::string text;
  for (uint32_t at : addresses)
    text += (at == pc ? "=> " : "   ") + describePc(runtime.image(), node, at) + ": " +
            instructionAt(runtime, node, at) + "\n";
  return text;
}

std::string describeSemaphores(Runtime &runtime, uint32_t node, uint64_t now) {
  std::string text;
  for (const emu::SemaphoreStatus &s : runtime.machine().semaphores(node, now)) {
    text += "  s" + std::to_string(s.number) + " = " + std::to_string(s.value);
    if (s.waiter >= 0) {
      emu::ThreadStatus t = runtime.machine().threadStatus(node, unsigned(s.waiter));
      text += ", thread " + std::to_string(s.waiter) + " waits for " + std::to_string(t.need) +
              " since cycle " + std::to_string(t.since);
    }
    for (auto [cycle, amount] : s.pending)
      text += ", +" + std::to_string(amount) + " in cycle " + std::to_string(cycle);
    text += '\n';
  }
  return "node " + std::to_string(node) + (text.empty() ? ": all semaphores are zero\n" : "\n") +
         text;
}

std::string describeRegister(Runtime &runtime, uint32_t node, unsigned thread,
                             const std::string &name) {
  emu::Machine &m = runtime.machine();
  size_t digits = name.find_first_of("0123456789");
  uint64_t number = 0;
  if (digits == name.npos || !parseNumber(name.substr(digits), number))
    return "";
  std::string file = name.substr(0, digits);
  if (file == "x" && number < 32) {
    uint64_t value = m.scalarRegister(node, thread, unsigned(number));
    return format("  %s = 0x%llx = %lld\n", name.c_str(), static_cast<unsigned long long>(value),
                  static_cast<long long>(value));
  }
  if (file == "m" && number < 8)
    return format("  %s = %016llx\n", name.c_str(),
                  static_cast<unsigned long long>(m.maskRegister(node, thread, unsigned(number))));
  bool vector = file == "v" && number < 32;
  if (!vector && !(file == "acc" && number < 8))
    return "";
  std::string text;
  auto lines = [&](std::span<const uint32_t> words) {
    for (size_t i = 0; i < words.size(); i += 8) {
      text += i ? "   " : "  " + name + "\n   ";
      for (size_t k = i; k < i + 8; ++k)
        text += format(" %08x", words[k]);
      text += "  ";
      for (size_t k = i; k < i + 8; ++k)
        text += format(" %.6g", double(std::bit_cast<float>(words[k])));
      text += '\n';
    }
  };
  if (vector)
    lines(m.vectorRegister(node, thread, unsigned(number)));
  else
    lines(m.accumulator(node, unsigned(number)));
  return text;
}

std::string describeMemory(Runtime &runtime, uint32_t node, uint32_t address, uint32_t bytes,
                           const std::string &kind) {
  std::vector<uint8_t> values(bytes);
  std::string text, error;
  if (!runtime.machine().read(node, address, values, error))
    return error + "\n";
  unsigned size = kind == "bytes" ? 1 : kind == "bf16" ? 2 : 4, perLine = kind == "bytes" ? 16 : 8;
  if (size == 4 && kind != "i32" && kind != "f32")
    return "";
  for (size_t i = 0; i * size < values.size(); ++i) {
    if (i % perLine == 0)
      text += format("  %06x:", unsigned(address + i * size));
    uint32_t word = 0;
    std::memcpy(&word, values.data() + i * size, std::min<size_t>(size, values.size() - i * size));
    if (kind == "bytes")
      text += format(" %02x", word);
    else if (kind == "i32")
      text += format(" %d", int32_t(word));
    else
      text += format(" %.6g", double(std::bit_cast<float>(size == 2 ? word << 16 : word)));
    if (i % perLine == perLine - 1 || (i + 1) * size >= values.size())
      text += '\n';
  }
  return text;
}

} // namespace dojo::run
