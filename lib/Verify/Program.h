// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the threads of an image do that others can notice: the control text of every thread followed
// from its entry to its halt, with lists expanded.
#ifndef DOJO_LIB_VERIFY_PROGRAM_H
#define DOJO_LIB_VERIFY_PROGRAM_H

#include "Footprints.h"
#include "ImageIndex.h"
#include "dojo/ISA/Descriptor.h"
#include "dojo/Verify/Verify.h"

#include <memory>
#include <string>
#include <vector>

namespace dojo::verify {

/// One step of a thread, in program order.
struct Event {
  enum class Kind : uint8_t {
    Wait,         ///< own semaphore, amount
    Signal,       ///< own semaphore, amount
    RemoteSignal, ///< index: into remoteSignals
    Call,         ///< index: into calls
    Access,       ///< index: into accesses
    Transfer,     ///< index: into transfers
    Accumulators  ///< amount: mask of accumulators
  };
  Kind kind;
  uint8_t semaphore = 0;
  uint32_t amount = 0;
  uint32_t index = 0;
  uint32_t pc = 0;
  int32_t layer = -1; ///< of the code range that holds pc
};

/// Code of a declared segment.
struct Call {
  static constexpr uint32_t unknown = UINT32_MAX;
  uint32_t segment = 0;         ///< index into image.segments
  uint32_t footprint = unknown; ///< index into footprints; unknown: only what is declared counts
  uint8_t accumulators = 0;     ///< bit a: uses accumulator a
};

/// A load or store outside of declared segments, its address known.
struct Access {
  uint32_t address = 0, bytes = 0;
  bool write = false;
};

/// Receivers are receivers[firstReceiver .. + numReceivers) of the program; none if the descriptor
/// is bad, which is then among the findings.
struct RemoteSignal {
  uint32_t firstReceiver = 0, numReceivers = 0;
  uint8_t semaphore = 0;
  uint32_t amount = 0;
  isa::Descriptor d = {}; ///< names receivers and route
};

/// A descriptor that moves data, with registers put in.
struct Transfer {
  isa::Descriptor d;
  uint32_t node = 0;
  uint32_t listed = 0; ///< address of the descriptor
  int32_t layer = -1;  ///< of the list instruction
  uint32_t firstReceiver = 0, numReceivers = 0;
};

struct ThreadTrace {
  uint32_t node = 0, thread = 0;
  bool complete = false; ///< followed to its halt
  bool usesLists = false;
  std::vector<Event> events;
};

struct Program {
  /// \p steps: that each loop takes whose end data decide, every time that it is entered.
  explicit Program(const ImageIndex &index, unsigned steps = 1);

  /// Whether the byte is one that decides about a loop on that node: in a buffer of kind
  /// "condition".
  bool decides(int64_t node, int64_t address) const;

  const ImageIndex &index;
  const unsigned loopSteps;
  std::vector<ThreadTrace> threads; ///< by node, then thread
  std::vector<Call> calls;          ///< distinct ones
  std::vector<Access> accesses;
  std::vector<RemoteSignal> remoteSignals;
  std::vector<Transfer> transfers;
  std::vector<uint32_t> receivers;
  std::vector<Finding> findings; ///< of following the text, each for the check it belongs to
  /// Segments whose code could not be followed because data decide: what they declare was believed.
  std::vector<Finding> trusted;
  std::shared_ptr<Footprints> footprints;
  uint64_t steps = 0, callsMade = 0;
  std::vector<const image::Buffer *> conditions;

  bool complete() const;
  std::string transferName(const Transfer &t) const;
  std::string threadName(const ThreadTrace &t) const;
  std::string placeName(const ThreadTrace &t, const Event &e) const;
};

/// Whether the image has loops whose end data decide.
bool hasConditions(const image::Image &image);

/// Follows every thread that an entry starts. Loops that data end take so many steps.
Program followImage(const ImageIndex &index, unsigned steps = 1);

} // namespace dojo::verify

#endif
