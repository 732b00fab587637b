// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Waits, signals, barriers, and which kernels are called.

#include "Mutations.h"

namespace dojo::mutations {
namespace {

using isa::Descriptor;
using isa::Inst;
using isa::Opcode;

bool synchronises(const Descriptor &d) {
  return d.kind == Descriptor::Kind::Wait || d.kind == Descriptor::Kind::Signal;
}

bool synchronises(const Inst &inst) {
  return inst.op == Opcode::WAIT || inst.op == Opcode::WAITX || inst.op == Opcode::SIGNAL;
}

/// Either a wait or signal in a node's list, or an instruction of a main program.
struct Picked {
  int64_t node = -1;
  std::vector<Descriptor> list;
  size_t at = 0;
  std::vector<Mutant::Site> text; ///< empty: the list counts
  bool inList() const { return text.empty(); }
};

bool pick(const Mutant &m, Random &random, Picked &p) {
  p.node = random.oneOf(m.nodes());
  std::vector<size_t> found;
  if (random.below(3) == 0) {
    p.text = m.text(p.node, unsigned(random.below(2)));
    for (size_t i = 0; i < p.text.size(); ++i)
      if (synchronises(p.text[i].inst))
        found.push_back(i);
  } else {
    p.list = m.list(p.node);
    for (size_t i = 0; i < p.list.size(); ++i)
      if (synchronises(p.list[i]))
        found.push_back(i);
  }
  if (found.empty())
    return false;
  p.at = random.oneOf(found);
  return true;
}

std::string where(const Picked &p) {
  return "node " + std::to_string(p.node) +
         (p.inList() ? ", descriptor " + std::to_string(p.at) + ": "
                     : " at " + std::to_string(p.text[p.at].pc) + " (" +
                           isa::disassemble(p.text[p.at].inst, p.text[p.at].pc) + "): ");
}

std::string put(Mutant &m, Random &random, const Picked &p, const Inst &inst,
                const std::string &what) {
  return m.put(p.text[p.at], inst, random.flip()) ? where(p) + what : "";
}

std::string putList(Mutant &m, const Picked &p, const std::string &what) {
  return m.setList(p.node, p.list) ? where(p) + what : "";
}

std::string amount(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  int by = random.oneOf({-1, 1, 2});
  if (p.inList()) {
    p.list[p.at].amount = uint16_t(p.list[p.at].amount + by);
    return putList(m, p, "amount " + std::to_string(p.list[p.at].amount));
  }
  Inst inst = p.text[p.at].inst;
  if (inst.op != Opcode::WAIT)
    return "";
  inst.f[1] += by;
  return put(m, random, p, inst, "amount " + std::to_string(inst.f[1]));
}

std::string arrivals(Mutant &m, Random &random) {
  int64_t node = random.oneOf(m.nodes());
  uint32_t layer = uint32_t(random.below(m.image.layers.size()));
  uint32_t at = m.tables().arrivals + 12 * layer + 4, before = m.word(node, at);
  uint32_t value = before + uint32_t(random.oneOf({-1, -1, 1, 2}));
  if (int32_t(value) < 0 || !m.setWord(node, at, value))
    return "";
  return "node " + std::to_string(node) + " waits for " + std::to_string(value) + ", not " +
         std::to_string(before) + " arrivals before layer " + std::to_string(layer);
}

/// One layer waits for fewer, another for as many more: all semaphores are zero at the end.
std::string arrivalsMoved(Mutant &m, Random &random) {
  int64_t node = random.oneOf(m.nodes());
  size_t layers = m.image.layers.size();
  uint32_t a = uint32_t(random.below(layers)), b = uint32_t(random.below(layers));
  uint32_t from = m.tables().arrivals + 12 * a + 4, to = m.tables().arrivals + 12 * b + 4;
  if (a == b || m.word(node, from) == 0 || m.word(node, to) == 0 ||
      !m.setWord(node, from, m.word(node, from) - 1) || !m.setWord(node, to, m.word(node, to) + 1))
    return "";
  return "node " + std::to_string(node) + " waits for an arrival in layer " + std::to_string(b) +
         ", not " + std::to_string(a);
}

/// As before in the list: what one wait lacks another takes.
std::string amountsMoved(Mutant &m, Random &random) {
  int64_t node = random.oneOf(m.nodes());
  std::vector<Descriptor> list = m.list(node);
  std::vector<size_t> waits;
  for (size_t i = 0; i < list.size(); ++i)
    if (list[i].kind == Descriptor::Kind::Wait)
      waits.push_back(i);
  if (waits.size() < 2)
    return "";
  Descriptor &a = list[random.oneOf(waits)], &b = list[random.oneOf(waits)];
  if (&a == &b || a.ownSemaphore != b.ownSemaphore || a.amount == 0)
    return "";
  --a.amount, ++b.amount;
  if (!m.setList(node, list))
    return "";
  return "node " + std::to_string(node) + ": two waits on semaphore " +
         std::to_string(a.ownSemaphore) + " share their amounts otherwise";
}

std::string semaphore(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  int by = random.oneOf({-2, -1, 1, 2});
  if (p.inList()) {
    Descriptor &d = p.list[p.at];
    uint8_t &field = d.hasFarSemaphore ? d.farSemaphore : d.ownSemaphore;
    field = uint8_t(field + by);
    return putList(m, p, "semaphore " + std::to_string(field));
  }
  Inst inst = p.text[p.at].inst;
  inst.f[0] += by;
  return put(m, random, p, inst, "semaphore " + std::to_string(inst.f[0]));
}

std::string drop(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  if (p.inList()) {
    std::string what = p.list[p.at].kind == Descriptor::Kind::Wait ? "a wait" : "a signal";
    p.list.erase(p.list.begin() + int64_t(p.at));
    return putList(m, p, what + " dropped");
  }
  Inst nop;
  if (!isa::parseInst("nop", 0, {}, nop, nullptr))
    return "";
  return put(m, random, p, nop, "dropped");
}

std::string signalElsewhere(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p) || !p.inList() || !p.list[p.at].hasFarSemaphore)
    return "";
  p.list[p.at].node = uint16_t(random.oneOf(m.nodes()));
  return putList(m, p, "signal to node " + std::to_string(p.list[p.at].node));
}

