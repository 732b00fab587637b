// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Layout.h"

#include <algorithm>

namespace dojo::planning {

int64_t LocalPiece::addressOf(const Coord &point) const {
  int64_t a = offset;
  for (size_t d = 0; d < point.size(); ++d)
    a += (point[d] - box.lo[d]) * strides[d];
  return a;
}

Interval partOf(int64_t extent, int64_t granularity, int64_t parts, int64_t index) {
  int64_t granules = (extent + granularity - 1) / granularity;
  int64_t lo = std::min(extent, index * granules / parts * granularity);
  int64_t hi = std::min(extent, (index + 1) * granules / parts * granularity);
  return {lo, hi - lo};
}

std::vector<int64_t> cutsOf(int64_t extent, int64_t granularity, int64_t parts) {
  std::vector<int64_t> cuts{0};
  for (int64_t i = 0; i < parts; ++i) {
    Interval part = partOf(extent, granularity, parts, i);
    if (part.size > 0)
      cuts.push_back(part.lo + part.size);
  }
  if (cuts.size() == 1)
    cuts.push_back(extent);
  return cuts;
}

Layout Layout::replicated(const Coord &shape, int64_t elementBytes, std::vector<int32_t> nodes) {
  Layout l{shape, elementBytes, {}, {std::move(nodes)}};
  for (int64_t extent : shape)
    l.cuts.push_back({0, extent});
  return l;
}

Layout Layout::onNode(const Coord &shape, int64_t elementBytes, int32_t node) {
  return replicated(shape, elementBytes, {node});
}

Coord Layout::grid() const {
  Coord g;
  for (const auto &c : cuts)
    g.push_back(static_cast<int64_t>(c.size()) - 1);
  return g;
}

Box Layout::cellBox(size_t cell) const {
  Box b{Coord(shape.size()), Coord(shape.size())};
  for (size_t d = shape.size(); d-- > 0;) {
    size_t parts = cuts[d].size() - 1, i = cell % parts;
    cell /= parts;
    b.lo[d] = cuts[d][i];
    b.size[d] = cuts[d][i + 1] - cuts[d][i];
  }
  return b;
}

int64_t Layout::bytesPerNode() const {
  int64_t bytes = elementBytes;
  for (const auto &c : cuts) {
    int64_t widest = 0;
    for (size_t i = 0; i + 1 < c.size(); ++i)
      widest = std::max(widest, c[i + 1] - c[i]);
    bytes *= widest;
  }
  return bytes;
}

std::vector<LocalPiece> Layout::pieces() const {
  std::vector<LocalPiece> result;
  result.reserve(cells.size());
  for (size_t cell = 0; cell < cells.size(); ++cell) {
    Box box = cellBox(cell);
    Coord strides = rowMajorStrides(box.size, elementBytes);
    result.push_back({std::move(box), std::move(strides), 0, cells[cell]});
  }
  return result;
}

std::string verifyLayout(const Layout &layout, const Mesh &mesh) {
  if (layout.cuts.size() != layout.shape.size())
    return "cut points for " + std::to_string(layout.cuts.size()) + " dimensions of " +
           std::to_string(layout.shape.size());
  if (layout.elementBytes <= 0)
    return "element size is not positive";
  size_t cells = 1;
  for (size_t d = 0; d < layout.shape.size(); ++d) {
    const auto &c = layout.cuts[d];
    std::string where = "dimension " + std::to_string(d);
    if (c.size() < 2 || c.front() != 0 || c.back() != layout.shape[d])
      return where + ": cut points do not run from 0 to the extent";
    for (size_t i = 0; i + 1 < c.size(); ++i)
      if (c[i] >= c[i + 1] && !(layout.shape[d] == 0 && c.size() == 2))
        return where + ": cut points do not ascend";
    cells *= c.size() - 1;
  }
  if (cells != layout.cells.size())
    return "grid of " + std::to_string(cells) + " cells, nodes for " +
           std::to_string(layout.cells.size());
  std::vector<uint8_t> seen(mesh.positions(), 0);
  for (size_t cell = 0; cell < cells; ++cell) {
    std::string where = "cell " + std::to_string(cell);
    if (layout.cells[cell].empty())
      return where + " lies on no node";
    for (int32_t node : layout.cells[cell]) {
      if (node < 0 || node >= mesh.positions() || !mesh.usable[node])
        return where + ": node " + std::to_string(node) + " is not usable";
      if (seen[node])
        return where + ": node " + std::to_string(node) + " already holds a cell";
      seen[node] = 1;
    }
  }
  return "";
}

std::string toString(const Layout &layout) {
  auto join = [](const Coord &c) {
    std::string s;
    for (size_t d = 0; d < c.size(); ++d)
      s += (d ? "x" : "") + std::to_string(c[d]);
    return s.empty() ? std::string("scalar") : s;
  };
  size_t nodes = 0;
  for (const auto &cell : layout.cells)
    nodes += cell.size();
  return join(layout.shape) + " x " + std::to_string(layout.elementBytes) + " B, grid " +
         join(layout.grid()) + ", " + std::to_string(nodes) + " nodes";
}

} // namespace dojo::planning
