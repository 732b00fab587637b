// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Program.h"

#include <algorithm>
#include <stdexcept>

namespace dojo::emu {

using isa::Descriptor;

namespace {

constexpr uint32_t ownBegin = 0x1000, ownBytes = 0x800; // of a thread's data: where bases point

void must(bool good, const std::string &error) {
  if (!good)
    throw std::runtime_error(error);
}

std::string number(uint64_t value) { return std::to_string(value); }

} // namespace

const char *name(Mistake mistake) {
  static const char *const names[] = {"none",        "code",          "watchdog",     "missing",
                                      "left",        "second waiter", "overflow",     "descriptor",
                                      "destination", "code write",    "out of range", "list",
                                      "undeclared"};
  return names[static_cast<size_t>(mistake)];
}

Program::Program(uint64_t seed, bool race)
    : engine(static_cast<uint32_t>(seed * 2654435761u + 12345)) {
  chooseMachine();
  if (below(8) == 0)
    mistake = Mistake(1 + below(12));
  bool wide = target.usableNodes().size() > 12; // less for each of many
  shape.threads = below(2) ? 1 : 1 + static_cast<unsigned>(below(4));
  shape.sender = shape.threads < 4 && below(2);
  if (mistake == Mistake::SecondWaiter)
    shape.threads = std::max(2u, shape.threads), shape.sender &= shape.threads < 4;
  races = race && shape.threads > 1 && mistake == Mistake::None;
  shape.rounds = 1 + static_cast<unsigned>(below(wide ? 2 : 5));
  pieces = 1 + below(wide ? 1 : 3);
  declared = below(2) || mistake == Mistake::Undeclared;
  ranges = below(3) != 0;
  if (below(2)) {
    ringRound = below(static_cast<int>(shape.rounds));
    ringThread = static_cast<unsigned>(below(static_cast<int>(shape.threads)));
    ringTurns = 1 + static_cast<unsigned>(below(6));
  }
  if (mistake == Mistake::Watchdog)
    watchdog = 20 + engine() % 1500;
  traffic.emplace(target, shape, engine);
  wholeMemory = traffic->nodes.size() <= 4 && below(8) == 0;
  shared = specialBytes(engine, CodeWriter::dataBytes);
  own = specialBytes(engine, target.usableNodes().size() * ownBytes);

  // Nodes have the same code, or one of two.
  std::vector<uint32_t> groups[2];
  bool two = traffic->nodes.size() > 1 && below(2);
  for (uint32_t node : traffic->nodes)
    groups[two && engine() % 2].push_back(node);
  for (const std::vector<uint32_t> &group : groups) {
    if (group.empty())
      continue;
    for (unsigned t = 0; t < shape.threads; ++t)
      writeThread(group, t);
    if (shape.sender)
      writeSender(group);
  }
  makeMistake();
}

void Program::chooseMachine() {
  static const std::pair<int, int> meshes[] = {{1, 1}, {1, 2}, {2, 1}, {2, 2}, {2, 2}, {2, 3},
                                               {3, 3}, {1, 8}, {6, 1}, {4, 5}, {3, 8}, {8, 6}};
  Target die;
  std::string error;
  must(loadTarget(below(2) ? "d1" : "d1-pessimistic", die, error), error);
  auto [rows, columns] = meshes[below(std::size(meshes))];
  if (below(300) == 0) {
    rows = static_cast<int>(die.rows);
    columns = static_cast<int>(die.columns);
  } else if (below(2)) {
    std::swap(rows, columns);
  }
  must(die.withPartition(rows, columns, target, error), error);
  for (int dead = below(2) ? below(4) : 0; dead > 0; --dead) {
    Target without;
    if (target.withDead(below(rows), below(columns), without, error))
      target = without;
  }
}

void Program::writeThread(const std::vector<uint32_t> &nodes, unsigned thread) {
  CodePlace place;
  place.code = layout::code(thread);
  place.data = layout::data(thread);
  place.thread = thread;
  place.accumulators = static_cast<unsigned>(target.accumulators) / shape.threads;
  place.firstAccumulator = thread * place.accumulators;
  place.wildOneIn = mistake == Mistake::Code ? 40 : 0;
  CodeWriter w(engine, place);
  w.text("li x28, " + number(layout::offsets) + "\nvld v31, 0(x28), u16, m0");
  for (unsigned r = 0; r < shape.rounds; ++r) {
    for (int i = below(pieces + 1); i > 0; --i)
      w.piece(2);
    if (static_cast<int>(r) == ringRound && thread == ringThread)
      writeRing(w, thread);
    writeRound(w, r, thread);
  }
  if (mistake == Mistake::Left && thread == 0)
    w.text("signal s255");
  if (mistake == Mistake::SecondWaiter && thread < 2)
    w.text("wait s254, 1");
  w.text("halt");
  must(w.code.size() <= layout::codeBytes, "the code of a thread is too long");
  code.push_back({nodes, thread, std::move(w.code)});
}

void Program::writeList(CodeWriter &w, unsigned r, unsigned thread) {
  uint32_t list = layout::list(r, thread);
  if (mistake == Mistake::List && r + 1 == shape.rounds)
    list = below(2) ? list + 4 : 0x13FFE0;
  w.text(below(2) ? "list " + number(list) : "li x28, " + number(list) + "\nlistx x28");
}

// Sends what the threads let go of.
void Program::writeSender(const std::vector<uint32_t> &nodes) {
  CodePlace place;
  place.code = layout::code(shape.threads);
  CodeWriter w(engine, place);
  for (unsigned r = 0; r < shape.rounds; ++r) {
    w.text("li x31, " + number(traffic->counts[{r, shape.threads}]) + "\nwait s" +
           number(layout::go(r)) + ", " + number(shape.threads));
    writeList(w, r, shape.threads);
  }
  w.text("halt");
  code.push_back({nodes, shape.threads, std::move(w.code)});
}

void Program::writeRound(CodeWriter &w, unsigned r, unsigned thread) {
  static const char *const types[] = {"w32", "bf16", "f16", "u8", "i16"};
  auto vector = [&] { return "v" + number(static_cast<uint64_t>(below(31))); };
  auto scalar = [&] { return "x" + number(static_cast<uint64_t>(1 + below(19))); };
  auto type = [&] { return std::string(types[below(5)]); };

  w.text("li x28, " + number(layout::slot(r, thread)));
  for (int i = 1 + below(6); i > 0; --i)
    w.text(below(4)
               ? "vst " + vector() + ", " + number(static_cast<uint64_t>(2 * below(220))) +
                     "(x28), " + type() + ", m0"
               : "sd " + scalar() + ", " + number(static_cast<uint64_t>(8 * below(60))) + "(x28)");
  unsigned before = (thread + shape.threads - 1) % shape.threads;
  if (shape.threads > 1)
    w.text("li x28, " + number(layout::handover(r, thread)) + "\nvst " + vector() +
           ", 0(x28), w32, m0\nsignal s" + number(layout::handed(r, (thread + 1) % shape.threads)));
  if (traffic->signalling.count({r, thread})) {
    // The semaphore is the receiver's, of the thread in the upper half of the word.
    w.text("li x28, " + number(layout::peer(r, thread)) + "\nld x29, 0(x28)");
    unsigned to = traffic->peers.at({traffic->nodes[0], r, thread}) >> 16;
    w.text("signalr x29, s" + number(layout::arrived(r, to)));
  }
  if (shape.sender) {
    w.text("signal s" + number(layout::go(r)));
  } else {
    w.text("li x30, " + number(layout::slot(r, thread)) + "\nli x31, " +
           number(traffic->counts[{r, thread}]));
    writeList(w, r, thread);
  }
  if (shape.threads > 1) {
    std::string wait = "wait s" + number(layout::handed(r, thread)) + ", 1";
    std::string read = "li x28, " + number(layout::handover(r, before)) + "\nvld " + vector() +
                       ", 0(x28), w32, m0";
    bool hasty = races && r == 0 && thread == 0;
    w.text(hasty ? read + "\n" + wait : wait + "\n" + read);
  }
  w.text("li x28, " + number(layout::arrivals(r, thread)) + "\nld x29, 0(x28)\nwaitx s" +
         number(layout::arrived(r, thread)) + ", x29");
  for (int i = 1 + below(5); i > 0; --i) {
    w.text("li x28, " + number(layout::inbox(r, thread) + 2 * static_cast<uint32_t>(below(1900))));
    static const char *const reads[] = {"vld V, 0(x28), T, m0", "vfadd.m V, V, 0(x28), T",
                                        "vldb V, 0(x28), T"};
    std::string line = reads[below(3)];
    std::string v = vector(), t = type();
    for (size_t at; (at = line.find('V')) != std::string::npos;)
      line.replace(at, 1, v);
    line.replace(line.find('T'), 1, t);
    w.text(line);
  }
  std::vector<uint32_t> &places = traffic->multicasts[{r, thread}];
  for (size_t i = 0; i < std::min<size_t>(3, places.size()); ++i)
    w.text("li x28, " + number(places[i]) + "\nvld " + vector() + ", 0(x28), u8, m0");
}

// Blocks around a ring: one buffer at each node, which the node before may fill once there is a
// credit.
void Program::writeRing(CodeWriter &w, unsigned thread) {
  std::string data = "s" + number(layout::ringData), credit = "s" + number(layout::ringCredit);
  w.text("li x28, " + number(layout::ringPeer) + "\nld x29, 0(x28)\nli x30, " + number(ringTurns) +
         "\nsignalr x29, " + credit);
  uint32_t top = w.here();
  w.text("wait " + credit + ", 1");
  w.setBases();
  w.instructions(below(12), static_cast<int>(ringTurns));
  w.text("li x28, " + number(layout::ringOut) +
         "\nvst v1, 0(x28), w32, m0\nvst v2, 64(x28), bf16, m0");
  w.text("list " + number(layout::ringList) + "\nwait " + data + ", 1");
  w.text("li x28, " + number(layout::ringIn) +
         "\nvld v3, 2(x28), w32, m0\nvfadd.m v1, v1, 64(x28), bf16\nsignalr x29, " + credit);
  w.text("loop x30, " + number(top) + "\nwait " + credit + ", 1");
}

void Program::place(Machine &machine) const {
  std::string error;
  const std::vector<uint32_t> &nodes = traffic->nodes;
  for (const Code &c : code) {
    must(machine.placeCode(c.nodes, layout::code(c.thread), c.bytes, error), error);
    for (uint32_t node : c.nodes)
      must(machine.setEntry(node, c.thread, layout::code(c.thread), error), error);
  }
  for (unsigned t = 0; t < shape.threads; ++t)
    must(machine.placeData(nodes, layout::data(t), shared, error), error);
  auto write = [&](uint32_t node, uint32_t address, std::span<const uint8_t> bytes) {
    must(machine.write(node, address, bytes, error), error);
  };
  auto writeWord = [&](uint32_t node, uint32_t address, uint64_t value) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; ++i)
      bytes[i] = static_cast<uint8_t>(value >> 8 * i);
    write(node, address, bytes);
  };
  for (size_t i = 0; i < nodes.size(); ++i) {
    std::span<const uint8_t> mine(own.data() + i * ownBytes, ownBytes);
    for (unsigned t = 0; t < shape.threads; ++t)
      write(nodes[i], layout::data(t) + ownBegin, mine);
    std::vector<uint8_t> offsets(32);
    for (size_t k = 0; k < 16; ++k) {
      uint32_t offset = (mine[2 * k] | mine[2 * k + 1] << 8) % (CodeWriter::gatherBytes / 2) * 2;
      offsets[2 * k] = static_cast<uint8_t>(offset);
      offsets[2 * k + 1] = static_cast<uint8_t>(offset >> 8);
    }
    write(nodes[i], layout::offsets, offsets);
  }
  auto writeList = [&](uint32_t node, uint32_t address, const std::vector<Descriptor> &list) {
    std::vector<uint8_t> bytes((list.size() + 1) * Descriptor::bytes);
    for (size_t i = 0; i <= list.size(); ++i)
      (i < list.size() ? list[i] : Descriptor()).encode(bytes.data() + i * Descriptor::bytes);
    write(node, address, bytes);
  };
  for (const auto &[at, list] : traffic->lists) {
    auto [node, round, thread] = at;
    writeList(node, layout::list(round, thread), list);
  }
  if (brokenAt)
    write(brokenAt->first, brokenAt->second, std::vector<uint8_t>(1, 9)); // no kind
  for (const auto &[at, amount] : traffic->arrivals) {
    auto [node, round, thread] = at;
    writeWord(node, layout::arrivals(round, thread), amount);
  }
  for (const auto &[at, peer] : traffic->peers) {
    auto [node, round, thread] = at;
    writeWord(node, layout::peer(round, thread), peer & 0xFFFF);
  }
  const std::vector<uint32_t> &ring = traffic->ring;
  for (size_t i = 0; i < ring.size(); ++i) {
    Descriptor push;
    push.kind = Descriptor::Kind::Push;
    push.node = static_cast<uint16_t>(ring[(i + 1) % ring.size()]);
    push.localAddress = layout::ringOut;
    push.remoteAddress = layout::ringIn + 2;
    push.runBytes = 96;
    push.hasFarSemaphore = true;
    push.farSemaphore = layout::ringData;
    writeList(ring[i], layout::ringList, {push});
    writeWord(ring[(i + 1) % ring.size()], layout::ringPeer, ring[i]);
  }
  if (!traffic->routes.empty())
    must(machine.setRoutes(traffic->routes, error), error);
  declare(machine);
}

