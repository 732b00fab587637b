// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The exchange checked from the destination's side: every row of every needed box is followed
// through the view element interval by element interval, giving the source bytes that must land on
// each destination byte; the descriptors that reach a node are expanded run by run and compared.
// Nodes of one need that receive the same descriptors are checked once.

#include "dojo/Planning/Exchange.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace dojo::planning {

namespace {

/// n elements along the innermost dimension of some value: the first at `at`; the first of the
/// whole row's elements has distance 0.
struct Row {
  Coord at;
  int64_t n, distance;
};

/// Where an interval of the destination comes from.
struct Origin {
  int64_t dst;    // byte offset of the first element
  int64_t n;      // elements
  int32_t source; // -1: to be filled
  int32_t value;  // the assemble that leaves it open
  Coord at;       // source coordinates of the first element
};

class Walker {
public:
  Walker(const View &view, std::vector<Origin> &out, int64_t dst, int64_t stride)
      : view(view), out(out), dst(dst), stride(stride) {}

  void walk(int32_t v, Row row) {
    const View::Value &value = view[v];
    switch (value.kind) {
    case View::Kind::Source:
      emit(value.source, v, std::move(row));
      return;
    case View::Kind::Reshape:
      reshape(value, std::move(row));
      return;
    case View::Kind::Assemble:
      assemble(v, value, static_cast<int>(value.operands.size()) - 1, std::move(row));
      return;
    }
  }

private:
  void emit(int32_t source, int32_t v, Row row) {
    out.push_back({dst + row.distance * stride, row.n, source, v, std::move(row.at)});
  }

  void reshape(const View::Value &value, Row row) {
    const Coord &shape = view[value.operands[0].value].shape;
    int64_t linear = 0;
    for (size_t d = 0; d < value.shape.size(); ++d)
      linear = linear * value.shape[d] + row.at[d];
    while (row.n > 0) {
      Row part{Coord(shape.size()), row.n, row.distance};
      int64_t rest = linear;
      for (size_t d = shape.size(); d-- > 0;) {
        part.at[d] = rest % shape[d];
        rest /= shape[d];
      }
      part.n = shape.empty() ? 1 : std::min(row.n, shape.back() - part.at.back());
      linear += part.n;
      row.n -= part.n;
      row.distance += part.n;
      walk(value.operands[0].value, std::move(part));
    }
  }

  void assemble(int32_t v, const View::Value &value, int operand, Row row) {
    if (operand < 0) {
      emit(-1, v, std::move(row));
      return;
    }
    const View::Operand &op = value.operands[operand];
    const Coord &shape = view[op.value].shape;
    size_t rank = shape.size();
    bool inside = true;
    for (size_t d = 0; d + 1 < rank; ++d)
      inside &= row.at[d] >= op.at[d] && row.at[d] < op.at[d] + shape[d];
    if (rank == 0) {
      row.at.clear();
      walk(op.value, std::move(row));
      return;
    }
    int64_t x = row.at.back(), end = x + row.n;
    int64_t from = std::clamp(op.at.back(), x, end);
    int64_t to = std::clamp(op.at.back() + shape.back(), from, end);
    if (!inside || from == to) {
      assemble(v, value, operand - 1, std::move(row));
      return;
    }
    auto part = [&](int64_t lo, int64_t hi) {
      Row p{row.at, hi - lo, row.distance + lo - x};
      p.at.back() = lo;
      return p;
    };
    if (x < from)
      assemble(v, value, operand - 1, part(x, from));
    Row in = part(from, to);
    for (size_t d = 0; d < rank; ++d)
      in.at[d] -= op.at[d];
    walk(op.value, std::move(in));
    if (to < end)
      assemble(v, value, operand - 1, part(to, end));
  }

