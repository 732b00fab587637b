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

HostThreads::HostThreads(unsigned threads, std::function<bool()> idle)
    : queues(threads), idle(std::move(idle)) {
  for (unsigned i = 1; i < threads; ++i)
    workers.emplace_back([this, i] { work(i); });
}

HostThreads::~HostThreads() {
  stop = true;
  ++generation;
  generation.notify_all();
  for (std::thread &worker : workers)
    worker.join();
}

void HostThreads::share(unsigned thread) {
  for (unsigned k = 0; k < count(); ++k) {
    unsigned owner = (thread + k) % count();
    Queue &queue = queues[owner];
    for (size_t i = queue.next.fetch_add(1); i < queue.count; i = queue.next.fetch_add(1))
      (*loop)(owner, i, thread);
  }
}

void HostThreads::work(unsigned thread) {
  unsigned seen = 0;
  while (true) {
    unsigned now = generation.load();
    for (unsigned i = 0; now == seen && i < spins; ++i) {
      if (idle())
        i = 0;
      else
        pause();
      now = generation.load();
    }
    while (now == seen) {
      generation.wait(seen);
      now = generation.load();
    }
    seen = now;
    if (stop)
      return;
    {
      std::lock_guard lock(entry);
      if (!open)
        continue; // woke up too late
      ++joined;
    }
    share(thread);
    --joined;
  }
}

void HostThreads::run(size_t items, const Body &body) {
  if (workers.empty() || items < 2) {
    for (unsigned owner = 0; owner < count(); ++owner)
      for (size_t i = 0; i < queues[owner].count; ++i)
        body(owner, i, 0);
    return;
  }
  {
    std::lock_guard lock(entry);
    loop = &body;
    for (Queue &queue : queues)
      queue.next = 0;
    open = true;
  }
  ++generation;
  generation.notify_all();
  share(0);
  {
    std::lock_guard lock(entry);
    open = false;
  }
  for (unsigned i = 0; joined.load() != 0; ++i)
    if (i < spins)
      pause();
    else
      std::this_thread::yield();
}

} // namespace dojo::emu
