// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Emulator.h"

#include "HostKernels.h"
#include "Programs.h"
#include "RandomInputs.h"

#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <limits>

namespace dojo::bench {
namespace {

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

// Of many short trials the best counts, for others may use the host. Programs have as many as the
// kernels that they are compared with.
void setTrials(benchmark::internal::Benchmark *benchmark) {
  benchmark->MinTime(0.05)->Repetitions(4);
}

using Make = std::unique_ptr<HostKernel> (*)();

void registerKernel(const char *name, Make make) {
  auto body = [make](benchmark::State &state) {
    std::unique_ptr<HostKernel> kernel = make();
    uint64_t units = 0;
    for (auto _ : state)
      units += kernel->run();
    state.counters["units"] = benchmark::Counter(double(units), benchmark::Counter::kIsRate);
  };
  setTrials(benchmark::RegisterBenchmark(name, body)->Threads(1)->Threads(2)->UseRealTime());
}

struct Subject {
  std::string name;
  std::unique_ptr<Runtime> runtime;
  bool program = false; // one of the tool's own
};

bool load(const EmulatorOptions &options, std::vector<Subject> &subjects, std::string &error) {
  for (const std::string &path : options.images) {
    Subject s{imageName(path), Runtime::load(path, error)};
    if (!s.runtime || !setRandomInputs(*s.runtime, error))
      return false;
    subjects.push_back(std::move(s));
  }
  for (const std::string &name : programNames()) {
    Subject s{name, Runtime::create(name == "fused-loop" ? fusedLoop() : mixedCode(), error), true};
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
        Measured &m = measured[name];
        m.name = subject.name;
        m.threads = threads;
        m.timing = timing;
        m.seconds = std::numeric_limits<double>::infinity();
        Runtime *runtime = subject.runtime.get();
        auto body = [&m, &error, &options, runtime](benchmark::State &state) {
          emu::RunOptions run;
          run.engine = options.plain ? emu::Engine::Plain : emu::Engine::Fast;
          run.threads = m.threads;
          run.timing = m.timing;
          run.watchdog = runtime->watchdog();
          for (auto _ : state) {
            auto begin = std::chrono::steady_clock::now();
            if (runtime->run(run, error) != Runtime::Status::Ok) {
              state.SkipWithError(error.c_str());
              break;
            }
            std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
            m.seconds = std::min(m.seconds, taken.count());
          }
          m.counters = runtime->counters();
        };
        auto *benchmark = benchmark::RegisterBenchmark(name.c_str(), body)->UseRealTime();
        if (subject.program)
          setTrials(benchmark);
        else
          benchmark->MinTime(0.5);
      }

  // In rounds: what is compared is measured in the same times, busy and quiet ones.
  Collector collector;
  for (unsigned round = 0; round < options.repetitions; ++round) {
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
