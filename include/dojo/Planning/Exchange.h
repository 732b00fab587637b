// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which bytes move between nodes before a layer can start.
//
// Problem: the tensors that exist (sources) and the boxes of them that nodes hold; the tensor that
// a layer reads (destination) and the boxes of it that nodes need; a view that says how the
// destination's elements come from the sources' by placing (pad, concatenate, slice) and row-major
// reinterpretation. Solution: transfers, copies within a node, regions to fill, and the number of
// arrivals each node waits for. The work is done once for each distinct box, not for each pair of
// nodes.
//
// Offsets and strides are bytes within the named buffers; a buffer has one address on all nodes.
#ifndef DOJO_PLANNING_EXCHANGE_H
#define DOJO_PLANNING_EXCHANGE_H

#include "dojo/Planning/Layout.h"

#include <array>
#include <string>
#include <vector>

namespace dojo::planning {

/// How a tensor's elements follow from the sources': a tree of values, each used once.
/// Build it bottom up; every function returns the new value's number.
class View {
public:
  enum class Kind : uint8_t { Source, Assemble, Reshape };
  struct Operand {
    int32_t value = 0; ///< number of the placed value
    Coord at;          ///< where its element 0 lies; negative offsets and overhang are clipped
  };
  struct Value {
    Kind kind = Kind::Source;
    Coord shape;
    int32_t source = -1;           ///< Kind::Source: index into ExchangeProblem::sources
    std::vector<Operand> operands; ///< Assemble: any number; Reshape: one
  };

  int32_t source(int32_t index, Coord shape);
  /// Where operands overlap the later one counts; elements no operand covers are to be filled.
  int32_t assemble(Coord shape, std::vector<Operand> operands);
  /// The same elements in row-major order.
  int32_t reshape(int32_t value, Coord shape);

  const Value &operator[](int32_t v) const { return values[v]; }
  int32_t size() const { return static_cast<int32_t>(values.size()); }
  /// The last value built is the destination tensor.
  int32_t root() const { return size() - 1; }

private:
  std::vector<Value> values;
};

struct ExchangeSource {
  std::string name; ///< for messages
  Coord shape;
  std::vector<LocalPiece> held; ///< disjoint boxes; several nodes of a piece hold replicas
};

struct ExchangeProblem {
  int64_t elementBytes = 0;
  std::vector<ExchangeSource> sources;
  View view;
  std::vector<LocalPiece> needs; ///< boxes of the view's root; a box may be needed by many nodes
};

/// count[0] x count[1] x count[2] runs of runBytes, count[0] innermost; unused counts are 1 with
/// stride 0.
struct Strided {
  int64_t srcOffset = 0, dstOffset = 0, runBytes = 0;
  std::array<int64_t, 3> count{1, 1, 1}, srcStride{}, dstStride{};
  int64_t runs() const { return count[0] * count[1] * count[2]; }
  int64_t bytes() const { return runs() * runBytes; }
  /// Runs are cut into packets one by one.
  int64_t packets(int64_t packetBytes) const {
    return runs() * ((runBytes + packetBytes - 1) / packetBytes);
  }
  friend bool operator==(const Strided &, const Strided &) = default;
  friend auto operator<=>(const Strided &, const Strided &) = default;
};

/// One descriptor of the source node's list.
struct Transfer {
  int32_t source = 0;  ///< index into ExchangeProblem::sources: the buffer read
  int32_t srcNode = 0; ///< usable node that holds the bytes
  Destination to;
  Strided data;
  friend bool operator==(const Transfer &, const Transfer &) = default;
};

/// Bytes that the needing nodes hold themselves, the same on each of `nodes` (ascending).
struct LocalCopy {
  int32_t source = 0;
  std::vector<int32_t> nodes;
  Strided data;
};

/// Elements of a need that no source covers.
struct Fill {
  int32_t need = 0;    ///< index into ExchangeProblem::needs
  int32_t value = 0;   ///< the assemble (view value) whose fill constant they take
  bool isBox = true;   ///< false below a reshape: `box` is then empty
  Box box;             ///< coordinates of the destination tensor
  int64_t offset = 0;  ///< byte offset of the first element
  Coord size, strides; ///< elements, bytes; the same region as `box`
};

struct Exchange {
  /// In the order of each node's list: by source node, then beginning with the destinations that
  /// follow it, so that not all nodes send to the same one first.
  std::vector<Transfer> transfers;
  std::vector<LocalCopy> copies;
  std::vector<Fill> fills;
  /// Per node number: transfers that reach it, each one signal. Copies are not counted.
  std::vector<int32_t> arrivals;
};

struct ExchangeStatistics {
  int64_t transfers = 0, multicasts = 0, copies = 0;
  int64_t sentPackets = 0;                ///< injected, all nodes
  int64_t receivedPackets = 0;            ///< written, all nodes
  int64_t mostSent = 0, mostReceived = 0; ///< packets of the busiest node, copies included
  int64_t linkPackets = 0;                ///< packets summed over links
  int64_t busiestLink = 0;                ///< packets over the busiest link
};

/// Finds the transfers. False, with a message, if the problem is malformed (shapes, ranks, strides)
/// or a needed element is held by no node or twice; \p out is then unspecified.
[[nodiscard]] bool solveExchange(const ExchangeProblem &problem, const Mesh &mesh, Exchange &out,
                                 std::string &error);

/// If every need lies, with the same strides and at one distance, in what its own nodes hold of one
/// source, the reader can use the source's buffer itself: nothing moves. Returns true with the
/// source and the distance (bytes to add to the need's offsets).
bool readsInPlace(const ExchangeProblem &problem, int32_t &source, int64_t &distance);

ExchangeStatistics statisticsOf(const Exchange &exchange, const Mesh &mesh,
                                int64_t packetBytes = 64);

/// Proves that every needed element is delivered exactly once, from bytes that hold that element,
/// that fills are exactly the rest, that nothing else is written, and that `arrivals` is right.
/// Works from the other end than the solver (it walks rows of the destination through the view) and
/// shares no code with it. Empty, or what is wrong first.
std::string verifyExchange(const ExchangeProblem &problem, const Mesh &mesh,
                           const Exchange &exchange);

} // namespace dojo::planning

#endif
