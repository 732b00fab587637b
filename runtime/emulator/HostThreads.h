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
  /// The thread that works on a node if it can.
  unsigned ownerOf(uint32_t node) const { return node / 8 % count(); }

  /// Calls body(owner, i, thread) once for every owner below count() and i below items(owner), in
  /// any order, and returns when all are done. Threads take their own items first, then what others
  /// have left.
  using Body = std::function<void(unsigned owner, size_t i, unsigned thread)>;
  template <typename F> void forEach(F items, const Body &body) {
    size_t all = 0;
    for (unsigned owner = 0; owner < count(); ++owner)
      all += queues[owner].count = items(owner);
    run(all, body);
  }

private:
  struct alignas(64) Queue {
    std::atomic<size_t> next{0}; // item
    size_t count = 0;
  };
  enum State : unsigned { Idle, Asleep, Called, Working };
  struct alignas(64) Worker {
    std::atomic<unsigned> state{Idle};
    std::thread thread;
  };
  void run(size_t items, const Body &body);
  void work(unsigned thread);
  void share(unsigned thread);

  std::vector<Queue> queues; // by thread
  std::function<bool()> idle;
  std::vector<Worker> workers;
  const Body *loop = nullptr; // null: there are no more
};

} // namespace dojo::emu

#endif