  const View &view;
  std::vector<Origin> &out;
  int64_t dst, stride;
};

/// All rows of a box in lexicographic order.
template <typename Fn> void forRows(const Coord &size, Fn fn) {
  if (std::any_of(size.begin(), size.end(), [](int64_t s) { return s <= 0; }))
    return;
  Coord at(size.size(), 0);
  while (true) {
    fn(at);
    size_t d = size.size();
    if (d < 2)
      return;
    for (--d; d > 0; --d) {
      if (++at[d - 1] < size[d - 1])
        break;
      at[d - 1] = 0;
    }
    if (d == 0)
      return;
  }
}

/// A run of bytes delivered by a descriptor.
struct Run {
  int64_t dst, src;
};

/// A descriptor as a needing node sees it. Senders that hold the same pieces count as one.
struct Delivery {
  int32_t source, senderClass;
  Strided data;
  int32_t sender;
  auto key() const { return std::tie(source, senderClass, data); }
};

/// Joins the two innermost dimensions while every box spans the inner one whole: rows then hold
/// more elements. The statement that is proved stays the same.
bool joinInnermost(ExchangeProblem &p) {
  View view;
  size_t rank = p.view[p.view.root()].shape.size();
  if (rank < 2)
    return false;
  int64_t inner = p.view[p.view.root()].shape.back();
  for (int32_t v = 0; v < p.view.size(); ++v) {
    const View::Value &value = p.view[v];
    if (value.kind == View::Kind::Reshape || value.shape.size() != rank ||
        value.shape.back() != inner)
      return false;
    for (const View::Operand &op : value.operands)
      if (op.at.back() != 0)
        return false;
  }
  auto whole = [&](const LocalPiece &piece) {
    return piece.box.lo.back() == 0 && piece.box.size.back() == inner &&
           piece.strides[rank - 2] == piece.strides.back() * inner;
  };
  for (const LocalPiece &piece : p.needs)
    if (!whole(piece))
      return false;
  for (const ExchangeSource &source : p.sources)
    for (const LocalPiece &piece : source.held)
      if (!whole(piece))
        return false;
  auto scaled = [&](Coord c) {
    c.pop_back();
    c.back() *= inner;
    return c;
  };
  for (int32_t v = 0; v < p.view.size(); ++v) {
    const View::Value &value = p.view[v];
    std::vector<View::Operand> operands;
    for (const View::Operand &op : value.operands)
      operands.push_back({op.value, scaled(op.at)});
    if (value.kind == View::Kind::Source)
      view.source(value.source, scaled(value.shape));
    else
      view.assemble(scaled(value.shape), std::move(operands));
  }
  auto join = [&](LocalPiece &piece) {
    piece.box = {scaled(piece.box.lo), scaled(piece.box.size)};
    int64_t stride = piece.strides.back();
    piece.strides.pop_back();
    piece.strides.back() = stride;
  };
  p.view = std::move(view);
  for (LocalPiece &piece : p.needs)
    join(piece);
  for (ExchangeSource &source : p.sources) {
    source.shape = scaled(source.shape);
    for (LocalPiece &piece : source.held)
      join(piece);
  }
  return true;
}

class Verifier {
public:
  Verifier(const ExchangeProblem &problem, const Mesh &mesh, const Exchange &exchange)
      : problem(problem), mesh(mesh), exchange(exchange), reach(mesh.positions()) {}

