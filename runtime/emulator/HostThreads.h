// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Host threads that share the items of short loops, one loop after another.
#ifndef DOJO_EMULATOR_HOSTTHREADS_H
#define DOJO_EMULATOR_HOSTTHREADS_H

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace dojo::emu {

class HostThreads {
public:
  /// `count` threads work on a loop, the caller's among them.
  explicit HostThreads(unsigned count);
  ~HostThreads();
  HostThreads(const HostThreads &) = delete;
  HostThreads &operator=(const HostThreads &) = delete;

  /// Calls body(i, thread) once for every i below `items`, in any order, on threads 0 to count - 1,
  /// and returns when all are done.
  void forEach(size_t items, const std::function<void(size_t, unsigned)> &body);

private:
  void work(unsigned thread);
  void share(unsigned thread);

  std::vector<std::thread> workers;
  std::atomic<unsigned> generation{0}; // of the loop
  std::atomic<bool> stop{false};
  std::mutex entry;                // guards `open` and joining the loop
  bool open = false;               // workers may still join
  std::atomic<unsigned> joined{0}; // workers in the loop
  std::atomic<size_t> next{0};     // item
  size_t count = 0;
  const std::function<void(size_t, unsigned)> *loop = nullptr;
};

} // namespace dojo::emu

#endif
