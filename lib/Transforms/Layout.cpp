// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Transforms/Layout.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::dojo;

Layout Layout::plain(int64_t rank) {
  Layout layout;
  llvm::append_range(layout.order, llvm::seq<int64_t>(rank));
  return layout;
}

Layout Layout::blocked(int64_t rank, int64_t blockDim, int64_t block) {
  Layout layout = plain(rank);
  layout.blockDim = blockDim;
  layout.block = block;
  return layout;
}

bool Layout::isPlain() const { return blockDim < 0 && llvm::is_sorted(order); }

SmallVector<int64_t> Layout::physicalShape(ArrayRef<int64_t> shape) const {
  SmallVector<int64_t> sizes;
  for (int64_t dim : order)
    sizes.push_back(dim == blockDim ? llvm::divideCeil(shape[dim], block) : shape[dim]);
  if (blockDim >= 0)
    sizes.push_back(block);
  return sizes;
}

RankedTensorType Layout::physicalType(RankedTensorType type) const {
  return type.clone(physicalShape(type.getShape()));
}

bool mlir::dojo::sameBytes(const Layout &a, const Layout &b, ArrayRef<int64_t> shape) {
  if (a == b)
    return true;
  if ((a.isRagged(shape) || b.isRagged(shape)) && (a.blockDim != b.blockDim || a.block != b.block))
    return false;
  // Runs of the index in memory order, slowest first: (dimension, units of the index per step,
  // steps). A blocked dimension has two; so has, if it is blocked in the other layout, one that is
  // not, so that equal sequences mean equal bytes.
  struct Run {
    int64_t dim, unit, count;
    bool operator==(const Run &) const = default;
  };
  auto runs = [&](const Layout &layout, const Layout &other) {
    SmallVector<Run> result;
    auto add = [&](int64_t dim, int64_t unit, int64_t count) {
      if (count != 1)
        result.push_back({dim, unit, count});
    };
    for (int64_t dim : layout.order) {
      int64_t size = shape[dim];
      if (dim == layout.blockDim) {
        add(dim, layout.block, llvm::divideCeil(size, layout.block));
      } else if (dim == other.blockDim) {
        add(dim, other.block, size / other.block);
        add(dim, 1, other.block);
      } else {
        add(dim, 1, size);
      }
    }
    if (layout.blockDim >= 0)
      add(layout.blockDim, 1, layout.block);
    return result;
  };
  if (a.blockDim >= 0 && b.blockDim >= 0 && (a.blockDim != b.blockDim || a.block != b.block))
    return false;
  return runs(a, b) == runs(b, a);
}

namespace {
/// Dimensions of both shapes with the same product, none smaller.
struct Group {
  SmallVector<int64_t> from, to;
};
} // namespace

/// Splits both shapes into the smallest groups, leaving out dimensions of size one.
static std::optional<SmallVector<Group>> matchGroups(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  SmallVector<Group> groups;
  size_t i = 0, j = 0;
  auto skipOnes = [](ArrayRef<int64_t> shape, size_t &next) {
    while (next < shape.size() && shape[next] == 1)
      ++next;
  };
  while (true) {
    skipOnes(from, i);
    skipOnes(to, j);
    if (i == from.size() || j == to.size())
      break;
    Group &group = groups.emplace_back();
    int64_t left = 1, right = 1;
    do {
      if (left <= right) {
        if (i == from.size())
          return std::nullopt;
        left *= from[i];
        group.from.push_back(i++);
      } else {
        if (j == to.size())
          return std::nullopt;
        right *= to[j];
        group.to.push_back(j++);
      }
    } while (left != right);
    // Ones inside a group stand with it.
    llvm::erase_if(group.from, [&](int64_t dim) { return from[dim] == 1; });
    llvm::erase_if(group.to, [&](int64_t dim) { return to[dim] == 1; });
  }
  return i == from.size() && j == to.size() ? std::optional(groups) : std::nullopt;
}

std::optional<Layout> mlir::dojo::reshapeLayout(const Layout &layout, ArrayRef<int64_t> from,
                                                ArrayRef<int64_t> to) {
  if (layout.isPlain())
    return Layout::plain(to.size());
  if (llvm::is_contained(from, 0))
    return std::nullopt;
  std::optional<SmallVector<Group>> groups = matchGroups(from, to);
  if (!groups)
    return std::nullopt;

  Layout result;
  result.block = layout.block;
  SmallVector<int64_t> order;
  for (int64_t dim : layout.order)
    if (from[dim] != 1)
      order.push_back(dim);
  for (size_t next = 0; next < order.size();) {
    // The group of the next dimension in memory must follow whole and in order.
    const Group *group = llvm::find_if(
        *groups, [&](const Group &g) { return llvm::is_contained(g.from, order[next]); });
    for (int64_t dim : group->from)
      if (next == order.size() || order[next++] != dim)
        return std::nullopt;
    llvm::append_range(result.order, group->to);
    if (!llvm::is_contained(group->from, layout.blockDim))
      continue;
    // The block must be the end of the group on both sides, without padding unless the group is
    // one dimension on both.
    bool single = group->from.size() == 1 && group->to.size() == 1;
    if (group->from.back() != layout.blockDim)
      return std::nullopt;
    if (!single &&
        (from[group->from.back()] % layout.block != 0 || to[group->to.back()] % layout.block != 0))
      return std::nullopt;
    result.blockDim = group->to.back();
  }
  // A blocked dimension of size one keeps its block if the result has a one to carry it.
  bool blockOfOne = layout.blockDim >= 0 && from[layout.blockDim] == 1;
  // Ones go behind the dimension before them.
  for (int64_t dim = 0; dim < int64_t(to.size()); ++dim) {
    if (to[dim] != 1)
      continue;
    auto place = dim == 0 ? result.order.begin() : llvm::find(result.order, dim - 1) + 1;
    result.order.insert(place, dim);
  }
  if (blockOfOne) {
    // The same place among the dimensions, if there is one.
    if (layout.blockDim >= int64_t(to.size()) || to[layout.blockDim] != 1)
      return std::nullopt;
    result.blockDim = layout.blockDim;
  }
  if (result.blockDim < 0)
    result.block = 1;
  return result;
}
