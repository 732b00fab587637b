// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Host threads that share the items of short loops, one loop after another. Each thread has items
// of its own, so that what an item touches stays in the near cache of one core.
#ifndef DOJO_EMULATOR_HOSTTHREADS_H
#define DOJO_EMULATOR_HOSTTHREADS_H

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace dojo::emu {

class HostThreads {
public:
  /// `threads` threads work on a loop, the caller's among them. Between loops the others call
  /// `idle`, which says whether there was anything to do; when there is nothing for a while they
  /// sleep until the next loop.
  explicit HostThreads(unsigned threads, std::function<bool()> idle);
  ~HostThreads();
  HostThreads(const HostThreads &) = delete;
  HostThreads &operator=(const HostThreads &) = delete;

  unsigned count() const { return static_cast<unsigned>(queues.size()); }
  /// The thread that works on a node if it can. Nodes go by eights: what is kept of each in one
  /// word (its next event) is in a line of the host's cache that one thread writes.
  unsigned ownerOf(uint32_t node) const { return node / 8 % count(); }

  /// Calls prepare(owner, thread) once for every owner below count(), then body(owner, i, thread)
  /// once for every i below what it returned, in any order, and returns when all are done. Threads
  /// take what they own first, then what others have left.
  using Prepare = std::function<size_t(unsigned owner, unsigned thread)>;
  using Body = std::function<void(unsigned owner, size_t i, unsigned thread)>;
  void forEach(const Prepare &prepare, const Body &body);

private:
  struct alignas(64) Queue {
    enum State : unsigned { New, Preparing, Ready };
    std::atomic<unsigned> state{New};
    std::atomic<size_t> next{0}; // item
    size_t count = 0;            // once it is ready
    bool isOpen() const { return state != Ready || next < count; }
  };
  enum State : unsigned { Idle, Asleep, Called, Working };
  struct alignas(64) Worker {
    std::atomic<unsigned> state{Idle};
    std::thread thread;
  };
  void work(unsigned thread);
  void share(unsigned thread);
  void take(unsigned owner, unsigned thread);

  std::vector<Queue> queues; // by thread
  std::function<bool()> idle;
  std::vector<Worker> workers;
  const Prepare *prepare = nullptr;
  const Body *body = nullptr; // null: there are no more loops
};

} // namespace dojo::emu

#endif
