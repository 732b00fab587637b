// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Dump.h"

#include "Format.h"
#include "NodeList.h"
#include "Symbols.h"

#include <algorithm>
#include <sstream>

namespace dojo::run {

namespace {

std::string words(std::span<const uint32_t> values) {
  std::string line;
  for (uint32_t value : values)
    line += format(" %08x", value);
  return line + "\n";
}

bool isZero(std::span<const uint32_t> values) {
  return std::all_of(values.begin(), values.end(), [](uint32_t v) { return v == 0; });
}

} // namespace

std::string describe(const emu::ThreadStatus &t) {
  std::string in = t.inList ? format("in the list at pc 0x%x", t.pc) : format("at pc 0x%x", t.pc);
  switch (t.place) {
  case emu::ThreadPlace::Ended:
    return "not started, or ended";
  case emu::ThreadPlace::Runs:
    return "runs " + in;
  case emu::ThreadPlace::Waits:
    return "waits for s" + std::to_string(t.semaphore) + " >= " + std::to_string(t.need) +
           " since cycle " + std::to_string(t.since) + ", " + in;
  case emu::ThreadPlace::Sends:
    return "sends " + in;
  }
  return "";
}

void dumpNode(const emu::Machine &m, uint32_t node, unsigned threads, std::string &out) {
  out += "node " + std::to_string(node) + "\n";
  for (unsigned t = 0; t < threads; ++t) {
    emu::ThreadStatus status = m.threadStatus(node, t);
    out += "  thread " + std::to_string(t) + ": " + describe(status) + "\n";
    for (unsigned i = 0; i < 32; ++i)
      if (uint64_t value = m.scalarRegister(node, t, i))
        out += format("    x%-2u %016llx\n", i, static_cast<unsigned long long>(value));
    for (unsigned i = 0; i < 8; ++i)
      if (uint64_t value = m.maskRegister(node, t, i); value && i)
        out += format("    m%-2u %016llx\n", i, static_cast<unsigned long long>(value));
    for (unsigned i = 0; i < 32; ++i)
      if (auto values = m.vectorRegister(node, t, i); !isZero(values))
        out += format("    v%-2u", i) + words(values);
  }
  for (unsigned i = 0; i < 8; ++i)
    if (auto values = m.accumulator(node, i); !isZero(values)) {
      out += "  accumulator " + std::to_string(i) + "\n";
      for (unsigned row = 0; row < 8; ++row)
        out += "   " + words(std::span(values).subspan(8 * row, 8));
    }
}

bool planDumps(const Options &options, const Target &target, DumpPlan &out, std::string &error) {
  if (!options.dumpRegisters.empty() &&
      !parseNodeList(options.dumpRegisters, target, out.registers, error))
    return false;
  std::vector<int64_t> usable = target.usableNodes();
  for (const std::string &text : options.dumpMemory) {
    std::istringstream parts(text);
    std::string part;
    std::vector<uint64_t> numbers;
    for (uint64_t number; std::getline(parts, part, ':') && parseNumber(part, number);)
      numbers.push_back(number);
    if (numbers.size() != 3 || !parts.eof() || text.ends_with(':')) {
      error = "--dump-memory needs NODE:ADDRESS:BYTES, not '" + text + "'";
      return false;
    }
    auto sram = uint64_t(target.sramBytes);
    if (numbers[0] > INT64_MAX ||
        !std::binary_search(usable.begin(), usable.end(), int64_t(numbers[0]))) {
      error = "--dump-memory " + text + ": node " + std::to_string(numbers[0]) +
              " is not usable on target " + target.name;
      return false;
    }
    if (numbers[1] > sram || numbers[2] > sram - numbers[1]) {
      error = "--dump-memory " + text + " leaves the SRAM of " + std::to_string(sram) + " bytes";
      return false;
    }
    out.memory.push_back({uint32_t(numbers[0]), uint32_t(numbers[1]), uint32_t(numbers[2])});
  }
  return true;
}

std::string describeThreads(Runtime &runtime) {
  const Target &target = runtime.image().target;
  unsigned counts[4] = {};
  for (int64_t node : target.usableNodes())
    for (unsigned t = 0; t < unsigned(target.threads); ++t)
      ++counts[unsigned(runtime.machine().threadStatus(uint32_t(node), t).place)];
  return format("threads: %u run, %u wait, %u send, %u have ended or not started\n", counts[1],
                counts[2], counts[3], counts[0]);
}

std::string dumps(Runtime &runtime, const DumpPlan &plan) {
  std::string out, error;
  for (uint32_t node : plan.registers)
    dumpNode(runtime.machine(), node, unsigned(runtime.image().target.threads), out);
  for (const DumpPlan::Memory &memory : plan.memory) {
    std::vector<uint8_t> bytes(memory.bytes);
    if (!runtime.machine().read(memory.node, memory.address, bytes, error))
      return out + error + "\n"; // checked before the run
    out += "node " + std::to_string(memory.node) + ", memory\n";
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (i % 16 == 0)
        out += format("  %06x:", unsigned(memory.address + i));
      out += format(" %02x", bytes[i]);
      if (i % 16 == 15 || i + 1 == bytes.size())
        out += '\n';
    }
  }
  return out;
}

} // namespace dojo::run