  std::string run() {
    if (std::string e = classify(); !e.empty())
      return e;
    if (std::string e = distribute(); !e.empty())
      return e;
    // All needs of a node share its deliveries: check them together, nodes with equal needs once.
    std::map<int32_t, std::vector<int32_t>> needsOf;
    for (size_t i = 0; i < problem.needs.size(); ++i)
      for (int32_t n : problem.needs[i].nodes)
        needsOf[n].push_back(static_cast<int32_t>(i));
    using Class = std::pair<std::vector<int32_t>, int32_t>; // needs, representative
    std::vector<Class> classes;
    std::map<std::vector<int32_t>, std::vector<size_t>> known;
    for (int32_t n = 0; n < mesh.positions(); ++n) {
      auto &list = reach[n];
      std::sort(list.begin(), list.end(),
                [](const Delivery &a, const Delivery &b) { return a.key() < b.key(); });
      auto it = needsOf.find(n);
      if (it == needsOf.end()) {
        if (!list.empty())
          return "node " + std::to_string(n) + " receives bytes but needs none";
        continue;
      }
      bool seen = false;
      for (size_t c : known[it->second]) {
        const auto &other = reach[classes[c].second];
        seen |= std::equal(list.begin(), list.end(), other.begin(), other.end(),
                           [](const Delivery &a, const Delivery &b) { return a.key() == b.key(); });
      }
      if (seen)
        continue;
      known[it->second].push_back(classes.size());
      classes.push_back({it->second, n});
    }
    for (const Class &c : classes)
      if (std::string e = checkNode(c.second, c.first); !e.empty())
        return "node " + std::to_string(c.second) + ": " + e;
    return checkFills();
  }

private:
  /// Numbers, per source, the sets of pieces that nodes hold.
  std::string classify() {
    for (const ExchangeSource &s : problem.sources) {
      std::map<int32_t, std::vector<int32_t>> held;
      for (size_t h = 0; h < s.held.size(); ++h)
        for (int32_t n : s.held[h].nodes)
          held[n].push_back(static_cast<int32_t>(h));
      std::map<std::vector<int32_t>, int32_t> numbers;
      auto &classOf = senderClass.emplace_back(mesh.positions(), -1);
      for (auto &[n, list] : held) {
        if (n < 0 || n >= mesh.positions())
          return "source '" + s.name + "' is held by a node outside the mesh";
        classOf[n] = numbers.try_emplace(list, static_cast<int32_t>(numbers.size())).first->second;
      }
      heldBy.push_back(std::move(held));
    }
    return "";
  }

  std::string add(int32_t source, int32_t sender, int32_t receiver, const Strided &data) {
    if (source < 0 || source >= static_cast<int32_t>(problem.sources.size()))
      return "transfer from an unknown source";
    if (receiver < 0 || receiver >= mesh.positions() || !mesh.usable[receiver])
      return "transfer to node " + std::to_string(receiver) + ", which is not usable";
    if (data.runBytes <= 0 || data.count[0] < 1 || data.count[1] < 1 || data.count[2] < 1)
      return "transfer with an empty run or count";
    int32_t c = sender < 0 || sender >= mesh.positions() ? -1 : senderClass[source][sender];
    if (c < 0)
      return "node " + std::to_string(sender) + " sends source '" + problem.sources[source].name +
             "' but holds nothing of it";
    reach[receiver].push_back({source, c, data, sender});
    return "";
  }

  std::string distribute() {
    std::vector<int32_t> arrivals(mesh.positions(), 0);
    for (const Transfer &t : exchange.transfers) {
      int32_t lines = t.to.kind == Destination::Kind::RowRun ? mesh.columns : mesh.rows;
      if (t.to.kind != Destination::Kind::Node) {
        bool row = t.to.kind == Destination::Kind::RowRun;
        int32_t own = row ? mesh.column(t.srcNode) : mesh.row(t.srcNode);
        int32_t lo = std::min(t.to.first, t.to.last), hi = std::max(t.to.first, t.to.last);
        bool ascending = t.to.first <= t.to.last;
        if (!mesh.multicast)
          return "multicast on a target without it";
        if (lo < 0 || hi >= lines || (!row && (t.to.column < 0 || t.to.column >= mesh.columns)))
          return "multicast run leaves the mesh";
        // One direction, away from the sender; a column run may start in the sender's row.
        bool turnCounts = !row && t.to.column != mesh.column(t.srcNode);
        if (lo != hi && (ascending ? lo < own + !turnCounts : hi > own - !turnCounts))
          return "multicast run from node " + std::to_string(t.srcNode) +
                 " does not lead away from it";
      }
      std::vector<int32_t> reached = receivers(mesh, t.srcNode, t.to);
      if (reached.empty())
        return "transfer that reaches no node";
      for (int32_t n : reached) {
        if (n == t.srcNode)
          return "node " + std::to_string(n) + " sends to itself";
        if (std::string e = add(t.source, t.srcNode, n, t.data); !e.empty())
          return e;
        ++arrivals[n];
      }
    }
    for (const LocalCopy &c : exchange.copies)
      for (int32_t n : c.nodes)
        if (std::string e = add(c.source, n, n, c.data); !e.empty())
          return e;
    return arrivals == exchange.arrivals ? "" : "wrong number of arrivals";
  }

