// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Planning/Exchange.h"

#include "Descriptors.h"
#include "ViewMap.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace dojo::planning {

namespace {

std::string checkPiece(const LocalPiece &p, const Coord &shape, const Mesh &mesh) {
  if (p.box.lo.size() != shape.size() || p.box.size.size() != shape.size() ||
      p.strides.size() != shape.size())
    return "box or strides have another rank than the tensor";
  if (!p.box.empty() && !Box::whole(shape).contains(p.box))
    return "box " + toString(p.box) + " leaves the tensor";
  if (p.nodes.empty())
    return "box " + toString(p.box) + " belongs to no node";
  for (int32_t n : p.nodes)
    if (n < 0 || n >= mesh.positions() || !mesh.usable[n])
      return "node " + std::to_string(n) + " is not usable";
  return "";
}

std::string checkProblem(const ExchangeProblem &problem, const Mesh &mesh) {
  if (problem.elementBytes <= 0)
    return "the element size is not positive";
  if (problem.view.size() == 0)
    return "the view is empty";
  for (int32_t v = 0; v < problem.view.size(); ++v) {
    const View::Value &value = problem.view[v];
    std::string where = "view value " + std::to_string(v) + ": ";
    if (value.kind == View::Kind::Source) {
      if (value.source < 0 || value.source >= static_cast<int32_t>(problem.sources.size()))
        return where + "no such source";
      if (problem.sources[value.source].shape != value.shape)
        return where + "shape differs from that of source '" + problem.sources[value.source].name +
               "'";
    }
    for (const View::Operand &op : value.operands) {
      if (op.value < 0 || op.value >= v)
        return where + "operand is not an earlier value";
      const Coord &shape = problem.view[op.value].shape;
      if (value.kind == View::Kind::Reshape && product(shape) != product(value.shape))
        return where + "reshape changes the number of elements";
      if (value.kind == View::Kind::Assemble &&
          (op.at.size() != value.shape.size() || shape.size() != value.shape.size()))
        return where + "operand has another rank than the result";
    }
  }
  for (const ExchangeSource &source : problem.sources)
    for (const LocalPiece &p : source.held)
      if (std::string e = checkPiece(p, source.shape, mesh); !e.empty())
        return "source '" + source.name + "': " + e;
  for (const LocalPiece &p : problem.needs)
    if (std::string e = checkPiece(p, problem.view[problem.view.root()].shape, mesh); !e.empty())
      return "destination: " + e;
  return "";
}

/// The held boxes of one source, ordered along the dimension that tells them apart best.
class HeldIndex {
public:
  explicit HeldIndex(const std::vector<LocalPiece> &held) : held(held) {
    size_t rank = held.empty() ? 0 : held[0].box.rank(), most = 0;
    for (size_t d = 0; d < rank; ++d) {
      std::vector<int64_t> los;
      for (const LocalPiece &p : held)
        los.push_back(p.box.lo[d]);
      std::sort(los.begin(), los.end());
      size_t n = std::unique(los.begin(), los.end()) - los.begin();
      if (n > most) {
        most = n;
        dim = d;
      }
    }
    for (size_t i = 0; i < held.size(); ++i)
      if (!held[i].box.empty()) {
        order.push_back(i);
        if (rank)
          widest = std::max(widest, held[i].box.size[dim]);
      }
    if (rank)
      std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return std::pair(held[a].box.lo[dim], a) < std::pair(held[b].box.lo[dim], b);
      });
  }

  template <typename Fn> void forOverlaps(const Box &box, Fn fn) const {
    auto it = order.begin();
    if (box.rank())
      it = std::partition_point(order.begin(), order.end(), [&](size_t i) {
        return held[i].box.lo[dim] + widest <= box.lo[dim];
      });
    for (; it != order.end(); ++it) {
      if (box.rank() && held[*it].box.lo[dim] >= box.hi(dim))
        return;
      if (held[*it].box.overlaps(box))
        fn(*it);
    }
  }

private:
  const std::vector<LocalPiece> &held;
  std::vector<size_t> order;
  size_t dim = 0;
  int64_t widest = 0;
};

/// A descriptor from one held box to one need.
struct Item {
  int32_t source;
  size_t held;
  Strided data;
  int32_t need;
  auto key() const { return std::tie(source, held, data, need); }
};

class Solver {
public:
  Solver(const ExchangeProblem &problem, const Mesh &mesh, Exchange &out)
      : problem(problem), mesh(mesh), out(out) {
    for (const ExchangeSource &s : problem.sources)
      indices.emplace_back(s.held);
  }

