// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/BarrierTree.h"

#include <algorithm>

namespace dojo::planning {

namespace {

class TreeBuilder {
public:
  explicit TreeBuilder(const Mesh &mesh) : mesh(mesh) {}

  /// Lines along columns (or rows) with \p lineFan children each, joined by a tree of their heads
  /// with \p headFan.
  BarrierTree build(bool columns, int64_t lineFan, int64_t headFan) {
    children.assign(mesh.positions(), {});
    int32_t lines = columns ? mesh.columns : mesh.rows;
    std::vector<std::vector<int32_t>> line(lines);
    for (int32_t n = 0; n < mesh.positions(); ++n)
      if (mesh.usable[n])
        line[columns ? mesh.column(n) : mesh.row(n)].push_back(n);
    std::vector<int32_t> heads;
    for (const auto &l : line)
      if (!l.empty())
        heads.push_back(l[l.size() / 2]);
    if (heads.empty())
      return {};
    // Heads first: their subtrees are deeper, so they are released first.
    int32_t root = grow(heads, 0, heads.size(), headFan);
    for (const auto &l : line)
      if (!l.empty())
        grow(l, 0, l.size(), lineFan);
    BarrierTree tree;
    tree.place.assign(mesh.positions(), -1);
    list(root, -1, tree);
    tree.estimatedCycles = estimateBarrier(tree, mesh);
    return tree;
  }

private:
  /// The middle of nodes[begin, end) becomes the parent of the middles of `fan` segments of the
  /// rest.
  int32_t grow(const std::vector<int32_t> &nodes, size_t begin, size_t end, int64_t fan) {
    size_t head = begin + (end - begin) / 2;
    auto side = [&](size_t from, size_t to, int64_t segments) {
      auto n = static_cast<int64_t>(to - from);
      segments = std::min(segments, n);
      for (int64_t i = 0; i < segments; ++i) {
        auto lo = from + static_cast<size_t>(n * i / segments);
        auto hi = from + static_cast<size_t>(n * (i + 1) / segments);
        children[nodes[head]].push_back(grow(nodes, lo, hi, fan));
      }
    };
    if (fan == 1 && head > begin && head + 1 < end) {
      side(begin, head, 1); // a line has two sides
      side(head + 1, end, 1);
    } else {
      side(begin, head, (fan + 1) / 2);
      side(head + 1, end, fan - fan / 2);
    }
    return nodes[head];
  }

  void list(int32_t node, int32_t parent, BarrierTree &tree) {
    std::vector<BarrierNode> open{{node, parent, {}}};
    for (size_t i = 0; i < open.size(); ++i) {
      open[i].children = children[open[i].node];
      tree.place[open[i].node] = static_cast<int32_t>(i);
      for (int32_t c : children[open[i].node])
        open.push_back({c, open[i].node, {}});
    }
    tree.nodes = std::move(open);
  }

  const Mesh &mesh;
  std::vector<std::vector<int32_t>> children; // per node
};

} // namespace

int64_t estimateBarrier(const BarrierTree &tree, const Mesh &mesh) {
  auto flight = [&](int32_t a, int32_t b) {
    return (mesh.hops(a, b) + 1) * mesh.hopCycles + mesh.arrivalLatency;
  };
  // Up: a node's signal leaves one descriptor after its last child's has shown; the ejection port
  // takes one packet a cycle.
  std::vector<int64_t> sent(tree.nodes.size(), 0);
  for (size_t i = tree.nodes.size(); i-- > 0;) {
    const BarrierNode &n = tree.nodes[i];
    std::vector<int64_t> arrivals;
    for (int32_t c : n.children)
      arrivals.push_back(sent[tree.indexOf(c)] + flight(c, n.node));
    std::sort(arrivals.begin(), arrivals.end());
    int64_t ready = 0;
    for (int64_t a : arrivals)
      ready = std::max(ready + 1, a);
    sent[i] = ready + mesh.listNext;
  }
  // Down: one descriptor and one packet for each child.
  std::vector<int64_t> released(tree.nodes.size(), 0);
  int64_t last = 0;
  for (size_t i = 0; i < tree.nodes.size(); ++i) {
    const BarrierNode &n = tree.nodes[i];
    if (n.parent < 0)
      released[i] = sent[i];
    last = std::max(last, released[i]);
    int64_t issue = released[i];
    for (int32_t c : n.children) {
      released[tree.indexOf(c)] = issue + flight(n.node, c);
      issue += mesh.listNext + 1;
    }
  }
  return last;
}

BarrierTree buildBarrierTree(const Mesh &mesh) {
  TreeBuilder builder(mesh);
  BarrierTree best;
  for (bool columns : {true, false}) {
    int32_t lineMost = columns ? mesh.rows : mesh.columns;
    int32_t headMost = columns ? mesh.columns : mesh.rows;
    for (int32_t lineFan = 1; lineFan <= lineMost; ++lineFan)
      for (int32_t headFan = 1; headFan <= headMost; ++headFan) {
        BarrierTree tree = builder.build(columns, lineFan, headFan);
        if (best.nodes.empty() || tree.estimatedCycles < best.estimatedCycles)
          best = std::move(tree);
      }
  }
  return best;
}

std::string verifyBarrierTree(const BarrierTree &tree, const Mesh &mesh) {
  std::vector<int32_t> parent(mesh.positions(), -2); // -2: not in the tree
  int32_t roots = 0;
  for (const BarrierNode &n : tree.nodes) {
    std::string name = "node " + std::to_string(n.node);
    if (n.node < 0 || n.node >= mesh.positions() || !mesh.usable[n.node])
      return name + " is not usable";
    if (parent[n.node] != -2)
      return name + " stands in the tree twice";
    // Parents come first, so a parent that is already listed cannot close a cycle.
    if (n.parent >= 0 && (n.parent >= mesh.positions() || parent[n.parent] == -2))
      return name + " comes before its parent";
    parent[n.node] = n.parent;
    roots += n.parent < 0;
  }
  for (int32_t n = 0; n < mesh.positions(); ++n)
    if (mesh.usable[n] && parent[n] == -2)
      return "node " + std::to_string(n) + " is missing";
  if (!tree.nodes.empty() && roots != 1)
    return std::to_string(roots) + " roots";
  std::vector<int32_t> named(mesh.positions(), 0);
  for (const BarrierNode &n : tree.nodes)
    for (int32_t c : n.children) {
      if (c < 0 || c >= mesh.positions() || parent[c] != n.node)
        return "node " + std::to_string(n.node) + " has a child with another parent";
      if (named[c]++)
        return "node " + std::to_string(c) + " is a child twice";
    }
  for (const BarrierNode &n : tree.nodes)
    if (n.parent >= 0 && !named[n.node])
      return "node " + std::to_string(n.node) + " is unknown to its parent";
  return "";
}

} // namespace dojo::planning
