// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "HostThreads.h"

namespace dojo::emu {
namespace {
// Loops follow each other within microseconds; sleeping in between would cost more than they do.
constexpr unsigned spins = 4000;

// Leaves the core's units to the other hardware thread for some ten cycles.
void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}
} // namespace

constexpr unsigned delay=10;
HostThreads::HostThreads(unsigned threads, std::function<bool()> idle)
    : queues(threads), idle(std::move(idle)), workers(threads - 1) {
  for (unsigned i = 1; i < threads; ++i)
    workers[i - 1].thread = std::thread([this, i] { work(i); });
}

HostThreads::~HostThreads() {
  loop = nullptr;
  for (Worker &worker : workers) {
    worker.state = Called;
    worker.state.notify_one();
    worker.thread.join();
  }
}

void HostThreads::share(unsigned thread) {
  for (unsigned k = 0; k < count(); ++k) {
    unsigned owner = (thread + k) % count();
    Queue &queue = queues[owner];
    if (k)
      for (unsigned i = 0; i < delay && queue.next.load() < queue.count; ++i)
        pause();
    if (queue.next.load() >= queue.count)
      continue;
    for (size_t i = queue.next.fetch_add(1); i < queue.count; i = queue.next.fetch_add(1))
      (*loop)(owner, i, thread);
  }
}

void HostThreads::work(unsigned thread) {
  std::atomic<unsigned> &state = workers[thread - 1].state;
  while (true) {
    for (unsigned i = 0; state.load(std::memory_order_relaxed) == Idle; ++i) {
      if (idle())
        i = 0;
      else
        pause();
      unsigned expected = Idle;
      if (i == spins && state.compare_exchange_strong(expected, Asleep))
        state.wait(Asleep);
    }
    unsigned expected = Called;
    if (!state.compare_exchange_strong(expected, Working))
      continue;
    if (!loop)
      return;
    share(thread);
    state = Idle;
  }
}

void HostThreads::run(size_t items, const Body &body) {
  if (workers.empty() || items < 2) {
    for (unsigned owner = 0; owner < count(); ++owner)
      for (size_t i = 0; i < queues[owner].count; ++i)
        body(owner, i, 0);
    return;
  }
  loop = &body;
  for (Queue &queue : queues)
    queue.next = 0;
  for (Worker &worker : workers)
    if (worker.state.exchange(Called) == Asleep)
      worker.state.notify_one();
  share(0);
  // Who has not come until now need not come any more.
  for (Worker &worker : workers) {
    unsigned expected = Called;
    if (!worker.state.compare_exchange_strong(expected, Idle))
      for (unsigned i = 0; worker.state.load() == Working; ++i)
        if (i < spins)
          pause();
        else
          std::this_thread::yield();
  }
}

} // namespace dojo::emu