  bool run(std::string &error) {
    for (size_t n = 0; n < problem.needs.size(); ++n)
      if (!collect(static_cast<int32_t>(n), error))
        return false;
    std::sort(items.begin(), items.end(),
              [](const Item &a, const Item &b) { return a.key() < b.key(); });
    for (size_t i = 0; i < items.size();) {
      size_t end = i;
      std::vector<int32_t> nodes;
      for (; end < items.size() && items[end].source == items[i].source &&
             items[end].held == items[i].held && items[end].data == items[i].data;
           ++end) {
        const auto &more = problem.needs[items[end].need].nodes;
        nodes.insert(nodes.end(), more.begin(), more.end());
      }
      std::sort(nodes.begin(), nodes.end());
      nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
      send(items[i], nodes);
      i = end;
    }
    order();
    return true;
  }

private:
  bool collect(int32_t need, std::string &error) {
    const LocalPiece &piece = problem.needs[need];
    std::vector<ViewLeaf> leaves;
    std::vector<ViewRest> rests;
    mapThroughView(problem.view, problem.view.root(), {piece.box, piece.offset, piece.strides},
                   true, Coord(piece.box.rank(), 0), leaves, rests);
    for (ViewRest &r : rests)
      out.fills.push_back({need, r.value, r.isBox, std::move(r.rootBox), r.piece.base,
                           std::move(r.piece.box.size), std::move(r.piece.strides)});
    std::map<std::pair<int32_t, size_t>, std::vector<Strided>> found;
    for (const ViewLeaf &leaf : leaves) {
      const ExchangeSource &source = problem.sources[leaf.source];
      int64_t covered = 0;
      indices[leaf.source].forOverlaps(leaf.piece.box, [&](size_t h) {
        const LocalPiece &held = source.held[h];
        Box part = intersect(held.box, leaf.piece.box);
        covered += part.volume();
        int64_t dst = leaf.piece.base;
        for (size_t d = 0; d < part.rank(); ++d)
          dst += (part.lo[d] - leaf.piece.box.lo[d]) * leaf.piece.strides[d];
        appendDescriptors(part.size, held.strides, leaf.piece.strides, problem.elementBytes,
                          held.addressOf(part.lo), dst, found[{leaf.source, h}]);
      });
      if (covered != leaf.piece.box.volume()) {
        error = "source '" + source.name + "': of box " + toString(leaf.piece.box) + " " +
                std::to_string(covered) + " elements are held where " +
                std::to_string(leaf.piece.box.volume()) + " are needed";
        return false;
      }
    }
    for (auto &[key, list] : found) {
      mergeDescriptors(list);
      for (const Strided &s : list)
        items.push_back({key.first, key.second, s, need});
    }
    return true;
  }

  void send(const Item &item, const std::vector<int32_t> &nodes) {
    const std::vector<int32_t> &replicas = problem.sources[item.source].held[item.held].nodes;
    std::map<int32_t, std::vector<int32_t>> bySender;
    std::vector<int32_t> own;
    for (int32_t n : nodes) {
      int32_t best = replicas[0];
      for (int32_t r : replicas)
        if (mesh.hops(r, n) < mesh.hops(best, n) ||
            (mesh.hops(r, n) == mesh.hops(best, n) && r < best))
          best = r;
      if (best == n)
        own.push_back(n);
      else
        bySender[best].push_back(n);
    }
    if (!own.empty())
      out.copies.push_back({item.source, std::move(own), item.data});
    for (auto &[sender, targets] : bySender)
      for (const Destination &to : runsFor(sender, targets))
        out.transfers.push_back({item.source, sender, to, item.data});
  }

  const std::vector<Destination> &runsFor(int32_t sender, const std::vector<int32_t> &targets) {
    auto [it, added] = runs.try_emplace({sender, targets});
    if (added)
      it->second = multicastRuns(mesh, sender, targets);
    return it->second;
  }

