// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code decoded once: every instruction becomes an Op, which holds what issue and execution need
// without another look at the instruction's record. Nodes that were given the same bytes share it.
#ifndef DOJO_EMULATOR_CODE_H
#define DOJO_EMULATOR_CODE_H

#include "Parameters.h"
#include "dojo/Emulator/HostPath.h"

#include <array>
#include <atomic>
#include <compare>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace dojo::emu {

struct Op;
struct Thread;
struct ExecContext;
class Translation;
struct FastContext;
using SemanticFunction = void (*)(ExecContext &, const Op &);
/// Computes and checks addresses and executes; false, with nothing changed, if the plain engine has
/// to look at the instruction.
using Handler = bool (*)(FastContext &, const Op &);

/// Index into a thread's scoreboard.
namespace score {
inline constexpr uint8_t x = 0, v = 32, m = 64;
inline constexpr uint8_t alwaysReady = 72; // x0, m0, unused sources
inline constexpr uint8_t sink = 73;        // destination of what is not kept
inline constexpr unsigned size = 74;
} // namespace score

enum class SourceKind : uint8_t { None, X, V, M, Immediate, Memory };

/// The control instructions that the issue logic treats by itself.
enum class ControlKind : uint8_t {
  None, // not a control instruction
  Plain,
  Jump,         // direct, always right
  JumpRegister, // never right
  Loop,
  Branch,
  Predicate,
  Wait,
  Signal,
  SignalRemote,
  List,
  Halt,
};

/// Why an Op cannot execute.
enum class OpState : uint8_t { Valid, Undefined, NotDecoded };

struct Operand {
  SourceKind kind = SourceKind::None;
  uint8_t reg = 0; // register number, or which memory operand
};

struct MemoryOperand {
  uint8_t base = 0;
  bool postIncrement = false;
  int16_t offset = 0;
};

/// One line of the host's cache.
struct alignas(64) Op {
  union {
    SemanticFunction function = nullptr;
    Handler handler; // in a block of the fast engine
  };
  int32_t immediate = 0; // the last immediate
  int32_t target = 0;    // branch: bytes from its own address
  uint32_t latency = 0;  // issue to result, memory operands included
  isa::Opcode opcode = {};
  MemoryOperand memory[2];
  Operand s[3]; // sources in the order of the assembly
  uint8_t sources[4] = {score::alwaysReady, score::alwaysReady, score::alwaysReady,
                        score::alwaysReady};
  OpState state = OpState::NotDecoded;
  isa::TimingClass timing = {};
  ControlKind control = ControlKind::None;
  uint8_t bytes = 4;
  uint8_t d = 0;                     // destination register
  uint8_t destination = score::sink; // its place in the scoreboard
  uint8_t numMemory = 0;
  isa::MemAccess access = {};
  uint8_t accessBytes = 0; // of each memory operand; a gather's granule
  uint8_t alignment = 1;
  bool readsMemory = false, writesMemory = false;
  bool usesAcc = false;
  uint8_t acc = 0;
  uint8_t mask = 0; // mask register of masked accesses, 0: all lanes
  isa::EType etype = {};
  isa::Cond cond = {};
  uint8_t semaphore = 0;
  uint8_t crossing = 0; // in a block: the bit that says whether its first access crosses a line

  /// Bits by vector register.
  uint32_t vectorsWritten() const {
    return destination >= score::v && destination < score::m ? 1u << (destination - score::v) : 0;
  }
};
static_assert(sizeof(Op) == 64);

/// The function of an instruction (generated table).
SemanticFunction semanticOf(isa::Opcode opcode);

/// Decodes the instruction at `p`, of which `available` bytes may be read.
Op decodeOp(const uint8_t *p, size_t available, const Parameters &parameters);

/// A run of code bytes, decoded in sequence from its first byte. A word inside a longer instruction
/// is NotDecoded; who jumps there decodes it himself from `bytes`.
struct CodeImage {
  std::vector<uint8_t> bytes;
  std::vector<Op> ops; // one for every 4 bytes
  const uint32_t address;

  CodeImage(std::span<const uint8_t> content, uint32_t address, const Parameters &parameters);
  ~CodeImage();

  /// Its blocks for a host path. Thread-safe.
  Translation &translation(HostPath path) const;

private:
  const Parameters &parameters;
  mutable std::mutex translating;
  mutable std::array<std::atomic<Translation *>, numHostPaths> translations{};
};

/// Code at an address of a node.
struct CodeSegment {
  uint32_t begin = 0, end = 0;
  std::shared_ptr<const CodeImage> image;
  auto operator<=>(const CodeSegment &) const = default;
};

} // namespace dojo::emu

#endif