std::string swapNeighbours(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p))
    return "";
  if (p.inList()) {
    size_t other =
        p.at + 1 < p.list.size() - 1 && (p.at == 0 || random.flip()) ? p.at + 1 : p.at - 1;
    if (other >= p.list.size() - 1 || p.list[other] == p.list[p.at])
      return "";
    std::swap(p.list[p.at], p.list[other]);
    return putList(m, p, "swapped with descriptor " + std::to_string(other));
  }
  if (p.at == 0 || p.at + 1 >= p.text.size())
    return "";
  size_t first = random.flip() ? p.at : p.at - 1;
  std::vector<uint8_t> bytes;
  if (!isa::encode(p.text[first + 1].inst, bytes, nullptr) ||
      !isa::encode(p.text[first].inst, bytes, nullptr) ||
      !m.write(p.node, p.text[first].pc, bytes, random.flip()))
    return "";
  return where(p) + (first == p.at ? "after the next" : "before the one before");
}

std::string moveInList(Mutant &m, Random &random) {
  Picked p;
  if (!pick(m, random, p) || !p.inList())
    return "";
  size_t to = random.below(p.list.size() - 1);
  if (to == p.at)
    return "";
  Descriptor d = p.list[p.at];
  p.list.erase(p.list.begin() + int64_t(p.at));
  p.list.insert(p.list.begin() + int64_t(to), d);
  return putList(m, p, "moved to place " + std::to_string(to));
}

/// Words of the tables that point to code: prologues, kernels, second halves.
std::string kernelPointer(Mutant &m, Random &random) {
  int64_t node = random.oneOf(m.nodes());
  uint32_t at = m.tables().arrivals + 4 * uint32_t(random.below(m.tableWords()));
  uint32_t before = m.word(node, at);
  if (int64_t load = m.loadAt(node, before); before == 0 || load < 0)
    return "";
  std::vector<uint32_t> loads = m.codeOf(node);
  uint32_t value = before;
  switch (random.below(4)) {
  case 0:
    value = before + random.oneOf<uint32_t>({4, 8, 12, 16, 64});
    break;
  case 1: { // what another layer of the node calls
    uint32_t other = m.tables().arrivals + 4 * uint32_t(random.below(m.tableWords()));
    value = m.word(node, other);
    break;
  }
  default:
    value = m.image.loads[random.oneOf(loads)].address;
  }
  if (value == before || !m.setWord(node, at, value))
    return "";
  return "node " + std::to_string(node) + " calls " + std::to_string(value) + ", not " +
         std::to_string(before);
}

} // namespace

const std::vector<Mutation> &orderMutations() {
  static const std::vector<Mutation> list = {
      {"amount", verify::Check::Order, amount},
      {"arrivals", verify::Check::Order, arrivals},
      {"arrivals-moved", verify::Check::Order, arrivalsMoved},
      {"amounts-moved", verify::Check::Order, amountsMoved},
      {"semaphore", verify::Check::Order, semaphore},
      {"synchronisation-dropped", verify::Check::Order, drop},
      {"signal-elsewhere", verify::Check::Order, signalElsewhere},
      {"synchronisation-swapped", verify::Check::Order, swapNeighbours},
      {"synchronisation-moved", verify::Check::Order, moveInList},
      {"kernel-pointer", verify::Check::Order, kernelPointer},
  };
  return list;
}

} // namespace dojo::mutations
