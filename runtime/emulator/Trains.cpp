// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Trains committed in order, and what comes of them: bytes, signals, answers to pulls, what the
// sender does next.
#include "Checks.h"
#include "Probe.h"

namespace dojo::emu {

void Run::collectTrains(Node &node, std::vector<WaitingTrain> &found) {
  for (Thread &t : node.threads)
    if (t.state == ThreadState::Sending && !t.trainQueued) {
      t.trainQueued = true;
      found.push_back({t.trainIssue, node.number, t.index, 0, t.trainNumber, &t.transfer()});
    }
}

//===----------------------------------------------------------------------===//
// Trains
//===----------------------------------------------------------------------===//

void Run::queueFound() {
  for (Found &f : found) {
    for (const WaitingTrain &train : f.trains)
      trains.push(train);
    f.trains.clear();
  }
}

// What trains have brought the nodes of a host thread.
void Run::deliver(unsigned owner, Found &f) {
  Brought &b = brought[owner];
  for (const Brought::Signal &s : b.signals)
    if (m.nodes[s.node]->signal(s.semaphore, s.shows, s.amount))
      refresh(s.node);
  for (const Brought::Left &left : b.left) {
    Node &sender = *m.nodes[left.node];
    Thread &thread = sender.threads[left.thread];
    if (left.follows) {
      if (thread.state == ThreadState::Sending)
        sender.nextSends(thread, left.cycle);
      continue;
    }
    if (thread.state == ThreadState::Sending)
      sender.trainLeft(thread, left.cycle, left.packets);
    collectTrains(sender, f.trains);
    refresh(left.node);
  }
  b.signals.clear();
  b.left.clear();
}

namespace {

// Another host thread has written what a commit looks at.
void askFor(const Transfer &x) {
  for (size_t i = 0; i < offsetof(Transfer, to); i += 64)
    __builtin_prefetch(reinterpret_cast<const char *>(&x) + i);
}

} // namespace

void Run::commitTrains(uint64_t safe) {
  trains.take(safe, ready);
  for (const WaitingTrain &train : ready)
    askFor(*train.transfer);
  size_t next = 0;
  for (; next != ready.size() && ready[next].issue <= safe; ++next) {
    const WaitingTrain train = ready[next];
    if (fault && train.issue > fault->found)
      break;
    uint64_t cycle = commit(train);
    safe = std::min(safe, cycle - 1);
    nextBrought = std::min(nextBrought, cycle);
    if (follower.transfer && follower.issue > safe) {
      trains.push(follower);
    } else if (follower.transfer) {
      auto behind = ready.begin() + static_cast<ptrdiff_t>(next) + 1;
      ready.insert(std::upper_bound(behind, ready.end(), follower), follower);
    }
  }
  for (; next != ready.size(); ++next)
    trains.push(ready[next]);
}

void Run::moveBytes(const Transfer &x, uint64_t count, uint64_t issue) {
  if (checks)
    checks->moves(x, count, issue);
  const uint8_t *source = m.nodes[x.from]->sram;
  receivers.clear();
  m.topology.forReceivers(x.path, [this](uint32_t n) { receivers.push_back(n); });
  bool mayWriteCode = false;
  for (uint32_t n : receivers)
    mayWriteCode |= code[n].overlaps(x.writes);
  bool defer = options.timing && options.threads > 1 && !x.path.isCopy() && !mayWriteCode;
  // Trains whose bytes are still to be moved came before this one.
  bool inTheWay = copies.writesTo(x.from, x.reads);
  for (uint32_t n : receivers)
    inTheWay |= copies.readsFrom(n, x.writes) || (!defer && copies.writesTo(n, x.writes));
  if (inTheWay)
    copies.finish();
  if (defer) {
    for (uint32_t n : receivers)
      copies.add(x, static_cast<unsigned>(count), n);
    return;
  }
  forPackets(x.runs, x.packetsSent, count, p.packetBytes,
             [&](uint32_t from, uint32_t to, uint32_t bytes) {
               for (uint32_t n : receivers) {
                 Node &receiver = *m.nodes[n];
                 if (!mayWriteCode || !receiver.codeIn(to, bytes))
                   copyBytes(receiver.sram + to, source + from, bytes);
                 else
                   raiseCodeWrite(x, issue, n, to);
               }
             });
}

void Run::raiseCodeWrite(const Transfer &x, uint64_t issue, uint32_t receiver, uint32_t byte) {
  Node &asker = *m.nodes[x.asker];
  asker.raise(FaultClass::CodeWrite, &asker.threads[x.askerThread], issue,
              "a transfer writes code at byte " + std::to_string(byte) + " of node " +
                  m.topology.describe(receiver));
  noteFaults();
  refresh(x.asker);
}

void Run::commitPackets(const Transfer &x, uint64_t issue, unsigned count) {
  ports.commit(x.from, x.path, issue, count, timing);
  if (probe)
    probe->train(x, issue, count, timing);
  ++numTrains;
  packets += uint64_t(count) * timing.firstWrite.size();
  linkPackets += uint64_t(count) * x.path.links;
  uint64_t latest = *std::max_element(timing.firstWrite.begin(), timing.firstWrite.end());
  lastArrival = std::max(lastArrival, latest + count - 1);
  if (!x.dataless && x.kind != Transfer::Kind::Ask) {
    if (stopping)
      noteTrain(x, issue, count);
    moveBytes(x, count, issue);
  }
}

// Returns the first cycle in which a train may be issued because of it: the sender's next, or an
// answer. What else comes of it on other nodes shows after the window.
uint64_t Run::commit(const WaitingTrain &train) {
  Transfer &x = *train.transfer;
  unsigned count = static_cast<unsigned>(std::min<uint64_t>(x.packetsLeft, p.trainPackets));
  commitPackets(x, train.issue, count);
  bool last = x.packetsLeft == count;
  uint64_t left = timing.left;
  uint64_t then = left + (last ? x.pause : 0);
  bool follows = last && x.followed && then <= horizon && then <= options.watchdog;
  follower.transfer = nullptr;
  if (follows) {
    follower = train;
    follower.issue = then;
    ++follower.number;
    ++follower.transfer;
    askFor(*follower.transfer);
  }
  uint64_t next = std::min(follows ? never : then, ownEvent[x.from]);
  auto shows = [&](size_t receiver) { return timing.firstWrite[receiver] + count - 1 + p.arrival; };
  auto signal = [&](uint32_t node, unsigned semaphore, uint64_t cycle, uint32_t amount) {
    brought[host.ownerOf(node)].signals.push_back(
        {cycle, amount, static_cast<uint16_t>(node), static_cast<uint16_t>(semaphore)});
    nextBrought = std::min(nextBrought, cycle);
    if (node == x.from)
      next = std::min(next, cycle);
  };
  switch (x.kind) {
  case Transfer::Kind::Push:
    if (last && x.signalsFar) {
      size_t receiver = 0;
      m.topology.forReceivers(x.path, [&](uint32_t n) {
        if (checks)
          checks->announces(x, n, false, shows(receiver));
        signal(n, x.farSemaphore, shows(receiver++), x.farAmount);
      });
    }
    break;
  case Transfer::Kind::Ask:
    x.number = train.number;
    next = std::min(next, startAnswer(x, timing.firstWrite[0]));
    break;
  case Transfer::Kind::Answer:
    answerGoes(x.from, train.issue);
    x.leave(count);
    if (last) {
      if (checks && x.signalsOwn)
        checks->announces(x, x.asker, true, shows(0));
      if (checks && x.signalsFar)
        checks->announces(x, x.from, false, left + p.signalLatency);
      if (x.signalsOwn)
        signal(x.asker, x.ownSemaphore, shows(0), 1);
      if (x.signalsFar)
        signal(x.from, x.farSemaphore, left + p.signalLatency, 1);
      endedAnswers.push_back(&x);
    } else {
      WaitingTrain rest = train;
      rest.issue = left;
      trains.push(rest);
      answerWaits(x.from, left);
    }
    break;
  }
  if (checks && last)
    checks->ends(x);
  if (x.kind != Transfer::Kind::Answer)
    brought[host.ownerOf(x.from)].left.push_back(
        {follows ? then : left, static_cast<uint16_t>(x.from), static_cast<uint8_t>(train.thread()),
         static_cast<uint8_t>(count), follows});
  return next;
}

//===----------------------------------------------------------------------===//
// Pulls
//===----------------------------------------------------------------------===//

void Run::answerWaits(uint32_t node, uint64_t issue) {
  answersAt[node].insert(issue);
  m.nodes[node]->answersFrom = *answersAt[node].begin();
}

void Run::answerGoes(uint32_t node, uint64_t issue) {
  answersAt[node].erase(answersAt[node].find(issue));
  m.nodes[node]->answersFrom = answersAt[node].empty() ? never : *answersAt[node].begin();
}

// Returns its issue cycle.
uint64_t Run::startAnswer(const Transfer &ask, uint64_t arrival) {
  if (spareAnswers.empty()) {
    answers.push_back(std::make_unique<Transfer>());
    spareAnswers.push_back(answers.back().get());
  }
  Transfer &answer = *spareAnswers.back();
  spareAnswers.pop_back();
  std::string error;
  Path path;
  if (!m.topology.pathTo(ask.to, ask.asker, path, error)) {
    Node &asker = *m.nodes[ask.asker];
    asker.raise(FaultClass::BadDestination, &asker.threads[ask.askerThread], arrival,
                "the answer to a pull: " + error);
    noteFaults();
    refresh(ask.asker);
    return never;
  }
  answer = ask;
  answer.path = path;
  answer.kind = Transfer::Kind::Answer;
  answer.from = ask.to;
  answer.to = ask.asker;
  if (checks)
    checks->asked(ask, answer);
  answer.packetsLeft = std::max<uint64_t>(1, countPackets(ask.runs, p.packetBytes));
  answer.packetsSent = 0;
  uint64_t issue = arrival + p.pullAnswer;
  trains.push(
      {issue, answer.from, numThreads + answer.askerThread, answer.asker, answer.number, &answer});
  answerWaits(answer.from, issue);
  return issue;
}

} // namespace dojo::emu