  /// The origins of a need's elements, row by row.
  std::vector<Origin> originsOf(const LocalPiece &need) const {
    std::vector<Origin> origins;
    size_t rank = need.box.rank();
    int64_t n = rank ? need.box.size.back() : 1;
    int64_t stride = rank ? need.strides.back() : problem.elementBytes;
    forRows(need.box.size, [&](const Coord &at) {
      Row row{need.box.lo, n, 0};
      int64_t dst = need.offset;
      for (size_t d = 0; d < rank; ++d) {
        row.at[d] += at[d];
        dst += at[d] * need.strides[d];
      }
      size_t first = origins.size();
      Walker(problem.view, origins, dst, stride).walk(problem.view.root(), std::move(row));
      if (stride != problem.elementBytes)
        scatter(origins, first, stride);
    });
    return origins;
  }

  /// Elements that do not lie next to each other become intervals of their own.
  static void scatter(std::vector<Origin> &origins, size_t first, int64_t stride) {
    std::vector<Origin> rows(origins.begin() + first, origins.end());
    origins.resize(first);
    for (Origin &o : rows)
      for (int64_t i = 0; i < o.n; ++i) {
        origins.push_back({o.dst + i * stride, 1, o.source, o.value, o.at});
        if (!o.at.empty())
          o.at.back() += 1;
      }
  }

