// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Oracle: every source element has a number; transfers are executed byte by byte on a model of all
// nodes' buffers, and every needed element must show the number that following the view point by
// point gives. The exchange verifier is tested by mutations of good exchanges.

#include "dojo/Planning/Exchange.h"
#include "Random.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

using namespace dojo::planning;
using dojo::planning::test::forSeeds;
using dojo::planning::test::Random;

namespace {

template <typename Fn> void forPoints(const Box &box, Fn fn) {
  if (box.empty())
    return;
  Coord at = box.lo;
  while (true) {
    fn(at);
    size_t d = box.rank();
    while (d > 0 && ++at[d - 1] == box.hi(d - 1)) {
      --d;
      at[d] = box.lo[d];
    }
    if (d == 0)
      return;
  }
}

/// The source element at a point of a value of the view; none where it is to be filled.
std::optional<std::pair<int32_t, Coord>> elementAt(const View &view, int32_t v, Coord at) {
  const View::Value &value = view[v];
  if (value.kind == View::Kind::Source)
    return std::pair(value.source, at);
  if (value.kind == View::Kind::Reshape) {
    int64_t linear = 0;
    for (size_t d = 0; d < at.size(); ++d)
      linear = linear * value.shape[d] + at[d];
    const Coord &shape = view[value.operands[0].value].shape;
    Coord inner(shape.size());
    for (size_t d = shape.size(); d-- > 0;) {
      inner[d] = linear % shape[d];
      linear /= shape[d];
    }
    return elementAt(view, value.operands[0].value, inner);
  }
  for (size_t i = value.operands.size(); i-- > 0;) {
    const View::Operand &op = value.operands[i];
    Coord inner = at;
    for (size_t d = 0; d < at.size(); ++d)
      inner[d] -= op.at[d];
    if (Box::whole(view[op.value].shape).contains(inner))
      return elementAt(view, op.value, inner);
  }
  return std::nullopt;
}

/// Runs the exchange on model memory. Returns the first disagreement.
std::string simulate(const ExchangeProblem &p, const Mesh &mesh, const Exchange &e) {
  int64_t unit = p.elementBytes;
  std::vector<std::map<std::pair<int32_t, int64_t>, int64_t>> held(p.sources.size());
  for (size_t s = 0; s < p.sources.size(); ++s)
    for (const LocalPiece &piece : p.sources[s].held)
      for (int32_t n : piece.nodes)
        forPoints(piece.box, [&](const Coord &at) {
          int64_t number = static_cast<int64_t>(s) << 40;
          int64_t linear = 0;
          for (size_t d = 0; d < at.size(); ++d)
            linear = linear * p.sources[s].shape[d] + at[d];
          for (int64_t b = 0; b < unit; ++b)
            held[s][{n, piece.addressOf(at) + b}] = number + linear * unit + b;
        });
  std::map<std::pair<int32_t, int64_t>, int64_t> got; // (node, byte) -> number
  std::string fault;
  auto move = [&](int32_t source, int32_t from, int32_t to, const Strided &s) {
    for (int64_t k = 0; k < s.count[2]; ++k)
      for (int64_t j = 0; j < s.count[1]; ++j)
        for (int64_t i = 0; i < s.count[0]; ++i)
          for (int64_t b = 0; b < s.runBytes; ++b) {
            auto at = [&](const std::array<int64_t, 3> &st) {
              return i * st[0] + j * st[1] + k * st[2] + b;
            };
            auto it = held[source].find({from, s.srcOffset + at(s.srcStride)});
            if (it == held[source].end())
              fault = "reads bytes that nobody wrote";
            else if (!got.insert({{to, s.dstOffset + at(s.dstStride)}, it->second}).second)
              fault = "writes a byte twice";
          }
  };
  std::vector<int32_t> arrivals(mesh.positions(), 0);
  for (const Transfer &t : e.transfers)
    for (int32_t n : receivers(mesh, t.srcNode, t.to)) {
      move(t.source, t.srcNode, n, t.data);
      ++arrivals[n];
    }
  for (const LocalCopy &c : e.copies)
    for (int32_t n : c.nodes)
      move(c.source, n, n, c.data);
  if (arrivals != e.arrivals)
    fault = "arrivals";
  for (const Fill &f : e.fills)
    forPoints(Box{Coord(f.size.size(), 0), f.size}, [&](const Coord &at) {
      int64_t offset = f.offset;
      for (size_t d = 0; d < at.size(); ++d)
        offset += at[d] * f.strides[d];
      for (int32_t n : p.needs[f.need].nodes)
        for (int64_t b = 0; b < unit; ++b)
          if (!got.insert({{n, offset + b}, -1 - f.value}).second)
            fault = "fills a byte that is also written";
    });
  size_t expected = 0;
  for (const LocalPiece &need : p.needs)
    forPoints(need.box, [&](const Coord &at) {
      auto from = elementAt(p.view, p.view.root(), at);
      for (int32_t n : need.nodes)
        for (int64_t b = 0; b < unit; ++b, ++expected) {
          int64_t number = -1;
          if (from) {
            int64_t linear = 0;
            for (size_t d = 0; d < from->second.size(); ++d)
              linear = linear * p.sources[from->first].shape[d] + from->second[d];
            number = (static_cast<int64_t>(from->first) << 40) + linear * unit + b;
          }
          auto it = got.find({n, need.addressOf(at) + b});
          if (it == got.end() || (from ? it->second != number : it->second >= 0))
            fault = "wrong element at " + toString(Box{at, at});
        }
    });
  if (expected != got.size())
    fault = "writes bytes that nobody needs";
  return fault;
}

Coord randomShape(Random &random, size_t rank, int64_t most) {
  Coord shape(rank);
  for (int64_t &s : shape)
    s = random.in(1, most);
  return shape;
}

/// Strides of a local buffer: any order of dimensions, rows padded at random.
Coord randomStrides(Random &random, const Coord &size, int64_t unit) {
  std::vector<size_t> order(size.size());
  std::iota(order.begin(), order.end(), size_t(0));
  if (random.chance(30))
    for (size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1],
                order[static_cast<size_t>(random.in(0, static_cast<int64_t>(i) - 1))]);
  Coord strides(size.size());
  for (size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = unit;
    unit *= size[order[i]];
    if (random.chance(25))
      unit += strides[order[i]] * random.in(1, 3);
  }
  return strides;
}

