// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small programs for the emulator's tests: assembly text, transfer lists, one call to run.
#ifndef DOJO_TEST_EMULATOR_TESTMACHINE_H
#define DOJO_TEST_EMULATOR_TESTMACHINE_H

#include "dojo/Emulator/Machine.h"
#include "dojo/ISA/Descriptor.h"
#include "dojo/ISA/ISA.h"

#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

namespace dojo::emu {

/// Assembles lines of "label:" and instructions for `base`. '#' starts a comment.
inline std::vector<uint8_t> assemble(const std::string &text, uint32_t base,
                                     std::map<std::string, uint32_t> *labelsOut = nullptr) {
  std::map<std::string, uint32_t> labels;
  std::vector<uint8_t> code;
  for (bool final : {false, true}) {
    code.clear();
    std::istringstream lines(text);
    std::string line;
    while (std::getline(lines, line)) {
      line = line.substr(0, line.find('#'));
      size_t begin = line.find_first_not_of(" \t");
      if (begin == std::string::npos)
        continue;
      line = line.substr(begin, line.find_last_not_of(" \t") - begin + 1);
      uint32_t pc = base + static_cast<uint32_t>(code.size());
      if (line.back() == ':') {
        labels[line.substr(0, line.size() - 1)] = pc;
        continue;
      }
      isa::Inst inst;
      std::string error;
      auto resolve = [&](std::string_view label) -> std::optional<int64_t> {
        auto it = labels.find(std::string(label));
        if (it == labels.end())
          return final ? std::optional<int64_t>() : pc;
        return it->second;
      };
      EXPECT_TRUE(isa::parseInst(line, pc, resolve, inst, &error)) << line << ": " << error;
      EXPECT_TRUE(isa::encode(inst, code, &error)) << line << ": " << error;
    }
  }
  if (labelsOut)
    *labelsOut = labels;
  return code;
}

class TestMachine {
public:
  static constexpr uint32_t codeBase = 0x1000, threadBytes = 0x4000, listBase = 0x20000;

  explicit TestMachine(const std::string &targetName = "d1") {
    Target target;
    std::string error;
    EXPECT_TRUE(loadTarget(targetName, target, error)) << error;
    init(target);
  }
  explicit TestMachine(const Target &target) { init(target); }

  static uint32_t codeAddress(unsigned thread) { return codeBase + thread * threadBytes; }

  /// Gives a thread its program. Returns the labels.
  std::map<std::string, uint32_t> program(uint32_t node, unsigned thread, const std::string &text) {
    std::map<std::string, uint32_t> labels;
    auto code = assemble(text, codeAddress(thread), &labels);
    std::string error;
    EXPECT_TRUE(machine->placeCode({&node, 1}, codeAddress(thread), code, error)) << error;
    EXPECT_TRUE(machine->setEntry(node, thread, codeAddress(thread), error)) << error;
    return labels;
  }

  /// Places a list, end added, where `list` instructions of the thread find it.
  static uint32_t listAddress(unsigned thread) { return listBase + thread * 0x1000; }
  void list(uint32_t node, unsigned thread, const std::vector<isa::Descriptor> &descriptors) {
    std::vector<uint8_t> bytes((descriptors.size() + 1) * isa::Descriptor::bytes);
    for (size_t i = 0; i < descriptors.size(); ++i)
      descriptors[i].encode(bytes.data() + i * isa::Descriptor::bytes);
    isa::Descriptor().encode(bytes.data() + descriptors.size() * isa::Descriptor::bytes);
    write(node, listAddress(thread), bytes);
  }
  /// A thread that runs its list and halts.
  void listThread(uint32_t node, unsigned thread, const std::vector<isa::Descriptor> &descriptors) {
    list(node, thread, descriptors);
    program(node, thread, "list " + std::to_string(listAddress(thread)) + "\nhalt");
  }

  void write(uint32_t node, uint32_t address, std::span<const uint8_t> bytes) {
    std::string error;
    ASSERT_TRUE(machine->write(node, address, bytes, error)) << error;
  }
  template <typename T> void write(uint32_t node, uint32_t address, const std::vector<T> &values) {
    write(node, address,
          std::span(reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(T)));
  }
  template <typename T> std::vector<T> read(uint32_t node, uint32_t address, size_t count) {
    std::vector<T> values(count);
    std::string error;
    EXPECT_TRUE(machine->read(
        node, address, std::span(reinterpret_cast<uint8_t *>(values.data()), count * sizeof(T)),
        error))
        << error;
    return values;
  }

  RunResult run(RunOptions options = {}) { return machine->run(options); }
  RunResult runGood(RunOptions options = {}) {
    RunResult result = run(options);
    EXPECT_FALSE(result.fault) << result.fault->message(machine->target());
    return result;
  }
  RunResult runFault(FaultClass faultClass, RunOptions options = {}) {
    RunResult result = run(options);
    EXPECT_TRUE(result.fault) << "no fault";
    if (result.fault) {
      EXPECT_EQ(name(result.fault->faultClass), std::string(name(faultClass)))
          << result.fault->message(machine->target());
    }
    return result;
  }

  /// As program; from then on cycles() knows in which cycle the instructions at labels issued last.
  void timedProgram(uint32_t node, unsigned thread, const std::string &text) {
    for (const auto &[label, pc] : program(node, thread, text)) {
      uint64_t *cycle = &cycles[label];
      machine->addCapture(node, thread, pc,
                          [cycle](int64_t, unsigned, uint32_t, uint64_t now,
                                  std::span<const uint8_t>) { *cycle = now; });
    }
  }
  std::map<std::string, uint64_t> cycles;

  std::unique_ptr<Machine> machine;

private:
  void init(const Target &target) {
    std::string error;
    machine = Machine::create(target, error);
    ASSERT_TRUE(machine) << error;
  }
};

inline RunOptions functional() {
  RunOptions options;
  options.timing = false;
  return options;
}

} // namespace dojo::emu

#endif
