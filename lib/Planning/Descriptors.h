// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strided regions as descriptors (private to the library).
#ifndef DOJO_PLANNING_DESCRIPTORS_H
#define DOJO_PLANNING_DESCRIPTORS_H

#include "dojo/Planning/Exchange.h"

namespace dojo::planning {

/// Appends the descriptors that move a box of \p size elements between two strided places: the
/// longest run that is contiguous on both sides, then as few descriptors as three counts allow.
void appendDescriptors(const Coord &size, const Coord &srcStrides, const Coord &dstStrides,
                       int64_t elementBytes, int64_t srcOffset, int64_t dstOffset,
                       std::vector<Strided> &out);

/// Joins descriptors: runs that continue each other on both sides, and equally spaced descriptors
/// of one form where a count is free. Sorts by destination.
void mergeDescriptors(std::vector<Strided> &descriptors);

} // namespace dojo::planning

#endif