std::vector<int32_t> shuffledNodes(Random &random, const Mesh &mesh) {
  std::vector<int32_t> nodes = mesh.nodesByColumn();
  for (size_t i = nodes.size(); i > 1; --i)
    std::swap(nodes[i - 1], nodes[static_cast<size_t>(random.in(0, static_cast<int64_t>(i) - 1))]);
  return nodes;
}

ExchangeSource randomSource(Random &random, const Mesh &mesh, Coord shape, int64_t unit) {
  Layout layout{shape, unit, {}, {}};
  std::vector<int32_t> nodes = shuffledNodes(random, mesh);
  size_t cells = 1;
  for (int64_t extent : shape) {
    int64_t parts = random.in(1, 3);
    if (cells * static_cast<size_t>(parts) > nodes.size())
      parts = 1;
    layout.cuts.push_back(cutsOf(extent, random.in(1, 2), parts));
    cells *= layout.cuts.back().size() - 1;
  }
  size_t each = random.chance(40) ? static_cast<size_t>(random.in(1, 3)) : 1;
  if (cells * each > nodes.size())
    each = 1;
  for (size_t c = 0; c < cells; ++c)
    layout.cells.emplace_back(nodes.begin() + static_cast<int64_t>(c * each),
                              nodes.begin() + static_cast<int64_t>((c + 1) * each));
  EXPECT_EQ(verifyLayout(layout, mesh), "");
  ExchangeSource source{"s", shape, layout.pieces()};
  for (LocalPiece &p : source.held)
    if (random.chance(50)) {
      p.strides = randomStrides(random, p.box.size, unit);
      p.offset = unit * random.in(0, 8);
    }
  return source;
}

Coord refactored(Random &random, int64_t volume) {
  Coord shape;
  while (volume > 1) {
    std::vector<int64_t> divisors;
    for (int64_t d = 2; d <= volume; ++d)
      if (volume % d == 0)
        divisors.push_back(d);
    shape.push_back(
        divisors[static_cast<size_t>(random.in(0, static_cast<int64_t>(divisors.size()) - 1))]);
    volume /= shape.back();
    if (random.chance(15))
      shape.push_back(1);
  }
  return shape;
}

