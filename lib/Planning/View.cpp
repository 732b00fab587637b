// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ViewMap.h"

#include <algorithm>

namespace dojo::planning {

int32_t View::source(int32_t index, Coord shape) {
  values.push_back({Kind::Source, std::move(shape), index, {}});
  return root();
}

int32_t View::assemble(Coord shape, std::vector<Operand> operands) {
  values.push_back({Kind::Assemble, std::move(shape), -1, std::move(operands)});
  return root();
}

int32_t View::reshape(int32_t value, Coord shape) {
  Coord at(values[value].shape.size(), 0);
  values.push_back({Kind::Reshape, std::move(shape), -1, {{value, std::move(at)}}});
  return root();
}

namespace {

/// An interval of one index, as seen through mixed-radix digits (outermost first): disjoint digit
/// boxes whose union it is. Extents are positive.
void splitInterval(const Coord &extents, size_t from, int64_t lo, int64_t size, Box &prefix,
                   std::vector<Box> &out) {
  if (size <= 0)
    return;
  if (from == extents.size()) {
    out.push_back(prefix);
    return;
  }
  auto emit = [&](int64_t first, int64_t count, int64_t innerLo, int64_t innerSize) {
    prefix.lo.push_back(first);
    prefix.size.push_back(count);
    splitInterval(extents, from + 1, innerLo, innerSize, prefix, out);
    prefix.lo.pop_back();
    prefix.size.pop_back();
  };
  int64_t inner = 1;
  for (size_t i = from + 1; i < extents.size(); ++i)
    inner *= extents[i];
  int64_t hi = lo + size, digit = lo / inner;
  if (lo % inner) {
    int64_t end = std::min(hi, (digit + 1) * inner);
    emit(digit, 1, lo - digit * inner, end - lo);
    lo = end;
    digit = lo / inner;
  }
  if (int64_t full = (hi - lo) / inner; full > 0) {
    emit(digit, full, 0, inner);
    lo += full * inner;
    digit += full;
  }
  if (lo < hi)
    emit(digit, 1, 0, hi - lo);
}

/// Consecutive dimensions of both shapes with the same product.
struct Group {
  size_t aBegin, aEnd, bBegin, bEnd;
};

std::vector<Group> groupsOf(const Coord &a, const Coord &b) {
  std::vector<Group> groups;
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    Group g{i, i, j, j};
    int64_t pa = 1, pb = 1;
    do {
      if (i < a.size() && (pa <= pb || j == b.size()))
        pa *= a[i++];
      else
        pb *= b[j++];
    } while (pa != pb);
    // Extents of 1 belong to whichever group is open.
    while (i < a.size() && a[i] == 1)
      ++i;
    while (j < b.size() && b[j] == 1)
      ++j;
    g.aEnd = i;
    g.bEnd = j;
    groups.push_back(g);
  }
  return groups;
}

/// A digit common to both shapes of a group, innermost first.
struct Digit {
  int64_t extent;
  size_t a, b; // dimensions it belongs to
};

/// False if the extents of the group do not nest.
bool commonDigits(const Coord &a, const Coord &b, const Group &g, std::vector<Digit> &digits) {
  size_t i = g.aEnd, j = g.bEnd;
  int64_t ra = 1, rb = 1;
  while (true) {
    while (ra == 1 && i > g.aBegin)
      ra = a[--i];
    while (rb == 1 && j > g.bBegin)
      rb = b[--j];
    if (ra == 1 && rb == 1)
      return true;
    int64_t m = std::min(ra, rb);
    if (m == 1 || ra % m || rb % m)
      return false;
    digits.push_back({m, i, j});
    ra /= m;
    rb /= m;
  }
}

/// Turns boxes over one shape's dimensions into pieces over the other's, one group at a time.
class GroupMapper {
public:
  GroupMapper(const Coord &a, const Coord &b, const Group &g, const ViewPiece &piece)
      : a(a), b(b), g(g), piece(piece) {}

