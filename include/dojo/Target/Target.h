// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine as data. A target file (targets/*.json) gives every parameter a value, a unit and a
// label: D documented, I inferred, X invented. Code keeps no copy of a value.
//
// Units: cycles and bytes unless a name says otherwise. Positions are (row, column) from 0, north
// and west first; a node's number is columns * row + column of the whole die, also in a partition.
#ifndef DOJO_TARGET_TARGET_H
#define DOJO_TARGET_TARGET_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dojo {

struct Position {
  int64_t row = 0, column = 0;
  friend auto operator<=>(const Position &, const Position &) = default;
};

struct Target {
  std::string name, description;

  // Die.
  int64_t rows = 0, columns = 0;
  int64_t dieUsableNodes = 0;          // of the whole die, before any partition or death
  std::vector<Position> disabled;      // sorted
  std::vector<Position> notForwarding; // sorted; matters only where disabled or dead
  int64_t clockHz = 0;

  // Node: fetch, decode, control.
  int64_t threads = 0;
  int64_t fetchWindowBytes = 0, fetchInstructions = 0;
  int64_t decodePerCycle = 0, decodeThreads = 0, decodePerThread = 0;
  int64_t baseInstructionBytes = 0, longInstructionBytes = 0;
  bool frontEndControl = false;
  int64_t controlLatency = 0; // control results and post-increments
  int64_t branchPenalty = 0;
  int64_t codeLines = 0, codeLineBytes = 0, codeMissCycles = 0, codeNextLineCycles = 0;

  // Scalar side.
  int64_t aluSlots = 0, aguSlots = 0;
  int64_t scalarRegisters = 0, scalarRegisterBits = 0;
  int64_t addLatency = 0, multiplyLatency = 0, divideLatency = 0, divideBusy = 0;
  int64_t scalarLoadLatency = 0;

  // Vector side.
  int64_t simdSlots = 0, matrixSlots = 0;
  int64_t vectorRegisters = 0, vectorRegisterBytes = 0, masks = 0, maskBits = 0, lanes = 0;
  int64_t simdLatency = 0;
  bool scalarFloat = false;
  int64_t simdMemoryOperands = 0, matrixMemoryOperands = 0, offsetBits = 0;
  int64_t vectorLoadLatency = 0;
  int64_t gather8Granules = 0, gather16Granules = 0, gatherOffsetBits = 0;
  int64_t gatherSlots = 0; // cycles in a row, one AGU slot in each
  int64_t gatherLatency = 0;
  int64_t estimateBits = 0, estimateBusy = 0, estimateLatency = 0;

  // Matrix unit: a step is rows x columns += (rows x depth)(depth x columns).
  int64_t matrixRows = 0, matrixColumns = 0, matrixDepth = 0;
  std::vector<std::string> matrixFormats;
  int64_t accumulators = 0; // per node
  int64_t stepToDrain = 0, drainLatency = 0, fillLatency = 0;
  bool fp32Step = false;

  // SRAM.
  int64_t sramBytes = 0;
  int64_t loadPorts = 0, storePorts = 0, portBytes = 0, memoryOperations = 0;
  int64_t networkReads = 0, networkWrites = 0;
  bool bankConflicts = false;
  int64_t lineBytes = 0, lineCrossingCycles = 0, vectorAlignment = 0;

  // Mesh.
  int64_t packetBytes = 0, linkPackets = 0, hopCycles = 0, bufferPackets = 0;
  int64_t injectionPackets = 0, ejectionPackets = 0, trainPackets = 0;
  int64_t listStart = 0, listNext = 0; // cycles to the first, to each next descriptor
  int64_t arrivalLatency = 0;          // last packet written to semaphore shown
  int64_t pullAnswerLatency = 0;
  int64_t routeLinks = 0;
  bool multicast = false;
  bool networkReduction = false;

  // Synchronisation.
  int64_t semaphores = 0, semaphoreBits = 0, signalLatency = 0;

  // Edge of the die, host side.
  int64_t dieToDieCycles = 0, dieEdgeBytesPerSecond = 0, tileEdgeBytesPerSecond = 0;
  int64_t dipMemoryBytes = 0, dipMemoryBytesPerSecond = 0, dipTileBytesPerSecond = 0;
  int64_t dipHostBytesPerSecond = 0, dipEthernetBytesPerSecond = 0;

  // The part of the die in use: its top-left partitionRows x partitionColumns positions, without
  // those declared dead. Not part of the target's values: hash() ignores them.
  int64_t partitionRows = 0, partitionColumns = 0;
  std::vector<Position> dead; // sorted

  int64_t positions() const { return rows * columns; }
  int64_t node(Position p) const { return columns * p.row + p.column; }
  int64_t node(int64_t row, int64_t column) const { return columns * row + column; }
  Position position(int64_t node) const { return {node / columns, node % columns}; }
  bool inPartition(Position p) const {
    return p.row >= 0 && p.column >= 0 && p.row < partitionRows && p.column < partitionColumns;
  }
  bool isDisabled(Position p) const;
  bool isDead(Position p) const;
  /// The node can compute, hold, inject and eject: in the partition, neither disabled nor dead.
  bool isUsable(Position p) const;
  bool isUsable(int64_t node) const { return isUsable(position(node)); }
  /// The router passes packets on: every router of the die but those of disabled or dead positions
  /// that the target file lists as not forwarding.
  bool forwards(Position p) const;
  bool forwards(int64_t node) const { return forwards(position(node)); }
  /// Numbers of the usable nodes, ascending.
  std::vector<int64_t> usableNodes() const;

  /// The top-left \p r x \p c positions as a partition. False with \p error, and this target
  /// unchanged, if they exceed the die or hold no usable node.
  [[nodiscard]] bool withPartition(int64_t r, int64_t c, Target &out, std::string &error) const;
  /// Declares a position dead. False with \p error if it is not on the die or the last usable node
  /// of the partition. A disabled position stays what it is.
  [[nodiscard]] bool withDead(int64_t row, int64_t column, Target &out, std::string &error) const;

  /// SHA-256, 64 hex digits, over the canonical text of the target's values ("key=value" lines in
  /// key order): name, labels, notes, partition and dead positions play no part.
  std::string hash() const;
  /// Complete JSON: values, units, labels, partition, dead positions. parseTarget reads it back.
  std::string toJson() const;
  /// "49 values documented, 6 inferred, 60 invented" in the target's own figures.
  std::string labelSummary() const;
  /// Label of a value by its key in the file ("mesh.hop"): 'D', 'I', 'X', or 0 for an unknown key.
  char label(std::string_view key) const;

  std::string labels; // one character per value in the order of the value table (TargetValues.cpp)
};

/// Names of the targets built into the library, in order.
std::vector<std::string> builtinTargets();

/// Loads a built-in target by name, else a file by path. False with an \p error that names the
/// file and the key; \p out is then unspecified.
[[nodiscard]] bool loadTarget(const std::string &nameOrPath, Target &out, std::string &error);

/// Parses a target file's text. \p where names it in errors. Its "base", if any, is a built-in
/// name.
[[nodiscard]] bool parseTarget(std::string_view json, const std::string &where, Target &out,
                               std::string &error);

} // namespace dojo

#endif
