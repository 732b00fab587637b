// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything reachable from entries, from what the followed text reached, and from the starts of
// segments decodes, and branches stay inside code. Each placed blob is looked at once for all nodes
// that hold it, together with the targets that leave it.

#include "Checks.h"
#include "SegmentCode.h"

#include <algorithm>
#include <map>
#include <set>

namespace dojo::verify {
namespace {

using isa::Inst;

/// Threads from this one on communicate: they hold control instructions only, so that they never
/// take a slot from a compute thread.
constexpr uint32_t firstCommunicationThread = 2;

class InstructionChecker {
public:
  InstructionChecker(const Program &program, Report &report)
      : program(program), index(program.index), image(index.image), report(report) {}

  void run() {
    for (const image::Entry &entry : image.entries)
      for (int64_t node : image.nodeSets[entry.nodeSet].nodes())
        for (int32_t pc : entry.pc)
          if (pc >= 0)
            root(node, pc, "a thread's entry");
    for (const image::Segment &segment : image.segments)
      for (int64_t node : image.nodeSets[segment.nodeSet].nodes())
        root(node, segment.begin, "a segment");
    for (const ThreadTrace &trace : program.threads)
      for (const Event &event : trace.events)
        if (event.kind != Event::Kind::Call)
          root(trace.node, event.pc, "the text");
    while (!work.empty()) {
      Site site = work.back();
      work.pop_back();
      visit(site);
    }
    overlaps();
    for (const ThreadTrace &trace : program.threads)
      if (trace.thread >= firstCommunicationThread)
        communication(trace);
    report.statistics.instructions = seen.size();
  }

private:
  /// An instruction of a load: blob, address of the blob, address of the instruction; one node that
  /// holds it, to follow branches to other loads and for messages.
  struct Site {
    uint32_t blob;
    uint32_t base, pc;
    int64_t node;
  };
  using Key = std::tuple<uint32_t, uint32_t, uint32_t>;

  void error(int64_t node, int64_t pc, const std::string &what) {
    report.add(Check::Instructions, Verdict::Error,
               index.nodeName(node) + " at " + ImageIndex::hex(uint64_t(pc)) + " (" +
                   index.layerName(index.layerAt(node, pc)) + "): " + what);
  }

  void root(int64_t node, int64_t pc, const char *what) {
    const Placed *load = index.placedAt(node, pc);
    if (!load || !image.blobs[load->blob].code || pc % 4) {
      if (bad.insert(pc).second)
        error(node, pc, std::string(what) + " is not in code");
      return;
    }
    add({load->blob, load->begin, uint32_t(pc), node});
  }

  void add(const Site &site) {
    if (seen.try_emplace({site.blob, site.base, site.pc}, Seen{0, site.node}).second)
      work.push_back(site);
  }

  void visit(const Site &site) {
    std::span<const uint8_t> code =
        image.content(image.blobs[site.blob]).subspan(site.pc - site.base);
    Inst inst;
    if (!isa::decode(code.data(), code.size(), inst))
      return error(site.node, site.pc, "an undefined instruction can be reached");
    seen[{site.blob, site.base, site.pc}].bytes = inst.bytes;
    const isa::InstInfo &info = isa::info(inst.op);
    if (int64_t target = branchTarget(inst, site.pc); target != -1)
      follow(site, target);
    if (!info.isTerminator)
      follow(site, int64_t(site.pc) + inst.bytes);
  }

  void follow(const Site &from, int64_t target) {
    int64_t end = int64_t(from.base) + int64_t(image.blobs[from.blob].bytes);
    if (target >= from.base && target < end)
      return add({from.blob, from.base, uint32_t(target), from.node});
    // Leaves the load: whoever has this load must have code there.
    for (const image::Load &load : image.loads) {
      if (load.blob != from.blob || load.address != from.base)
        continue;
      for (int64_t node : image.nodeSets[load.nodeSet].nodes()) {
        const Placed *other = index.placedAt(node, target);
        if (!other || !image.blobs[other->blob].code)
          return error(node, from.pc,
                       "goes on at " + ImageIndex::hex(uint64_t(target)) +
                           ", where no code was placed");
        add({other->blob, other->begin, uint32_t(target), node});
      }
    }
  }

  /// Two readings of the same bytes: a jump into the middle of an instruction.
  void overlaps() {
    const std::pair<const Key, Seen> *before = nullptr;
    for (const auto &entry : seen) {
      const auto &[blob, base, pc] = entry.first;
      if (before && std::get<0>(before->first) == blob && std::get<1>(before->first) == base &&
          std::get<2>(before->first) + before->second.bytes > pc)
        error(entry.second.node, pc, "an instruction begins inside the one before");
      before = &entry;
    }
  }

  void communication(const ThreadTrace &trace) {
    // A call of a segment is no control instruction by itself. Whether a loop goes on is the one
    // thing that such a thread has to look at.
    for (const Event &event : trace.events) {
      bool computes = event.kind == Event::Kind::Call || event.kind == Event::Kind::Access ||
                      event.kind == Event::Kind::Accumulators;
      if (!computes || (event.kind == Event::Kind::Access && !program.accesses[event.index].write &&
                        program.decides(trace.node, program.accesses[event.index].address)))
        continue;
      return error(trace.node, event.pc,
                   "the communication thread " + std::to_string(trace.thread) +
                       " does more than control");
    }
    int32_t entry = -1;
    for (const image::Entry &e : image.entries)
      if (image.nodeSets[e.nodeSet].contains(trace.node))
        entry = e.pc[trace.thread];
    controlOnly(trace, entry);
  }

  /// All that can be reached without a jump to a register.
  void controlOnly(const ThreadTrace &trace, int64_t entry) {
    const Placed *load = index.placedAt(trace.node, entry);
    if (!load || !checkedEntries.insert({load->blob, load->begin, uint32_t(entry)}).second)
      return;
    std::set<int64_t> reached;
    std::vector<int64_t> left{entry};
    while (!left.empty()) {
      int64_t pc = left.back();
      left.pop_back();
      std::span<const uint8_t> code = index.bytesAt(trace.node, pc);
      Inst inst;
      if (!reached.insert(pc).second || !isa::decode(code.data(), code.size(), inst))
        continue;
      const isa::InstInfo &info = isa::info(inst.op);
      // What this load may read is seen when it is followed.
      bool looks = inst.op == isa::Opcode::LBU && !program.conditions.empty();
      if (info.timing != isa::TimingClass::Control && !looks)
        return error(trace.node, pc,
                     "the communication thread " + std::to_string(trace.thread) + " can reach " +
                         info.mnemonic + ", which is not a control instruction");
      if (int64_t target = branchTarget(inst, pc); target != -1)
        left.push_back(target);
      if (!info.isTerminator)
        left.push_back(pc + inst.bytes);
    }
  }

  struct Seen {
    uint8_t bytes;
    int64_t node;
  };
  const Program &program;
  const ImageIndex &index;
  const image::Image &image;
  Report &report;
  std::map<Key, Seen> seen;
  std::set<int64_t> bad;
  std::set<Key> checkedEntries;
  std::vector<Site> work;
};

} // namespace

void checkInstructions(const Program &program, Report &report) {
  InstructionChecker(program, report).run();
}

} // namespace dojo::verify
