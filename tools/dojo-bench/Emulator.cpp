// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Emulator.h"

#include "HostKernels.h"
#include "Programs.h"
#include "RandomInputs.h"

#include <benchmark/benchmark.h>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>

namespace dojo::bench {
namespace {

class Stopwatch {
public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

private:
  const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
};

// Keeps the best rate of each of the host's kernels.
class Collector final : public benchmark::BenchmarkReporter {
public:
  bool ReportContext(const Context &) override { return true; }
  void ReportRuns(const std::vector<Run> &runs) override {
    for (const Run &run : runs) {
      if (run.run_type != Run::RT_Iteration || run.error_occurred)
        continue;
      auto rate = run.counters.find("units");
      if (rate != run.counters.end())
        rates[{run.run_name.function_name, run.threads}] =
            std::max(rates[{run.run_name.function_name, run.threads}], double(rate->second));
    }
  }
  std::map<std::pair<std::string, int64_t>, double> rates;
};

// What is timed by itself, of kernels and of runs alike: the fastest counts, for others may use the
// host. A run of the tool's own programs takes as long as a batch of a kernel's, and a round has as
// many of one as of the other.
constexpr double batchSeconds = 0.01;
constexpr double roundSeconds = 0.25;

using Make = std::unique_ptr<HostKernel> (*)();

void registerKernel(const char *name, Make make) {
  auto body = [make](benchmark::State &state) {
    std::unique_ptr<HostKernel> kernel = make();
    double best = 0;
    for (auto _ : state) {
      Stopwatch batch;
      uint64_t units = 0;
      double seconds = 0;
      while (seconds < batchSeconds) {
        units += kernel->run();
        seconds = batch.seconds();
      }
      best = std::max(best, double(units) / seconds);
    }
    state.counters["units"] = benchmark::Counter(best); // of all threads
  };
  benchmark::RegisterBenchmark(name, body)
      ->Threads(1)
      ->Threads(2)
      ->Iterations(int64_t(roundSeconds / batchSeconds))
      ->UseRealTime();
}

struct Subject {
  std::string name;
  std::unique_ptr<Runtime> runtime;
  int64_t runs = 0; // in a round, of each setting; 0: not counted yet
};

emu::RunOptions runOptions(const EmulatorOptions &options, const Subject &subject, unsigned threads,
                           bool timing) {
  emu::RunOptions run;
  run.engine = options.plain ? emu::Engine::Plain : emu::Engine::Fast;
  run.threads = threads;
  run.timing = timing;
  run.watchdog = subject.runtime->watchdog();
  return run;
}

// After a run that makes what later ones find.
bool countRuns(const EmulatorOptions &options, Subject &subject, std::string &error) {
  emu::RunOptions run = runOptions(options, subject, 1, true);
  double seconds = 0;
  for (int i = 0; i < 2; ++i) {
    Stopwatch stopwatch;
    if (subject.runtime->run(run, error) != Runtime::Status::Ok)
      return false;
    seconds = stopwatch.seconds();
  }
  subject.runs = std::max<int64_t>(1, std::llround(roundSeconds / seconds));
  return true;
}

bool load(const EmulatorOptions &options, std::vector<Subject> &subjects, std::string &error) {
  for (const std::string &path : options.images) {
    Subject s{imageName(path), Runtime::load(path, error)};
    if (!s.runtime || !setRandomInputs(*s.runtime, error))
      return false;
    subjects.push_back(std::move(s));
  }
  for (const std::string &name : programNames()) {
    Subject s{name, Runtime::create(name == "fused-loop" ? fusedLoop() : mixedCode(), error)};
    if (!s.runtime)
      return false;
    subjects.push_back(std::move(s));
  }
  return true;
}

} // namespace

std::string settingName(const std::string &name, unsigned threads, bool timing) {
  return name + "/threads:" + std::to_string(threads) + (timing ? "/timing:on" : "/timing:off");
}

std::vector<std::string> programNames() { return {"fused-loop", "mixed-code"}; }

std::string imageName(const std::string &path) {
  std::string name = std::filesystem::path(path).filename().string();
  return name.substr(0, name.find('.'));
}

double Measured::floor(const HostRates &host) const {
  unsigned i = threads > 1;
  return double(counters.matrixSteps) / host.matrixSteps[i] +
         double(counters.instructions - counters.matrixSteps) / host.instructions[i] +
         double(counters.packets) / host.packets[i];
}

const Measured *Results::find(const std::string &name, unsigned threads, bool timing) const {
  for (const Measured &m : runs)
    if (m.name == name && m.threads == threads && m.timing == timing)
      return &m;
  return nullptr;
}

double Results::seconds(const std::string &name, unsigned threads, bool timing) const {
  const Measured *m = find(name, threads, timing);
  return m ? m->seconds : 0;
}

bool measureEmulator(const EmulatorOptions &options, Results &out, std::string &error) {
  std::vector<Subject> subjects;
  if (!load(options, subjects, error))
    return false;

  benchmark::ClearRegisteredBenchmarks();
  registerKernel("matrix", matrixKernel);
  registerKernel("instruction", instructionKernel);
  registerKernel("packet", packetKernel);
  std::map<std::string, Measured> measured;
  for (Subject &subject : subjects)
    for (unsigned threads : {1u, 2u})
      for (bool timing : {true, false}) {
        std::string name = settingName(subject.name, threads, timing);
        if (!options.only.empty() && !options.only.count(name))
          continue;
        if (subject.runs == 0 && !countRuns(options, subject, error))
          return false;
        Measured &m = measured[name];
        m.name = subject.name;
        m.threads = threads;
        m.timing = timing;
        m.seconds = std::numeric_limits<double>::infinity();
        auto body = [&m, &error, &options, &subject](benchmark::State &state) {
          emu::RunOptions run = runOptions(options, subject, m.threads, m.timing);
          for (auto _ : state) {
            Stopwatch stopwatch;
            if (subject.runtime->run(run, error) != Runtime::Status::Ok) {
              state.SkipWithError(error.c_str());
              break;
            }
            m.seconds = std::min(m.seconds, stopwatch.seconds());
          }
          m.counters = subject.runtime->counters();
        };
        benchmark::RegisterBenchmark(name.c_str(), body)->Iterations(subject.runs)->UseRealTime();
      }

  // In rounds: what is compared is measured in the same times, busy and quiet ones.
  Collector collector;
  for (unsigned round = 0; round < options.repetitions; ++round) {
    double trip = roundTripSeconds();
    out.host.leastRoundTrip = round ? std::min(out.host.leastRoundTrip, trip) : trip;
    out.host.mostRoundTrip = round ? std::max(out.host.mostRoundTrip, trip) : trip;
    benchmark::RunSpecifiedBenchmarks(&collector);
    if (!error.empty())
      return false;
    std::fprintf(stderr, "dojo-bench: measured %u of %u times\n", round + 1, options.repetitions);
  }
  out.runs.clear();
  out.hostKernel = matrixKernelName();
  for (int i : {0, 1}) {
    out.host.matrixSteps[i] = collector.rates[{"matrix", i + 1}];
    out.host.instructions[i] = collector.rates[{"instruction", i + 1}];
    out.host.packets[i] = collector.rates[{"packet", i + 1}];
  }
  for (auto &[name, m] : measured)
    out.runs.push_back(m);
  return true;
}

} // namespace dojo::bench
