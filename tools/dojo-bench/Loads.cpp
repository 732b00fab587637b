// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What loading takes, and how much memory a process needs that loads an image and runs it.
#include "Emulator.h"
#include "RandomInputs.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dojo::bench {
namespace {

constexpr unsigned numLoads = 10; // of each image

bool loadAndRun(const EmulatorOptions &options, const std::string &path, std::string &error) {
  std::unique_ptr<Runtime> runtime = Runtime::load(path, error);
  if (!runtime || !setRandomInputs(*runtime, error))
    return false;
  emu::RunOptions run;
  run.engine = options.plain ? emu::Engine::Plain : emu::Engine::Fast;
  run.threads = 2;
  run.watchdog = runtime->watchdog();
  return runtime->run(run, error) == Runtime::Status::Ok;
}

// The child says what went wrong, if anything did, and ends.
bool peakMemory(const EmulatorOptions &options, const std::string &path, uint64_t &bytes,
                std::string &error) {
  int ends[2];
  pid_t child = pipe(ends) == 0 ? fork() : -1;
  if (child < 0) {
    error = std::string("cannot start a process: ") + std::strerror(errno);
    return false;
  }
  if (child == 0) {
    close(ends[0]);
    std::string problem;
    if (!loadAndRun(options, path, problem) && write(ends[1], problem.data(), problem.size()) < 0)
      _exit(2);
    _exit(problem.empty() ? 0 : 1);
  }
  close(ends[1]);
  char text[4096];
  ssize_t count;
  while ((count = read(ends[0], text, sizeof text)) > 0)
    error.append(text, size_t(count));
  close(ends[0]);
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    if (error.empty())
      error = path + ": the process that measured its memory did not end well";
    return false;
  }
  bytes = uint64_t(usage.ru_maxrss) * 1024;
  return true;
}

} // namespace

bool measureLoads(const EmulatorOptions &options, std::vector<Loaded> &out, std::string &error) {
  for (const std::string &path : options.images) {
    Loaded &l = out.emplace_back();
    l.name = imageName(path);
    if (!peakMemory(options, path, l.peakBytes, error))
      return false;
  }
  for (size_t i = 0; i < options.images.size(); ++i)
    for (unsigned load = 0; load < numLoads; ++load) {
      std::unique_ptr<Runtime> runtime = Runtime::load(options.images[i], error);
      if (!runtime)
        return false;
      const Runtime::Loading &loading = runtime->loading();
      Loaded &l = out[i];
      l.placedBytes = loading.placedBytes;
      l.seconds = load ? std::min(l.seconds, loading.seconds) : loading.seconds;
      l.placeSeconds = load ? std::min(l.placeSeconds, loading.placeSeconds) : loading.placeSeconds;
    }
  return true;
}

} // namespace dojo::bench
