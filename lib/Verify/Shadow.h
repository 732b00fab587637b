// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the bytes of all nodes hold while events are gone through in one possible order, and who
// touched them: finds pairs of conflicting accesses that are not ordered, and reads of bytes that
// were not written for the buffer they are read from.
//
// A buffer is open on a node from its first write until a write opens another buffer that shares
// bytes with it; its content is then gone. Everything done to a buffer must come after everything
// done to those it displaced.
//
// Kernels may load bytes that nobody has written (behind the last element of a block, say) as long
// as no result depends on them: what they write from such bytes counts as not written either.
// Transfers and graph outputs need all their bytes.
#ifndef DOJO_LIB_VERIFY_SHADOW_H
#define DOJO_LIB_VERIFY_SHADOW_H

#include "Clock.h"
#include "Program.h"
#include "Strided.h"

#include <string>
#include <vector>

namespace dojo::verify {

/// Who touches memory: an event, and which part of it.
struct Origin {
  enum class Part : uint8_t {
    DeclaredRead,  ///< region `first` of a segment's reads
    DeclaredWrite, ///< region `first` of its writes
    Read,          ///< intervals [first, first + count) of a footprint's reads
    Write,         ///< of its writes
    Split,         ///< of Shadow's own list
    Whole,         ///< of a load or store
    Local,         ///< side of a transfer
    Remote
  };
  uint32_t thread = 0, event = 0;
  Part part = Part::Whole;
  uint32_t first = 0, count = 0;
};

class Shadow {
public:
  static constexpr uint32_t noRecord = UINT32_MAX;

  explicit Shadow(const Program &program);

  /// An access of known bytes that may begin once `known` holds. With `done`, it is over in that
  /// epoch; else complete() says when. Returns the record for that, or noRecord if there was
  /// nothing to do. What it reads must have been written.
  uint32_t access(uint32_t node, const ByteSet &bytes, bool write, int32_t layer,
                  const Knowledge &known, const Epoch *done, const Origin &origin);
  /// Everything that called code does.
  void call(uint32_t node, const Call &call, int32_t layer, const Knowledge &known, Epoch done,
            uint32_t event);
  void accumulators(uint32_t node, uint8_t mask, const Knowledge &known, Epoch done,
                    uint32_t event);
  /// Whoever knows this epoch knows that the access is over.
  void complete(uint32_t record, Epoch epoch);
  /// At the end: graph outputs hold what was written for them.
  void finish();

  /// Whether each graph input was read; empty if no buffers are declared.
  std::vector<bool> inputsRead() const;

  bool full() const { return findings.size() >= maxFindings; }
  std::vector<Finding> findings;
  uint64_t accesses = 0;

private:
  static constexpr size_t maxFindings = 200;
  static constexpr int64_t maxRuns = int64_t(1) << 20;

  struct Record {
    Origin origin;
    int32_t layer;
    uint8_t numDone = 0;
    Epoch done[2];
  };
  struct BufferState {
    bool open = false;
    std::vector<uint32_t> reads, writes; // records
    std::vector<Epoch> past;             // accesses of earlier openings, the latest per thread
    std::vector<Epoch> required;         // of buffers displaced
    std::vector<uint32_t> requiredRecords;
  };
  struct NodeState {
    Bitmap valid;   ///< written for the open buffer, with a defined value
    Bitmap touched; ///< written since its buffer was opened
    std::vector<BufferState> buffers;
    // Per accumulator and thread of the node: event and steps of the last use.
    struct Use {
      uint32_t thread = 0, event = 0, steps = 0;
    };
    std::vector<Use> uses[8];
  };

  void error(const std::string &text) { report(Verdict::Error, text); }
  void report(Verdict verdict, const std::string &text);
  void place();
  int32_t bufferAt(uint32_t node, int64_t lo, int64_t hi, int32_t layer) const;
  void open(uint32_t node, uint32_t buffer);
  bool ordered(const Record &record, const Knowledge &known) const;
  ByteSet bytesOf(const Record &record) const;
  int64_t meet(const ByteSet &a, const ByteSet &b);
  void conflict(uint32_t node, uint32_t buffer, const std::vector<uint32_t> &earlier,
                const char *kind, const ByteSet &bytes, bool write, const Knowledge &known,
                const Origin &origin, int32_t layer);
  void displaced(uint32_t node, uint32_t buffer, const Knowledge &known, const Origin &origin,
                 int32_t layer);
  /// What a read does where nothing was written.
  enum class Content { Needed, Declared, Tracked };
  void checkContent(uint32_t node, uint32_t buffer, const ByteSet &bytes, const Origin &origin,
                    int32_t layer, Content content);
  uint32_t accessAs(uint32_t node, const ByteSet &bytes, bool write, int32_t layer,
                    const Knowledge &known, const Epoch *done, const Origin &origin,
                    Content content);
  void declaredCall(uint32_t node, const image::Segment &segment, int32_t layer,
                    const Knowledge &known, Epoch done, uint32_t event);
  void followedCall(uint32_t node, uint32_t footprint, int32_t layer, const Knowledge &known,
                    Epoch done, uint32_t event);
  /// One access for each buffer that the list touches.
  void accessList(uint32_t node, const std::vector<Interval> &list, Origin::Part part,
                  int32_t layer, const Knowledge &known, Epoch done, uint32_t event);
  std::string describe(const Origin &origin, int32_t layer) const;
  std::string where(uint32_t node, uint32_t buffer, int64_t lo, int64_t hi) const;
  static void merge(std::vector<Epoch> &list, Epoch e);

  const Program &program;
  const ImageIndex &index;
  const image::Image &image;
  bool wholeSram;              // no buffers declared: all of SRAM is one
  bool sendsBelongToNextLayer; // what is sent after a layer uses buffers of the one behind
  std::vector<std::vector<uint32_t>> sharing; // per buffer: others that share bytes
  std::vector<NodeState> nodes;
  std::vector<Record> records;
  std::vector<Interval> splits; ///< lists that records refer to
  std::vector<bool> bufferRead;
  Bitmap scratch;
};

} // namespace dojo::verify

#endif
