// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors read back from the lists: addresses, destinations, routes, deadlock of the network,
// balance of the semaphores. Which bytes meet which reader is for Order.

#include "Checks.h"
#include "Network.h"
#include "Strided.h"

#include <algorithm>
#include <map>
#include <set>

namespace dojo::verify {
namespace {

class TransferChecker {
public:
  TransferChecker(const Program &program, Report &report)
      : program(program), index(program.index), image(index.image), report(report),
        graph(image.target), scratch(index.sram) {}

  void run() {
    for (const Transfer &t : program.transfers)
      transfer(t);
    for (const ThreadTrace &trace : program.threads)
      for (const Event &event : trace.events)
        if (event.kind == Event::Kind::RemoteSignal)
          remoteSignal(trace, event);
    network();
    semaphores();
    for (const image::Buffer *condition : program.conditions)
      agreement(*condition);
  }

private:
  void error(const std::string &text) { report.add(Check::Transfers, Verdict::Error, text); }

  void transfer(const Transfer &t) {
    Path path;
    std::string problem;
    if (!pathOf(image, t.node, t.d, path, problem))
      return; // found while the list was followed
    graph.add(path.channels);
    using Kind = isa::Descriptor::Kind;
    if (t.d.kind == Kind::Pull && t.d.node != t.node) {
      path.channels.clear();
      if (!plainPath(image.target, t.d.node, t.node, path.channels, problem))
        return error(program.transferName(t) + ": the answer " + problem);
      graph.add(path.channels);
    }
    Strided local = Strided::localOf(t.d), remote = Strided::remoteOf(t.d);
    if (local.empty())
      return;
    bool pull = t.d.kind == Kind::Pull;
    bool leaves = t.d.kind == Kind::Push && (t.d.multicast || t.d.node != t.node);
    if (leaves && !t.d.hasFarSemaphore)
      error(program.transferName(t) + ": its arrival is announced to nobody");
    bool good = bytes(t, local, t.node, pull, "own");
    for (uint32_t i = 0; i < t.numReceivers && good; ++i)
      good = bytes(t, remote, program.receivers[t.firstReceiver + i], !pull && i == 0, "far");
  }

  /// One side of a transfer: in SRAM, in a buffer, and if written, no byte twice.
  bool bytes(const Transfer &t, const Strided &region, uint32_t node, bool once, const char *side) {
    int64_t lo, hi;
    region.bounds(lo, hi);
    auto fail = [&](const std::string &what) {
      error(program.transferName(t) + ": its " + side + " " + ImageIndex::bytesName(lo, hi) +
            " on " + index.nodeName(node) + " " + what);
      return false;
    };
    if (lo < 0 || hi > index.sram)
      return fail("are not all in SRAM");
    if (!image.buffers.empty() && index.bufferOf(node, lo, hi, t.layer) == ImageIndex::noBuffer)
      return fail("lie in no declared buffer");
    if (!once)
      return true;
    // A repeated write of the same bytes also has a dimension with stride 0.
    for (int d = 0; d < 3; ++d)
      if (region.count[d] > 1 && region.stride[d] == 0)
        return fail("are written more than once by one transfer");
    Strided simple = region.simplified();
    if (simple.clearlyDisjoint())
      return true;
    bool twice = !simple.eachRun([&](int64_t a, int64_t b) { return !scratch.set(a, b); });
    scratch.clear(lo, hi);
    return !twice || fail("are written more than once by one transfer");
  }

  void remoteSignal(const ThreadTrace &trace, const Event &event) {
    Path path;
    std::string problem;
    if (pathOf(image, trace.node, program.remoteSignals[event.index].d, path, problem))
      graph.add(path.channels); // else found while the list was followed
  }

  void network() {
    std::vector<Channel> cycle = graph.cycle();
    if (!cycle.empty()) {
      std::string text = "the routes can block each other in a circle of links:";
      constexpr size_t most = 8;
      for (size_t i = 0; i < cycle.size() && i < most; ++i)
        text += (i ? "; " : " ") + graph.channelName(cycle[i]);
      error(text + (cycle.size() > most ? "; ..." : ""));
    }
    if (auto it = image.certificate.find("cycle_free"); it != image.certificate.end())
      if (!it->is_boolean() || it->get<bool>() != cycle.empty())
        error("the certificate's cycle_free is " + it->dump() + ", but the routes are " +
              (cycle.empty() ? "" : "not ") + "free of cycles");
    if (auto it = image.certificate.find("numbers"); it != image.certificate.end())
      numbers(*it);
  }

  /// The certificate's number of each link, -1 for one not in use: they ascend along every route.
  void numbers(const image::Json &list) {
    size_t count = size_t(4 * image.target.positions());
    bool good = list.is_array() && list.size() == count;
    for (size_t i = 0; good && i < count; ++i)
      good = list[i].is_number_integer();
    if (!good)
      return error("the certificate does not number the " + std::to_string(count) + " links");
    std::vector<int64_t> values = list.get<std::vector<int64_t>>();
    graph.eachDependence([&](Channel from, Channel to) {
      if (values[from] >= values[to])
        error("the certificate does not hold: " + graph.channelName(from) + " has the number " +
              std::to_string(values[from]) + ", and " + graph.channelName(to) +
              ", which follows on a route, " + std::to_string(values[to]));
    });
    graph.eachChannel([&](Channel channel) {
      if (values[channel] < 0)
        error("the certificate does not number " + graph.channelName(channel) +
              ", which a route uses");
    });
  }

