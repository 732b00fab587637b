// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All nodes of a machine, and one run over them.
#ifndef DOJO_EMULATOR_DIE_H
#define DOJO_EMULATOR_DIE_H

#include "Copies.h"
#include "HostThreads.h"
#include "Node.h"
#include "TrainQueue.h"

#include <random>
#include <set>

namespace dojo::emu {

class RunChecks;
class RunProbe;

struct Die {
  Die(const Target &target, const Parameters &parameters);

  struct DestroyNode {
    void operator()(Node *node) const { node->~Node(); }
  };

  const Target target;
  const Parameters p;
  Topology topology;
  // All nodes' memory in one piece: the host gives pages when they are first written.
  std::unique_ptr<uint8_t[], void (*)(void *)> memory;
  // All nodes in one piece, too, in large pages if the host has them: a window touches some lines
  // of each.
  std::unique_ptr<void, void (*)(void *)> nodeMemory;
  std::vector<std::unique_ptr<Node, DestroyNode>> nodes; // by number; null: not usable
  size_t numLayers = 0; // one more than the greatest layer of the PC ranges

  // Kept from run to run. What host threads have found out about the timing of the code; the
  // threads themselves, who move trains' bytes when they have nothing else to do.
  std::vector<std::unique_ptr<TimingCache>> timings;
  std::unique_ptr<Copies> copies;
  std::unique_ptr<HostThreads> host;

  Node *node(uint32_t number) const {
    return number < nodes.size() ? nodes[number].get() : nullptr;
  }
  HostThreads &hostThreads(unsigned count);
  /// Finds Node::codeRanges where it is out of date.
  void divideCode();
};

class Run {
public:
  Run(Die &die, const RunOptions &options);
  ~Run();

  /// Does everything that happens in cycles up to `until`, and on no node anything after it. False
  /// once the run has ended, by itself or with a fault. With timing off it runs to its end.
  bool advance(uint64_t until);
  /// The cycle up to which everything has happened, after advance.
  uint64_t now() const { return reached; }
  void setStops(const StopConditions &conditions);
  /// Why advance did not get to `until`; in the order of cycles, nodes and threads.
  const std::vector<Stop> &stops() const { return hits; }

  /// What has happened so far; after the end, whether all was well.
  RunResult finish();

  /// Everything up to cycle `now` has happened.
  bool save(uint64_t now, std::vector<uint8_t> &out, std::string &error);
  static std::unique_ptr<Run> resume(Die &die, RunOptions options, std::span<const uint8_t> state,
                                     uint64_t &now, std::string &error);

private:
  /// What trains bring the nodes of one host thread, until it is delivered.
  struct alignas(64) Brought {
    struct Signal {
      uint64_t shows;
      uint32_t amount;
      uint16_t node, semaphore;
    };
    struct Left {     // the sender's injection port
      uint64_t cycle; // if another transfer follows, of its issue
      uint16_t node;
      uint8_t thread, packets;
      bool follows;
    };
    std::vector<Signal> signals;
    std::vector<Left> left;
  };
  /// What a host thread finds out in a window.
  struct alignas(64) Found {
    std::vector<WaitingTrain> trains;
    uint64_t next = never; // event of the nodes that it has looked at last
    bool faulted = false;  // one of them
  };

  template <class Archive> void archive(Archive &a);
  bool executeTimed(uint64_t until);
  bool runWindows(uint64_t until);
  void advanceNodes(uint64_t safe);
  size_t findDue(unsigned owner, unsigned thread, uint64_t safe);
  void mixOrder(unsigned owner);
  static void collectTrains(Node &node, std::vector<WaitingTrain> &found);
  void queueFound();
  uint64_t refresh(uint32_t node);
  void commitTrains(uint64_t safe);
  uint64_t commit(const WaitingTrain &train);
  void deliver(unsigned owner, Found &found);
  void commitPackets(const Transfer &transfer, uint64_t issue, unsigned packets);
  uint64_t startAnswer(const Transfer &ask, uint64_t arrival);
  void answerWaits(uint32_t node, uint64_t issue);
  void answerGoes(uint32_t node, uint64_t issue);

  void executeFunctional();
  void transferAtOnce(Transfer &transfer, Thread &thread, Node &node);

  /// Moves the bytes of the next `packets` packets to every receiver.
  void moveBytes(const Transfer &transfer, uint64_t packets, uint64_t issue);
  void raiseCodeWrite(const Transfer &transfer, uint64_t issue, uint32_t receiver, uint32_t byte);
  void noteTrain(const Transfer &transfer, uint64_t issue, unsigned packets);
  bool collectStops(uint64_t cycle);
  void noteFaults();
  void checkEnd();
  Fault describeDeadlock() const;
  void gatherCounters(RunResult &result) const;

  Die &m;
  const Parameters &p;
  RunOptions options;
  Copies &copies;
  HostThreads &host;
  Ports ports;
  std::vector<Node *> nodes;              // usable, ascending
  std::vector<Extent> code;               // by node number: hull of its code
  std::vector<uint64_t> ownEvent;         // by node number: Node::nextOwnEvent
  std::vector<std::vector<uint32_t>> own; // nodes' numbers by the host thread that owns them
  std::vector<std::vector<Node *>> due;   // of them, those that advance in this window
  TrainQueue trains;
  std::vector<WaitingTrain> ready; // of the window, in order
  std::vector<Brought> brought;    // by host thread
  std::vector<Found> found;        // by host thread
  uint64_t nextBrought = never;    // nothing that was brought shows before
  std::vector<std::unique_ptr<Transfer>> answers;
  std::vector<Transfer *> spareAnswers, endedAnswers; // the bytes of these may still be moved
  std::vector<std::multiset<uint64_t>> answersAt;     // issue cycles by node
  // Of the train that is being committed.
  WaitingTrain follower; // has no transfer if none follows
  TrainTiming timing;
  std::vector<uint32_t> receivers;
  uint64_t lastArrival = 0;
  uint64_t numTrains = 0, packets = 0, linkPackets = 0;
  bool ended = false;
  uint64_t reached = 0;
  bool stopping = false; // there are conditions to stop
  std::vector<Stop> hits;
  uint64_t horizon = never;                  // nothing happens after this cycle yet
  std::optional<Fault> fault;                // the earliest
  std::unique_ptr<RunProbe> probe;           // of a run that is watched
  std::unique_ptr<RunChecks> checks;         // of a run that is checked
  std::vector<std::mt19937_64> orderEngines; // by host thread; none: the order is as it comes
};

} // namespace dojo::emu

#endif
