// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who waits for whom once nothing moves any more: for every blocked thread, what it could still
// signal if it went on.
#include "Die.h"

#include <map>

namespace dojo::emu {
namespace {

using Kind = isa::Descriptor::Kind;

struct ThreadId {
  uint32_t node;
  unsigned thread;
  auto operator<=>(const ThreadId &) const = default;
};

struct SemaphoreId {
  uint32_t node;
  unsigned semaphore;
  auto operator<=>(const SemaphoreId &) const = default;
};

// Collects the semaphores that the blocked threads would signal.
class Signallers {
public:
  explicit Signallers(const Die &die) : die(die) {}

  void addThread(const Node &node, const Thread &t) {
    self = {node.number, t.index};
    if (t.inList)
      addList(node, t.currentDescriptor() +
                        (t.state == ThreadState::Waiting ? unsigned(isa::Descriptor::bytes) : 0));
    addCode(node, t.pc);
  }

  const ThreadId *find(SemaphoreId semaphore) const {
    auto it = first.find(semaphore);
    return it == first.end() ? nullptr : &it->second;
  }

private:
  void add(uint32_t node, unsigned semaphore) { first.try_emplace({node, semaphore}, self); }

  void addList(const Node &node, uint32_t address) {
    for (; address + isa::Descriptor::bytes <= die.p.sramBytes; address += isa::Descriptor::bytes) {
      isa::Descriptor d;
      if (!isa::Descriptor::decode(node.sram + address, d, nullptr) || d.kind == Kind::End)
        return;
      if (d.kind == Kind::Wait)
        continue;
      if (d.hasOwnSemaphore || (d.kind == Kind::Signal && !d.hasFarSemaphore))
        add(node.number, d.ownSemaphore);
      if (!d.hasFarSemaphore)
        continue;
      Path path;
      std::string error;
      if (d.kind == Kind::Copy)
        add(node.number, d.farSemaphore);
      else if (die.topology.path(node.number, d, path, error)) {
        die.topology.forReceivers(path, [&](uint32_t n) { add(n, d.farSemaphore); });
      }
    }
  }

  void addCode(const Node &node, uint32_t pc) {
    std::set<uint32_t> seen;
    std::vector<uint32_t> work{pc};
    while (!work.empty()) {
      uint32_t at = work.back();
      work.pop_back();
      const CodeSegment *segment = at % 4 ? nullptr : node.codeIn(at, 1);
      if (!segment || !seen.insert(at).second)
        continue;
      const CodeImage &image = *segment->image;
      uint32_t offset = at - segment->begin;
      Op op = decodeOp(image.bytes.data() + offset, image.bytes.size() - offset, die.p);
      if (op.state != OpState::Valid)
        continue;
      if (op.control == ControlKind::Signal)
        add(node.number, op.semaphore);
      else if (op.opcode == isa::Opcode::LIST)
        addList(node, static_cast<uint32_t>(op.immediate));
      if (op.control == ControlKind::Jump || op.control == ControlKind::Loop ||
          op.control == ControlKind::Branch)
        work.push_back(at + static_cast<uint32_t>(op.target));
      if (op.control != ControlKind::Jump && op.control != ControlKind::Halt &&
          op.control != ControlKind::JumpRegister)
        work.push_back(at + op.bytes);
    }
  }

  const Die &die;
  ThreadId self{};
  std::map<SemaphoreId, ThreadId> first;
};

} // namespace

Fault Run::describeDeadlock() const {
  constexpr size_t shownLinks = 8;
  Signallers signallers(m);
  const Thread *start = nullptr;
  const Node *startNode = nullptr;
  size_t blocked = 0;
  for (const Node *node : nodes)
    for (const Thread &t : node->threads) {
      if (t.state == ThreadState::Halted)
        continue;
      ++blocked;
      signallers.addThread(*node, t);
      if (!start) {
        start = &t;
        startNode = node;
      }
    }
  // Follow the chain from the first blocked thread until it closes or breaks off.
  auto next = [&](ThreadId at) -> const ThreadId * {
    const Thread &t = m.nodes[at.node]->threads[at.thread];
    return signallers.find({at.node, t.semaphore});
  };
  std::vector<ThreadId> chain{{startNode->number, start->index}};
  std::set<ThreadId> seen{chain.front()};
  const ThreadId *closes = nullptr;
  while (const ThreadId *to = next(chain.back())) {
    if (!seen.insert(*to).second) {
      closes = to;
      break;
    }
    chain.push_back(*to);
  }
  // The cycle alone tells more than the way to it.
  if (closes) {
    size_t at = 0;
    while (chain[at] != *closes)
      ++at;
    chain.erase(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(at));
  }
  auto nameOf = [&](ThreadId id) {
    return "node " + m.topology.describe(id.node) + " thread " + std::to_string(id.thread);
  };
  std::string text =
      std::to_string(blocked) + (blocked == 1 ? " thread waits" : " threads wait") + " for ever";
  for (size_t i = 0; i < chain.size() && i < shownLinks; ++i) {
    const Thread &t = m.nodes[chain[i].node]->threads[chain[i].thread];
    text += "; " + nameOf(chain[i]) + " waits for semaphore " + std::to_string(t.semaphore) +
            " to reach " + std::to_string(t.need) + " (it is " +
            std::to_string(m.nodes[chain[i].node]->semaphores[t.semaphore].finalValue()) + ")";
    if (i + 1 < chain.size())
      text += ", which " + nameOf(chain[i + 1]) + " would signal";
    else if (closes)
      text += ", which " + nameOf(*closes) + " would signal: a cycle";
    else
      text += ", which no thread will signal any more";
  }
  if (chain.size() > shownLinks)
    text += "; and so on through " + std::to_string(chain.size()) + " threads" +
            (closes ? " back to the first" : "");
  Fault f;
  const Thread &first = m.nodes[chain.front().node]->threads[chain.front().thread];
  f.faultClass = FaultClass::Deadlock;
  f.node = chain.front().node;
  f.thread = static_cast<int>(first.index);
  f.pc = first.inList ? first.listPc : first.blockedPc;
  f.layer = first.layer < m.numLayers ? static_cast<int32_t>(first.layer) : -1;
  f.text = text;
  return f;
}

} // namespace dojo::emu
