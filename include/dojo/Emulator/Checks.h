// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a run may be checked for on request (RunOptions::checks), and what the checks report.
// docs/checks.md says how to read the reports.
//
// A checked run takes the plain engine and has the same bytes, cycles and faults as any other. It
// goes on after a report. Reports do not depend on the number of host threads.
#ifndef DOJO_EMULATOR_CHECKS_H
#define DOJO_EMULATOR_CHECKS_H

#include "dojo/Target/Target.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dojo::emu {

/// Bytes [begin, end) of a node that the host reads after the run, as the output `name`.
struct OutputBytes {
  uint32_t node = 0, begin = 0, end = 0;
  std::string name;
};

struct CheckOptions {
  bool memory = false; ///< reads of bytes that were never written
  bool races = false;  ///< conflicting accesses that no semaphore orders
  /// Reports of so many different pairs of instructions are kept; the others are counted.
  size_t maxReports = 20;
  std::vector<OutputBytes> outputs = {}; ///< for `memory`

  bool any() const { return memory || races; }
};

/// Who accesses memory.
struct AccessPlace {
  enum class Kind : uint8_t {
    Load,
    Store,
    List,          ///< a list's descriptor is fetched
    TransferRead,  ///< a transfer takes bytes from a node
    TransferWrite, ///< it writes them to one
    Output,        ///< the host reads them after the run
  };
  static constexpr uint32_t noDescriptor = UINT32_MAX;

  Kind kind = Kind::Load;
  int64_t node = -1;                  ///< that runs the instruction; Output: that holds the bytes
  int thread = -1;                    ///< Output: none
  uint32_t pc = 0;                    ///< of the instruction; in a list, of the `list` instruction
  uint32_t descriptor = noDescriptor; ///< in a list: its address
  int32_t layer = -1;                 ///< by the PC ranges; -1: none

  bool operator==(const AccessPlace &) const = default;
};

/// One side of a report.
struct CheckedAccess : AccessPlace {
  std::string instruction = {}; ///< disassembled; in a list the descriptor; Output: name
};

struct CheckReport {
  enum class Kind : uint8_t { UnwrittenRead, Race };
  Kind kind = Kind::UnwrittenRead;
  int64_t node = -1; ///< whose memory it is
  uint32_t begin = 0,
           end = 0;   ///< bytes of it; 64 from the SRAM's end on stand for each accumulator
  uint64_t cycle = 0; ///< of `access`; 0 with timing off
  CheckedAccess access;
  std::optional<CheckedAccess> earlier = {}; ///< Race: not ordered before `access`
  uint64_t times = 1;                        ///< so often did these instructions meet, on any nodes

  /// Several lines without a line break at the end. `layer` describes a layer by its number.
  std::string message(const Target &target,
                      const std::function<std::string(int32_t layer)> &layer) const;
};

struct CheckResult {
  std::vector<CheckReport> reports; ///< by cycle, node, thread
  uint64_t numReports = 0;          ///< with those that were not kept: different instructions
  uint64_t accesses = 0;            ///< loads, stores, descriptors and pieces of transfers
  uint64_t shadowBytes = 0;         ///< memory of the host for what the checks know
};

} // namespace dojo::emu

#endif