std::vector<Interval> Program::memory() const {
  if (wholeMemory)
    return {{0, static_cast<uint32_t>(target.sramBytes)}};
  return {{layout::data(0), layout::data(shape.threads)},
          {layout::slot(0, 0), layout::slot(shape.rounds, 0)},
          {layout::handover(0, 0), layout::handover(shape.rounds, 0)},
          {layout::ringOut, layout::ringIn + 0x100},
          {layout::inbox(0, 0), layout::inbox(shape.rounds, 0)},
          {layout::multicast, traffic->multicastEnd()}};
}

void Program::declare(Machine &machine) const {
  std::string error;
  std::mt19937 choice(static_cast<uint32_t>(own.size() + shared[0]));
  for (const Code &c : code) {
    uint32_t begin = layout::code(c.thread);
    uint32_t end = begin + static_cast<uint32_t>(c.bytes.size());
    if (declared) {
      std::vector<Interval> writes = {{layout::data(0), layout::offsets},
                                      {layout::slot(0, 0), layout::inbox(0, 0)}};
      if (mistake == Mistake::Undeclared)
        writes.pop_back();
      must(machine.declareAccesses(c.nodes, begin, end, {{layout::table, layout::end}}, writes,
                                   error),
           error);
    }
    if (!ranges || c.thread != 0)
      continue;
    std::vector<PcRange> list;
    while (begin < end) {
      uint32_t bytes = 4 * (1 + static_cast<uint32_t>(choice() % 100));
      list.push_back({begin, std::min(begin + bytes, end), static_cast<int32_t>(choice() % 6) - 2});
      begin += bytes + 4 * static_cast<uint32_t>(choice() % 3);
    }
    must(machine.setPcRanges(c.nodes, list, error), error);
  }
}

std::string Program::describe() const {
  std::string text = target.name + " " + number(static_cast<uint64_t>(target.partitionRows)) + "x" +
                     number(static_cast<uint64_t>(target.partitionColumns));
  for (Position p : target.dead)
    text += " without (" + number(static_cast<uint64_t>(p.row)) + "," +
            number(static_cast<uint64_t>(p.column)) + ")";
  text += ", " + number(shape.threads) + (shape.threads == 1 ? " thread" : " threads") +
          (shape.sender ? " and a sender" : "") + ", " + number(shape.rounds) + " rounds";
  if (ringRound >= 0)
    text += ", a ring";
  if (mistake != Mistake::None)
    text += std::string(", mistake: ") + name(mistake);
  return text;
}

} // namespace dojo::emu
