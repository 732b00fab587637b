// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DOJO_CONVERSION_MESH_TRANSFERRECORD_H
#define DOJO_CONVERSION_MESH_TRANSFERRECORD_H

#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Planning/Mesh.h"

namespace mlir::dojo {

namespace planning = ::dojo::planning;

/// One record of dojo.exchange.transfers by name.
struct TransferRecord {
  int64_t srcNode, kind, to[3], srcBuffer, srcOffset, dstBuffer, dstOffset, runBytes, count[3],
      srcStride[3], dstStride[3], route;

  static TransferRecord read(ExchangeOp exchange, unsigned index) {
    static_assert(sizeof(TransferRecord) == ExchangeOp::recordSize * sizeof(int64_t));
    TransferRecord r;
    std::copy_n(exchange.getTransfers().begin() + index * ExchangeOp::recordSize,
                ExchangeOp::recordSize, reinterpret_cast<int64_t *>(&r));
    return r;
  }

  void append(SmallVectorImpl<int64_t> &out) const {
    auto *words = reinterpret_cast<const int64_t *>(this);
    out.append(words, words + ExchangeOp::recordSize);
  }

  bool isCopy() const { return kind == 3; }

  planning::Destination destination() const {
    if (kind == 1)
      return planning::Destination::rowRun(to[0], to[1]);
    if (kind == 2)
      return planning::Destination::columnRun(to[0], to[1], to[2]);
    return planning::Destination::toNode(kind == 3 ? srcNode : to[0]);
  }

  void setDestination(const planning::Destination &d) {
    kind = int64_t(d.kind);
    to[0] = to[1] = to[2] = 0;
    switch (d.kind) {
    case planning::Destination::Kind::Node:
      to[0] = d.node;
      return;
    case planning::Destination::Kind::RowRun:
      to[0] = d.first, to[1] = d.last;
      return;
    case planning::Destination::Kind::ColumnRun:
      to[0] = d.column, to[1] = d.first, to[2] = d.last;
      return;
    }
  }
};

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_TRANSFERRECORD_H