  /// The nodes that ask a condition find the same byte only if it comes to them from the same
  /// places, equally often.
  void agreement(const image::Buffer &condition) {
    const int64_t byte = condition.address;
    std::map<uint32_t, std::multiset<std::pair<uint32_t, int64_t>>> sources; // of nodes that ask
    for (const ThreadTrace &trace : program.threads)
      for (const Event &event : trace.events)
        if (event.kind == Event::Kind::Access && !program.accesses[event.index].write &&
            program.accesses[event.index].address == byte)
          sources[trace.node];
    auto add = [&](uint32_t node, uint32_t from, int64_t address) {
      if (auto it = sources.find(node); it != sources.end())
        it->second.insert({from, address});
    };
    for (const ThreadTrace &trace : program.threads)
      for (const Event &event : trace.events)
        if (event.kind == Event::Kind::Access && program.accesses[event.index].write &&
            program.accesses[event.index].address == byte)
          add(trace.node, trace.node, byte);
    for (const Transfer &t : program.transfers) {
      Strided to = Strided::remoteOf(t.d);
      int64_t lo = 0, hi = 0;
      if (!to.empty())
        to.bounds(lo, hi);
      for (uint32_t i = 0; i < t.numReceivers && lo <= byte && byte < hi; ++i)
        add(program.receivers[t.firstReceiver + i], t.node, t.d.localAddress + (byte - lo));
    }
    for (const auto &[node, from] : sources)
      if (from != sources.begin()->second)
        return error("the condition at " + ImageIndex::hex(uint64_t(byte)) + " comes to " +
                     index.nodeName(node) + " from other places than to " +
                     index.nodeName(sources.begin()->first) +
                     ": they may disagree about the next step");
  }

  struct Balance {
    uint64_t signals = 0, waits = 0;
    int32_t waiter = -1;
  };

  void semaphores() {
    std::map<std::pair<uint32_t, uint8_t>, Balance> balances;
    for (size_t i = 0; i < program.threads.size(); ++i)
      count(int32_t(i), balances);
    if (!program.complete())
      return; // what the rest of the threads does is not known
    uint64_t limit = (uint64_t(1) << image.target.semaphoreBits) - 1;
    for (const auto &[where, balance] : balances) {
      std::string name = index.nodeName(where.first) + " semaphore " + std::to_string(where.second);
      if (where.second >= image.target.semaphores)
        error(name + ": the target has " + std::to_string(image.target.semaphores));
      if (balance.signals != balance.waits)
        error(name + ": " + std::to_string(balance.signals) + " signals can arrive, but " +
              std::to_string(balance.waits) + " are waited for");
      else if (balance.signals > limit)
        report.add(Check::Transfers, Verdict::Undecided,
                   name + ": " + std::to_string(balance.signals) +
                       " signals in all may or may not pass the limit of " + std::to_string(limit));
    }
  }

  void count(int32_t thread, std::map<std::pair<uint32_t, uint8_t>, Balance> &balances) {
    const ThreadTrace &trace = program.threads[thread];
    auto signal = [&](uint32_t node, uint8_t semaphore, uint32_t amount) {
      balances[{node, semaphore}].signals += amount;
      report.statistics.signals += 1;
    };
    for (const Event &event : trace.events) {
      switch (event.kind) {
      case Event::Kind::Wait: {
        Balance &b = balances[{trace.node, event.semaphore}];
        b.waits += event.amount;
        report.statistics.waits += 1;
        if (b.waiter >= 0 && b.waiter != thread)
          error(program.placeName(trace, event) + " waits on semaphore " +
                std::to_string(event.semaphore) + ", on which thread " +
                std::to_string(program.threads[b.waiter].thread) + " also waits");
        b.waiter = thread;
        break;
      }
      case Event::Kind::Signal:
        signal(trace.node, event.semaphore, event.amount);
        break;
      case Event::Kind::RemoteSignal: {
        const RemoteSignal &s = program.remoteSignals[event.index];
        for (uint32_t i = 0; i < s.numReceivers; ++i)
          signal(program.receivers[s.firstReceiver + i], s.semaphore, s.amount);
        break;
      }
      case Event::Kind::Transfer: {
        const Transfer &t = program.transfers[event.index];
        report.statistics.transfers += 1;
        report.statistics.deliveries += t.numReceivers;
        if (t.d.hasFarSemaphore)
          for (uint32_t i = 0; i < t.numReceivers; ++i)
            signal(program.receivers[t.firstReceiver + i], t.d.farSemaphore, 1);
        if (t.d.hasOwnSemaphore)
          signal(trace.node, t.d.ownSemaphore, 1);
        break;
      }
      default:
        break;
      }
    }
  }

  const Program &program;
  const ImageIndex &index;
  const image::Image &image;
  Report &report;
  ChannelGraph graph;
  Bitmap scratch;
};

} // namespace

void checkTransfers(const Program &program, Report &report) {
  TransferChecker(program, report).run();
}

} // namespace dojo::verify