  void order() {
    auto first = [&](const Transfer &t) {
      switch (t.to.kind) {
      case Destination::Kind::RowRun:
        return mesh.node(mesh.row(t.srcNode), t.to.first);
      case Destination::Kind::ColumnRun:
        return mesh.node(t.to.first, t.to.column);
      default:
        return t.to.node;
      }
    };
    auto rank = [&](const Transfer &t) {
      int32_t n = mesh.positions();
      return std::tuple(t.srcNode, (first(t) - t.srcNode + n) % n, t.to, t.source, t.data);
    };
    std::sort(out.transfers.begin(), out.transfers.end(),
              [&](const Transfer &a, const Transfer &b) { return rank(a) < rank(b); });
    out.arrivals.assign(mesh.positions(), 0);
    for (const Transfer &t : out.transfers)
      for (int32_t n : receivers(mesh, t.srcNode, t.to))
        ++out.arrivals[n];
  }

  const ExchangeProblem &problem;
  const Mesh &mesh;
  Exchange &out;
  std::vector<HeldIndex> indices;
  std::vector<Item> items;
  std::map<std::pair<int32_t, std::vector<int32_t>>, std::vector<Destination>> runs;
};

} // namespace

bool solveExchange(const ExchangeProblem &problem, const Mesh &mesh, Exchange &out,
                   std::string &error) {
  out = {};
  error = checkProblem(problem, mesh);
  return error.empty() && Solver(problem, mesh, out).run(error);
}

bool readsInPlace(const ExchangeProblem &problem, int32_t &source, int64_t &distance) {
  bool any = false;
  for (const LocalPiece &need : problem.needs) {
    if (need.box.empty())
      continue;
    std::vector<ViewLeaf> leaves;
    std::vector<ViewRest> rests;
    mapThroughView(problem.view, problem.view.root(), {need.box, need.offset, need.strides}, true,
                   Coord(need.box.rank(), 0), leaves, rests);
    if (leaves.size() != 1 || !rests.empty())
      return false;
    const ViewPiece &piece = leaves[0].piece;
    for (int32_t node : need.nodes) {
      const LocalPiece *own = nullptr;
      for (const LocalPiece &held : problem.sources[leaves[0].source].held)
        if (held.box.contains(piece.box) &&
            std::find(held.nodes.begin(), held.nodes.end(), node) != held.nodes.end())
          own = &held;
      if (!own)
        return false;
      for (size_t d = 0; d < piece.box.rank(); ++d)
        if (piece.box.size[d] > 1 && own->strides[d] != piece.strides[d])
          return false;
      int64_t delta = own->addressOf(piece.box.lo) - piece.base;
      if (any && (source != leaves[0].source || distance != delta))
        return false;
      any = true;
      source = leaves[0].source;
      distance = delta;
    }
  }
  return any;
}

ExchangeStatistics statisticsOf(const Exchange &exchange, const Mesh &mesh, int64_t packetBytes) {
  ExchangeStatistics s;
  std::vector<int64_t> sent(mesh.positions(), 0), received(mesh.positions(), 0);
  std::vector<int64_t> links(mesh.positions() * 4, 0); // east, west, south, north
  auto go = [&](int32_t from, int32_t row, int32_t column, int64_t packets) {
    int32_t r = mesh.row(from), c = mesh.column(from);
    for (; c != column; c += c < column ? 1 : -1, s.linkPackets += packets)
      links[mesh.node(r, c) * 4 + (c < column ? 0 : 1)] += packets;
    for (; r != row; r += r < row ? 1 : -1, s.linkPackets += packets)
      links[mesh.node(r, c) * 4 + (r < row ? 2 : 3)] += packets;
  };
  for (const Transfer &t : exchange.transfers) {
    ++s.transfers;
    s.multicasts += t.to.kind != Destination::Kind::Node;
    int64_t packets = t.data.packets(packetBytes);
    sent[t.srcNode] += packets;
    std::vector<int32_t> reached = receivers(mesh, t.srcNode, t.to);
    for (int32_t n : reached)
      received[n] += packets;
    if (!reached.empty())
      go(t.srcNode, mesh.row(reached.back()), mesh.column(reached.back()), packets);
  }
  for (const LocalCopy &c : exchange.copies)
    for (int32_t n : c.nodes) {
      ++s.copies;
      sent[n] += c.data.packets(packetBytes);
      received[n] += c.data.packets(packetBytes);
    }
  for (int32_t n = 0; n < mesh.positions(); ++n) {
    s.sentPackets += sent[n];
    s.receivedPackets += received[n];
    s.mostSent = std::max(s.mostSent, sent[n]);
    s.mostReceived = std::max(s.mostReceived, received[n]);
  }
  for (int64_t packets : links)
    s.busiestLink = std::max(s.busiestLink, packets);
  return s;
}

} // namespace dojo::planning