  std::vector<ViewPiece> run() {
    std::vector<Digit> digits;
    if (commonDigits(a, b, g, digits))
      nested(digits);
    else
      linear();
    return std::move(result);
  }

private:
  /// Every dimension of either shape is a row of digits: split the box into digit boxes, then join
  /// digits again as far as strides and extents allow.
  void nested(const std::vector<Digit> &digits) {
    std::vector<ViewPiece> boxes{
        {Box{Coord(digits.size(), 0), Coord(digits.size(), 1)}, 0, Coord(digits.size(), 0)}};
    for (size_t d = g.aBegin; d < g.aEnd; ++d) {
      std::vector<size_t> own; // outermost first
      Coord extents;
      for (size_t k = digits.size(); k-- > 0;)
        if (digits[k].a == d) {
          own.push_back(k);
          extents.push_back(digits[k].extent);
        }
      Coord weights = rowMajorStrides(extents, 1);
      std::vector<Box> parts;
      Box prefix;
      splitInterval(extents, 0, piece.box.lo[d], piece.box.size[d], prefix, parts);
      std::vector<ViewPiece> next;
      for (const ViewPiece &have : boxes)
        for (const Box &part : parts) {
          ViewPiece p = have;
          int64_t first = -piece.box.lo[d];
          for (size_t k = 0; k < own.size(); ++k) {
            p.box.lo[own[k]] = part.lo[k];
            p.box.size[own[k]] = part.size[k];
            p.strides[own[k]] = piece.strides[d] * weights[k];
            first += part.lo[k] * weights[k];
          }
          p.base += first * piece.strides[d];
          next.push_back(std::move(p));
        }
      boxes.swap(next);
    }
    for (const ViewPiece &digitBox : boxes) {
      ViewPiece start{Box{Coord(g.bEnd - g.bBegin, 0), Coord(g.bEnd - g.bBegin, 1)}, digitBox.base,
                      Coord(g.bEnd - g.bBegin, 0)};
      join(digits, digitBox, 0, 1, std::move(start));
    }
  }

  /// Adds digit k (innermost first) to its dimension of b, where \p weight elements of that
  /// dimension are already spanned by the digits below it.
  void join(const std::vector<Digit> &digits, const ViewPiece &from, size_t k, int64_t weight,
            ViewPiece part) {
    if (k == digits.size()) {
      result.push_back(std::move(part));
      return;
    }
    size_t d = digits[k].b - g.bBegin;
    bool lastOfDim = k + 1 == digits.size() || digits[k + 1].b != digits[k].b;
    int64_t nextWeight = lastOfDim ? 1 : weight * digits[k].extent;
    int64_t lo = from.box.lo[k], size = from.box.size[k], stride = from.strides[k];
    bool fullBelow = part.box.lo[d] == 0 && part.box.size[d] == weight;
    bool single = part.box.size[d] == 1 && weight == 1;
    if (size == 1) {
      part.box.lo[d] += lo * weight;
      join(digits, from, k + 1, nextWeight, std::move(part));
    } else if (single || (fullBelow && stride == part.strides[d] * weight)) {
      part.box.lo[d] = lo * weight;
      part.box.size[d] = size * weight;
      if (single)
        part.strides[d] = stride;
      join(digits, from, k + 1, nextWeight, std::move(part));
    } else {
      for (int64_t i = 0; i < size; ++i) {
        ViewPiece one = part;
        one.box.lo[d] += (lo + i) * weight;
        one.base += i * stride;
        join(digits, from, k + 1, nextWeight, std::move(one));
      }
    }
  }

