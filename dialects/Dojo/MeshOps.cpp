// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the mesh form and of plans.

#include "dialects/Dojo/DojoDialect.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::dojo;

#define GET_OP_CLASSES
#include "dialects/Dojo/DojoMeshOps.cpp.inc"

LogicalResult PlanAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t copies,
                               int64_t m, int64_t n, int64_t k, ArrayRef<int64_t> splits,
                               ArrayRef<int32_t> nodes, int64_t cycles) {
  if (copies < 1 || m < 1 || n < 1 || k < 1)
    return emitError() << "copies, m, n and k must be at least 1";
  if (llvm::any_of(splits, [](int64_t s) { return s < 1; }))
    return emitError() << "every loop is split into at least 1 part";
  if (nodes.empty())
    return emitError() << "a plan names at least one node";
  SmallVector<int32_t> sorted(nodes);
  llvm::sort(sorted);
  if (llvm::adjacent_find(sorted) != sorted.end())
    return emitError() << "a node computes at most one part of a layer";
  return success();
}

LogicalResult BufferOp::verify() {
  if (int64_t(getBytes()) < 0)
    return emitOpError("has a negative size");
  if (!llvm::isPowerOf2_64(getAlign()))
    return emitOpError("has an alignment that is no power of two");
  if (int64_t(getFirst()) > int64_t(getLast()))
    return emitOpError("ends its life before it begins");
  if (auto address = getAddress(); address && *address % getAlign() != 0)
    return emitOpError("lies at an address that is not aligned");
  return success();
}

LogicalResult ExchangeOp::verify() {
  ArrayRef<int64_t> t = getTransfers();
  if (t.size() % recordSize != 0)
    return emitOpError("has ") << t.size() << " numbers in transfers, not a multiple of "
                               << recordSize;
  int64_t buffers = getBuffers().size();
  for (size_t i = 0; i < t.size(); i += recordSize) {
    if (t[i + 1] < 0 || t[i + 1] > 3)
      return emitOpError("transfer ") << i / recordSize << " is of unknown kind " << t[i + 1];
    if (t[i + 5] < 0 || t[i + 5] >= buffers || t[i + 7] < 0 || t[i + 7] >= buffers)
      return emitOpError("transfer ") << i / recordSize << " names a buffer out of range";
  }
  return success();
}

LogicalResult RoutesOp::verify() {
  for (Attribute path : getPaths())
    if (StringRef steps = cast<StringAttr>(path).getValue();
        steps.empty() || steps.find_first_not_of("EWSN") != StringRef::npos)
      return emitOpError("has the path \"")
             << steps << "\"; a path is a letter of E, W, S or N for each link";
  ArrayRef<int32_t> signals = getSignals();
  if (signals.size() % 3 != 0)
    return emitOpError("has ") << signals.size() << " numbers in signals, not a multiple of 3";
  for (size_t i = 0; i < signals.size(); i += 3)
    if (signals[i + 2] < 0 || size_t(signals[i + 2]) >= getPaths().size())
      return emitOpError("signal ")
             << i / 3 << " takes path " << signals[i + 2] << " of " << getPaths().size();
  return success();
}

LogicalResult LaunchOp::verify() {
  if (getBuffers().size() != getOffsets().size())
    return emitOpError("has ") << getBuffers().size() << " buffers and " << getOffsets().size()
                               << " offsets";
  if (getAccesses().size() % accessSize != 0)
    return emitOpError("has ") << getAccesses().size() << " numbers in accesses, not a multiple of "
                               << accessSize;
  for (Attribute a : getBuffers())
    if (!isa<FlatSymbolRefAttr, UnitAttr>(a))
      return emitOpError("names a buffer by something that is no symbol");
  return success();
}