  std::string checkNode(int32_t node, const std::vector<int32_t> &needs) const {
    std::vector<Origin> origins;
    for (int32_t i : needs) {
      std::vector<Origin> more = originsOf(problem.needs[i]);
      origins.insert(origins.end(), more.begin(), more.end());
    }
    std::erase_if(origins, [](const Origin &o) { return o.source < 0; });
    std::sort(origins.begin(), origins.end(),
              [](const Origin &a, const Origin &b) { return a.dst < b.dst; });
    struct Piece {
      int64_t dst, bytes, src;
      const Delivery *by;
    };
    std::vector<Piece> pieces;
    for (const Delivery &d : reach[node])
      for (int64_t k = 0; k < d.data.count[2]; ++k)
        for (int64_t j = 0; j < d.data.count[1]; ++j)
          for (int64_t i = 0; i < d.data.count[0]; ++i) {
            auto at = [&](const std::array<int64_t, 3> &s) {
              return i * s[0] + j * s[1] + k * s[2];
            };
            pieces.push_back({d.data.dstOffset + at(d.data.dstStride), d.data.runBytes,
                              d.data.srcOffset + at(d.data.srcStride), &d});
          }
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece &a, const Piece &b) { return a.dst < b.dst; });
    size_t o = 0;
    int64_t done = 0; // bytes of origins[o] already delivered
    for (Piece p : pieces)
      while (p.bytes > 0) {
        std::string where = "byte " + std::to_string(p.dst) + " of the destination ";
        if (o == origins.size() || p.dst < origins[o].dst + done)
          return where + "is written though it is not needed, or twice";
        if (p.dst > origins[o].dst + done)
          return "byte " + std::to_string(origins[o].dst + done) + " is never delivered";
        int64_t bytes = std::min(p.bytes, origins[o].n * problem.elementBytes - done);
        if (done % problem.elementBytes || bytes % problem.elementBytes)
          return where + "is delivered in part of an element";
        if (p.by->source != origins[o].source ||
            !holds(*p.by, origins[o], done / problem.elementBytes, bytes / problem.elementBytes,
                   p.src))
          return where + "comes from the wrong bytes";
        p.dst += bytes;
        p.src += bytes;
        p.bytes -= bytes;
        done += bytes;
        if (done == origins[o].n * problem.elementBytes) {
          ++o;
          done = 0;
        }
      }
    if (o < origins.size())
      return "byte " + std::to_string(origins[o].dst + done) + " is never delivered";
    return "";
  }

  /// The sender's bytes from \p src hold elements skip..skip+n of the interval.
  bool holds(const Delivery &by, const Origin &origin, int64_t skip, int64_t n, int64_t src) const {
    const ExchangeSource &s = problem.sources[by.source];
    Coord at = origin.at;
    int64_t last = at.empty() ? 0 : at.back();
    for (int64_t i = 0; i < n;) {
      if (!at.empty())
        at.back() = last + skip + i;
      const LocalPiece *piece = nullptr;
      for (int32_t h : heldBy[by.source].at(by.sender))
        if (s.held[h].box.contains(at))
          piece = &s.held[h];
      if (!piece || piece->addressOf(at) != src + i * problem.elementBytes)
        return false;
      // Within the piece the row's elements are contiguous or checked one by one.
      bool contiguous = !at.empty() && piece->strides.back() == problem.elementBytes;
      i += contiguous ? std::min(n - i, piece->box.hi(at.size() - 1) - at.back()) : 1;
    }
    return true;
  }

  /// The fills of each need are exactly what the view leaves open, with the right constants.
  std::string checkFills() const {
    using Element = std::tuple<int32_t, int64_t, int32_t>; // need, byte offset, view value
    std::vector<Element> expected, given;
    for (size_t i = 0; i < problem.needs.size(); ++i)
      for (const Origin &o : originsOf(problem.needs[i]))
        if (o.source < 0)
          for (int64_t k = 0; k < o.n; ++k)
            expected.push_back(
                {static_cast<int32_t>(i), o.dst + k * problem.elementBytes, o.value});
    for (const Fill &f : exchange.fills) {
      int64_t n = f.size.empty() ? 1 : f.size.back(), s = f.size.empty() ? 0 : f.strides.back();
      forRows(f.size, [&](const Coord &at) {
        int64_t offset = f.offset;
        for (size_t d = 0; d + 1 < f.size.size(); ++d)
          offset += at[d] * f.strides[d];
        for (int64_t k = 0; k < n; ++k)
          given.push_back({f.need, offset + k * s, f.value});
      });
    }
    std::sort(expected.begin(), expected.end());
    std::sort(given.begin(), given.end());
    return expected == given ? "" : "fills are not exactly the elements without a source";
  }

  const ExchangeProblem &problem;
  const Mesh &mesh;
  const Exchange &exchange;
  std::vector<std::vector<Delivery>> reach;      // per node
  std::vector<std::vector<int32_t>> senderClass; // per source, per node
  std::vector<std::map<int32_t, std::vector<int32_t>>> heldBy;
};

} // namespace

std::string verifyExchange(const ExchangeProblem &problem, const Mesh &mesh,
                           const Exchange &exchange) {
  for (const Fill &f : exchange.fills) {
    if (f.need < 0 || f.need >= static_cast<int32_t>(problem.needs.size()) ||
        f.size.size() != f.strides.size())
      return "malformed fill";
    const LocalPiece &need = problem.needs[f.need];
    if (f.isBox &&
        (!need.box.contains(f.box) || f.box.size != f.size || need.addressOf(f.box.lo) != f.offset))
      return "fill box " + toString(f.box) + " disagrees with its region";
  }
  ExchangeProblem joined = problem;
  while (joinInnermost(joined))
    ;
  return Verifier(joined, mesh, exchange).run();
}

} // namespace dojo::planning