  /// Extents that do not nest: run by run of the innermost dimension.
  void linear() {
    Coord extentsA(a.begin() + g.aBegin, a.begin() + g.aEnd);
    Coord extentsB(b.begin() + g.bBegin, b.begin() + g.bEnd);
    Coord weightsA = rowMajorStrides(extentsA, 1), weightsB = rowMajorStrides(extentsB, 1);
    size_t n = extentsA.size(), in = n - 1;
    while (in > 0 && extentsA[in] == 1)
      --in;
    Coord at(n, 0);
    while (true) {
      int64_t first = 0, base = 0;
      for (size_t k = 0; k < n; ++k) {
        first += (piece.box.lo[g.aBegin + k] + at[k]) * weightsA[k];
        base += at[k] * piece.strides[g.aBegin + k];
      }
      int64_t stride = piece.strides[g.aBegin + in];
      std::vector<Box> parts;
      Box prefix;
      splitInterval(extentsB, 0, first, piece.box.size[g.aBegin + in], prefix, parts);
      for (Box &part : parts) {
        int64_t linear = 0;
        Coord strides(extentsB.size());
        for (size_t k = 0; k < extentsB.size(); ++k) {
          linear += part.lo[k] * weightsB[k];
          strides[k] = stride * weightsB[k];
        }
        result.push_back({std::move(part), base + (linear - first) * stride, std::move(strides)});
      }
      size_t k = in;
      while (k > 0 && ++at[k - 1] == piece.box.size[g.aBegin + k - 1])
        at[--k] = 0;
      if (k == 0)
        return;
    }
  }

  const Coord &a, &b;
  const Group &g;
  const ViewPiece &piece;
  std::vector<ViewPiece> result;
};

} // namespace

std::vector<ViewPiece> reshapePieces(const Coord &from, const Coord &to, const ViewPiece &piece) {
  std::vector<ViewPiece> pieces{{Box{}, piece.base, {}}};
  if (piece.box.empty())
    return {};
  for (const Group &g : groupsOf(from, to)) {
    std::vector<ViewPiece> parts = GroupMapper(from, to, g, piece).run(), next;
    for (const ViewPiece &have : pieces)
      for (const ViewPiece &part : parts) {
        ViewPiece p = have;
        p.base += part.base;
        p.box.lo.insert(p.box.lo.end(), part.box.lo.begin(), part.box.lo.end());
        p.box.size.insert(p.box.size.end(), part.box.size.begin(), part.box.size.end());
        p.strides.insert(p.strides.end(), part.strides.begin(), part.strides.end());
        next.push_back(std::move(p));
      }
    pieces.swap(next);
  }
  return pieces;
}

void mapThroughView(const View &view, int32_t value, const ViewPiece &piece, bool isBox,
                    const Coord &toRoot, std::vector<ViewLeaf> &leaves,
                    std::vector<ViewRest> &rests) {
  const View::Value &v = view[value];
  if (piece.box.empty())
    return;
  if (v.kind == View::Kind::Source) {
    leaves.push_back({v.source, piece});
    return;
  }
  if (v.kind == View::Kind::Reshape) {
    const View::Operand &child = v.operands[0];
    if (view[child.value].shape == v.shape) {
      mapThroughView(view, child.value, piece, isBox, toRoot, leaves, rests);
      return;
    }
    for (const ViewPiece &p : reshapePieces(v.shape, view[child.value].shape, piece))
      mapThroughView(view, child.value, p, false, toRoot, leaves, rests);
    return;
  }
  auto subPiece = [&](const Box &box) {
    ViewPiece p{box, piece.base, piece.strides};
    for (size_t d = 0; d < box.rank(); ++d)
      p.base += (box.lo[d] - piece.box.lo[d]) * piece.strides[d];
    return p;
  };
  std::vector<Box> open{piece.box}, next;
  for (size_t i = v.operands.size(); i-- > 0 && !open.empty();) {
    const View::Operand &op = v.operands[i];
    Box region{op.at, view[op.value].shape};
    next.clear();
    for (const Box &o : open) {
      if (!o.overlaps(region)) {
        next.push_back(o);
        continue;
      }
      ViewPiece p = subPiece(intersect(o, region));
      Coord childToRoot = toRoot;
      for (size_t d = 0; d < op.at.size(); ++d) {
        p.box.lo[d] -= op.at[d];
        if (isBox)
          childToRoot[d] += op.at[d];
      }
      mapThroughView(view, op.value, p, isBox, childToRoot, leaves, rests);
      subtract(o, region, next);
    }
    open.swap(next);
  }
  for (const Box &o : open)
    rests.push_back({value, isBox, isBox ? translate(o, toRoot) : Box{}, subPiece(o)});
}

} // namespace dojo::planning