ExchangeProblem randomProblem(Random &random, Mesh &mesh) {
  mesh = Mesh::full(static_cast<int32_t>(random.in(1, 5)), static_cast<int32_t>(random.in(1, 5)),
                    random.chance(70));
  for (int32_t n = 1; n < mesh.positions(); ++n)
    mesh.usable[n] = random.chance(90);
  ExchangeProblem p;
  p.elementBytes = int64_t(1) << random.in(0, 2);
  auto leaf = [&](size_t rank) {
    Coord shape = randomShape(random, rank, 6);
    p.sources.push_back(randomSource(random, mesh, shape, p.elementBytes));
    return p.view.source(static_cast<int32_t>(p.sources.size()) - 1, shape);
  };
  int32_t value = leaf(static_cast<size_t>(random.in(0, 4)));
  for (int64_t step = random.in(0, 3); step > 0; --step) {
    Coord shape = p.view[value].shape;
    if (random.chance(40)) {
      value = p.view.reshape(value, refactored(random, product(shape)));
      continue;
    }
    std::vector<View::Operand> operands;
    auto add = [&](int32_t v, const Coord &own) {
      Coord at;
      for (size_t d = 0; d < own.size(); ++d)
        at.push_back(random.in(-2, 3));
      operands.push_back({v, at});
    };
    add(value, shape);
    if (random.chance(50)) {
      int32_t other = leaf(shape.size());
      add(other, p.view[other].shape);
    }
    Coord result(shape.size());
    for (size_t d = 0; d < shape.size(); ++d)
      result[d] = std::max<int64_t>(1, shape[d] + random.in(-2, 4));
    value = p.view.assemble(result, std::move(operands));
  }
  const Coord &shape = p.view[value].shape;
  std::vector<int32_t> nodes = shuffledNodes(random, mesh);
  for (size_t used = 0; used < nodes.size();) {
    LocalPiece need;
    for (int64_t extent : shape) {
      need.box.lo.push_back(random.in(0, extent - 1));
      need.box.size.push_back(random.in(1, extent - need.box.lo.back()));
    }
    need.strides = randomStrides(random, need.box.size, p.elementBytes);
    need.offset = p.elementBytes * random.in(0, 4);
    size_t count = static_cast<size_t>(random.in(1, 6));
    for (; count > 0 && used < nodes.size(); --count)
      need.nodes.push_back(nodes[used++]);
    p.needs.push_back(std::move(need));
  }
  return p;
}

TEST(Exchange, DeliversEveryElementOnce) {
  forSeeds(600, [](Random &random) {
    Mesh mesh;
    ExchangeProblem p = randomProblem(random, mesh);
    Exchange e;
    std::string error;
    ASSERT_TRUE(solveExchange(p, mesh, e, error)) << error;
    EXPECT_EQ(simulate(p, mesh, e), "");
    EXPECT_EQ(verifyExchange(p, mesh, e), "");
  });
}

TEST(Exchange, VerifierCatchesMutations) {
  int caught = 0;
  forSeeds(400, [&](Random &random) {
    Mesh mesh;
    ExchangeProblem p = randomProblem(random, mesh);
    Exchange e;
    std::string error;
    ASSERT_TRUE(solveExchange(p, mesh, e, error)) << error;
    if (e.transfers.empty())
      return;
    size_t i = static_cast<size_t>(random.in(0, static_cast<int64_t>(e.transfers.size()) - 1));
    switch (random.in(0, 6)) {
    case 0:
      e.transfers.erase(e.transfers.begin() + static_cast<int64_t>(i));
      break;
    case 1:
      e.transfers.push_back(e.transfers[i]);
      break;
    case 2:
      e.transfers[i].data.dstOffset += p.elementBytes;
      break;
    case 3:
      e.transfers[i].data.srcOffset += p.elementBytes;
      break;
    case 4:
      e.transfers[i].data.count[0] += 1;
      break;
    case 5:
      e.transfers[i].data.runBytes += p.elementBytes;
      break;
    case 6:
      if (e.fills.empty())
        return;
      e.fills.pop_back();
      break;
    }
    ++caught;
    // A changed source offset may hit other bytes of the same element only by chance of layout:
    // then the simulation agrees too.
    EXPECT_EQ(verifyExchange(p, mesh, e) == "", simulate(p, mesh, e) == "");
  });
  EXPECT_GT(caught, 0);
}

TEST(Exchange, ThreeByThreeHaloOnFourNodes) {
  // 1 x 2 quads x 8 x 8 pixels x 4 lanes of 2 bytes on 2 x 2 nodes, one pixel of padding.
  Mesh mesh = Mesh::full(2, 2);
  Layout layout{{1, 2, 8, 8, 4}, 2, {{0, 1}, {0, 2}, {0, 4, 8}, {0, 4, 8}, {0, 4}}, {}};
  for (int32_t n = 0; n < 4; ++n)
    layout.cells.push_back({n});
  ExchangeProblem p;
  p.elementBytes = 2;
  p.sources.push_back({"x", layout.shape, layout.pieces()});
  int32_t x = p.view.source(0, layout.shape);
  p.view.assemble({1, 2, 10, 10, 4}, {{x, {0, 0, 1, 1, 0}}});
  for (int32_t n = 0; n < 4; ++n) {
    Box box{{0, 0, n / 2 * 4, n % 2 * 4, 0}, {1, 2, 6, 6, 4}};
    p.needs.push_back({box, rowMajorStrides(box.size, 2), 0, {n}});
  }
  Exchange e;
  std::string error;
  ASSERT_TRUE(solveExchange(p, mesh, e, error)) << error;
  EXPECT_EQ(simulate(p, mesh, e), "");
  EXPECT_EQ(verifyExchange(p, mesh, e), "");
  // Each node gets a column, a row and a corner, each one descriptor, and copies its own 4 x 4.
  EXPECT_EQ(e.transfers.size(), 12u);
  EXPECT_EQ(e.arrivals, (std::vector<int32_t>{3, 3, 3, 3}));
  ASSERT_EQ(e.copies.size(), 4u);
  // Node 0: 2 quads x 4 rows of 32 B, from pitch 32 to pitch 48, behind a row and a pixel.
  const Strided &own = e.copies[0].data;
  EXPECT_EQ(own.runBytes, 32);
  EXPECT_EQ(own.count, (std::array<int64_t, 3>{4, 2, 1}));
  EXPECT_EQ(own.dstOffset, 48 + 8);
  EXPECT_EQ(own.dstStride, (std::array<int64_t, 3>{48, 288, 0}));
  // Padding: a row and a column at each node.
  EXPECT_EQ(e.fills.size(), 8u);
  EXPECT_EQ(statisticsOf(e, mesh).mostReceived, 8 + 8 + 2 + 2);
}

