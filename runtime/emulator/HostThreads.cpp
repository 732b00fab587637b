// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "HostThreads.h"

#include <algorithm>

namespace dojo::emu {
namespace {
// Loops follow each other within microseconds; sleeping in between would cost more than they do.
constexpr unsigned spins = 4000;
// What another thread owns is in that thread's near cache: it is left some time to take it itself.
constexpr unsigned patience = 10;

// Leaves the core's units to the other hardware thread for some ten cycles.
void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// For the `i`th time: the thread that is waited for may have no core.
void waitALittle(unsigned i) {
  if (i < spins)
    pause();
  else
    std::this_thread::yield();
}
} // namespace

HostThreads::HostThreads(unsigned threads, std::function<bool()> idle)
    : queues(threads), idle(std::move(idle)), workers(threads - 1) {
  for (unsigned i = 1; i < threads; ++i)
    workers[i - 1].thread = std::thread([this, i] { work(i); });
}

HostThreads::~HostThreads() {
  body = nullptr;
  for (Worker &worker : workers) {
    worker.state = Called;
    worker.state.notify_one();
    worker.thread.join();
  }
}

void HostThreads::share(unsigned thread) {
  take(thread, thread);
  for (unsigned k = 1; k < count(); ++k) {
    unsigned owner = (thread + k) % count();
    for (unsigned i = 0; i < patience && queues[owner].isOpen(); ++i)
      pause();
    take(owner, thread);
  }
}

void HostThreads::take(unsigned owner, unsigned thread) {
  Queue &queue = queues[owner];
  unsigned expected = Queue::New;
  if (queue.state.compare_exchange_strong(expected, Queue::Preparing)) {
    queue.count = (*prepare)(owner, thread);
    queue.state = Queue::Ready;
  }
  for (unsigned i = 0; queue.state != Queue::Ready; ++i)
    waitALittle(i);
  while (queue.isOpen()) {
    // Each taking waits until what was written before is in the cache, so the owner takes a share
    // of what there is.
    size_t many = owner == thread ? 1 + (queue.count - queue.next) / 4 : 1;
    size_t i = queue.next.fetch_add(many);
    for (size_t end = std::min(queue.count, i + many); i < end; ++i)
      (*body)(owner, i, thread);
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
      if (i == spins && state.compare_exchange_strong(expected, Asleep)) {
        state.wait(Asleep);
        i = 0; // it may have come too late
      }
    }
    unsigned expected = Called;
    if (!state.compare_exchange_strong(expected, Working))
      continue;
    if (!body)
      return;
    share(thread);
    state = Idle;
  }
}

void HostThreads::forEach(const Prepare &newPrepare, const Body &newBody) {
  if (workers.empty()) {
    for (size_t i = 0, items = newPrepare(0, 0); i < items; ++i)
      newBody(0, i, 0);
    return;
  }
  prepare = &newPrepare;
  body = &newBody;
  for (Queue &queue : queues) {
    queue.next = 0;
    queue.state = Queue::New;
  }
  for (Worker &worker : workers)
    if (worker.state.exchange(Called) == Asleep)
      worker.state.notify_one();
  share(0);
  // Who has not come until now need not come any more.
  for (Worker &worker : workers) {
    unsigned expected = Called;
    if (worker.state.compare_exchange_strong(expected, Idle))
      continue;
    for (unsigned i = 0; worker.state == Working; ++i)
      waitALittle(i);
  }
}

} // namespace dojo::emu