TEST(Exchange, EqualNeedsBecomeMulticasts) {
  Mesh mesh = Mesh::full(4, 4);
  ExchangeProblem p;
  p.elementBytes = 4;
  p.sources.push_back({"x", {64}, {{Box::whole({64}), {4}, 0, {mesh.node(0, 0)}}}});
  p.view.source(0, {64});
  p.needs.push_back({Box::whole({64}), {4}, 0, mesh.nodesByColumn()});
  Exchange e;
  std::string error;
  ASSERT_TRUE(solveExchange(p, mesh, e, error)) << error;
  EXPECT_EQ(e.transfers.size(), 4u) << "one run down each column";
  EXPECT_EQ(e.copies.size(), 1u);
  EXPECT_EQ(verifyExchange(p, mesh, e), "");
  mesh.multicast = false;
  EXPECT_NE(verifyExchange(p, mesh, e), "");
  ASSERT_TRUE(solveExchange(p, mesh, e, error)) << error;
  EXPECT_EQ(e.transfers.size(), 15u);
  EXPECT_EQ(verifyExchange(p, mesh, e), "");
}

TEST(Exchange, ReplicasServeTheirNeighbours) {
  Mesh mesh = Mesh::full(1, 8, false);
  ExchangeProblem p;
  p.elementBytes = 4;
  p.sources.push_back({"x", {4}, {{Box::whole({4}), {4}, 0, {0, 7}}}});
  p.view.source(0, {4});
  p.needs.push_back({Box::whole({4}), {4}, 0, {0, 1, 6, 7}});
  Exchange e;
  std::string error;
  ASSERT_TRUE(solveExchange(p, mesh, e, error)) << error;
  ASSERT_EQ(e.transfers.size(), 2u);
  EXPECT_EQ(e.transfers[0].srcNode, 0);
  EXPECT_EQ(e.transfers[1].srcNode, 7);
  ASSERT_EQ(e.copies.size(), 1u);
  EXPECT_EQ(e.copies[0].nodes, (std::vector<int32_t>{0, 7}));
}

TEST(Exchange, InPlaceReadsAreSeen) {
  Mesh mesh = Mesh::full(1, 2);
  ExchangeProblem p;
  p.elementBytes = 4;
  Layout layout{{4, 8}, 4, {{0, 2, 4}, {0, 8}}, {{0}, {1}}};
  p.sources.push_back({"x", layout.shape, layout.pieces()});
  p.view.source(0, layout.shape);
  p.needs = layout.pieces();
  int32_t source = -1;
  int64_t distance = -1;
  EXPECT_TRUE(readsInPlace(p, source, distance));
  EXPECT_EQ(source, 0);
  EXPECT_EQ(distance, 0);
  p.needs[1].nodes = {0};
  EXPECT_FALSE(readsInPlace(p, source, distance));
}

TEST(Exchange, MalformedProblemsAreErrors) {
  Mesh mesh = Mesh::full(1, 2);
  ExchangeProblem p;
  p.elementBytes = 4;
  p.sources.push_back({"x", {4}, {{Box{{0}, {3}}, {4}, 0, {0}}}});
  p.view.source(0, {4});
  p.needs.push_back({Box::whole({4}), {4}, 0, {1}});
  Exchange e;
  std::string error;
  EXPECT_FALSE(solveExchange(p, mesh, e, error)) << "element 3 lies nowhere";
  EXPECT_NE(error.find("3 elements are held where 4 are needed"), std::string::npos) << error;
  p.needs[0].box.size = {5};
  EXPECT_FALSE(solveExchange(p, mesh, e, error));
  p.needs[0] = {Box::whole({4}), {}, 0, {1}};
  EXPECT_FALSE(solveExchange(p, mesh, e, error));
  p.needs[0] = {Box::whole({4}), {4}, 0, {7}};
  EXPECT_FALSE(solveExchange(p, mesh, e, error));
}

} // namespace
