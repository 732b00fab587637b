// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-soak: random programs on the emulator, each run in many ways that must agree.
#include "Outcome.h"

#include <charconv>
#include <cstdio>
#include <exception>

using namespace dojo;
using namespace dojo::emu;

namespace {

const char *const helpText =
    R"(usage: dojo-soak [options]

Runs random programs on parts of the die. The plain engine on one thread is the reference; the fast
engine, the host's instruction sets, any number of host threads, any order of nodes must agree with it
on faults, cycles, counters, registers and memory, with timing on, with timing off and with jitter. In
one program of eight, with --all in each, the check for races must find none, and one where one was
made.

  --programs N   how many (default: 100)
  --seed S       of the first one, the others follow (default: 1)
  --all          every combination of options; otherwise some, chosen by the seed
  --verbose      say what each program is
  --help         this text

Status: 0 all agree, 1 usage, 2 some do not.
)";

struct Options {
  uint64_t programs = 100, seed = 1;
  bool all = false, verbose = false;
};

bool parse(int argc, char **argv, Options &out) {
  for (int i = 1; i < argc; ++i) {
    std::string a = argv[i];
    if (a == "--all" || a == "--verbose") {
      (a == "--all" ? out.all : out.verbose) = true;
      continue;
    }
    if ((a != "--programs" && a != "--seed") || i + 1 == argc) {
      std::fprintf(stderr, "dojo-soak: error: unknown option or no value: '%s'\n", a.c_str());
      return false;
    }
    std::string value = argv[++i];
    uint64_t &number = a == "--seed" ? out.seed : out.programs;
    auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (code != std::errc() || end != value.data() + value.size()) {
      std::fprintf(stderr, "dojo-soak: error: %s needs a number, not '%s'\n", a.c_str(),
                   value.c_str());
      return false;
    }
  }
  return true;
}

struct Soak {
  Options options;
  uint64_t runs = 0, races = 0, failures = 0;
  std::map<std::string, uint64_t> ends; // by mistake and whether there was a fault

  void hold(uint64_t seed, const Program &program, const std::string &how,
            const std::string &difference) {
    if (difference.empty())
      return;
    ++failures;
    std::printf("seed %llu (%s), %s: %s\n", static_cast<unsigned long long>(seed),
                program.describe().c_str(), how.c_str(), difference.c_str());
    std::fflush(stdout);
  }

  // All ways to run a program with this timing and jitter, or some of them.
  std::vector<RunOptions> ways(const RunOptions &reference, std::mt19937 &choice) {
    std::vector<RunOptions> all;
    auto add = [&](Engine engine, std::optional<HostPath> path, unsigned threads) {
      RunOptions way = reference;
      way.engine = engine;
      way.hostPath = path;
      way.threads = threads;
      way.nodeOrderSeed = choice();
      way.tier = choice() % 4 ? Tier::Native : Tier(choice() % 2);
      all.push_back(way);
    };
    std::vector<HostPath> paths = supportedHostPaths();
    if (!options.all) {
      add(Engine::Fast, paths[choice() % paths.size()], 1);
      add(Engine::Fast, paths[choice() % paths.size()], 2 + choice() % 3);
      if (choice() % 2)
        add(Engine::Plain, std::nullopt, 2 + choice() % 3);
      all[0].nodeOrderSeed.reset();
      return all;
    }
    for (unsigned threads = 1; threads <= 4; ++threads) {
      add(Engine::Plain, std::nullopt, threads);
      for (HostPath path : paths)
        add(Engine::Fast, path, threads);
    }
    return all;
  }

  void one(uint64_t seed) {
    Program program(seed);
    if (options.verbose) {
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                  program.describe().c_str());
      std::fflush(stdout);
    }
    std::mt19937 choice(static_cast<uint32_t>(seed));
    RunOptions timed;
    timed.engine = Engine::Plain;
    Outcome first = run(program, timed);
    if (program.mistake == Mistake::None && !first.fault.empty())
      hold(seed, program, "a fault of a program without mistake", first.fault);
    ++ends[std::string(name(program.mistake)) + (first.fault.empty() ? "" : ", fault")];
    std::vector<RunOptions> references(2, timed);
    references[1].timing = false;
    if (options.all || choice() % 3 == 0) {
      references.push_back(timed);
      references[2].jitterSeed = seed;
    }
    for (size_t i = 0; i < references.size(); ++i) {
      Outcome other;
      if (i) {
        other = run(program, references[i]);
        ++runs;
        if (first.fault.empty() && program.mistake != Mistake::Watchdog)
          hold(seed, program, describe(references[i]) + " beside timing on",
               difference(first, other, false));
      }
      for (const RunOptions &way : ways(references[i], choice)) {
        ++runs;
        hold(seed, program, describe(way), difference(i ? other : first, run(program, way), true));
      }
    }
    // Nothing races; a check of that changes nothing. It takes as long as all the runs above.
    if (!options.all && choice() % 8)
      return;
    RunOptions checked = references[choice() % references.size()];
    checked.threads = 1 + choice() % 3;
    checked.checks.races = true;
    Outcome outcome = run(program, checked);
    ++runs;
    if (program.mistake != Mistake::Code)
      hold(seed, program, describe(checked) + ", checked", outcome.reports);
    if (checked.timing && !checked.jitterSeed)
      hold(seed, program, describe(checked) + ", checked", difference(first, outcome, true));
    // But where it does, the check says so.
    Program racing(seed, true);
    if (!racing.races)
      return;
    ++runs;
    if (!run(racing, checked).reports.empty())
      ++races;
    else
      hold(seed, racing, describe(checked) + ", checked", "no report of the race that was made");
    ++runs;
  }
};

} // namespace

int main(int argc, char **argv) {
  if (argc == 2 && (std::string(argv[1]) == "--help" || std::string(argv[1]) == "-h")) {
    std::fputs(helpText, stdout);
    return 0;
  }
  Soak soak;
  if (!parse(argc, argv, soak.options))
    return 1;
  uint64_t seed = soak.options.seed;
  try {
    for (; seed < soak.options.seed + soak.options.programs; ++seed)
      soak.one(seed);
  } catch (const std::exception &e) {
    std::fprintf(stderr, "dojo-soak: error: seed %llu: %s\n", static_cast<unsigned long long>(seed),
                 e.what());
    return 2;
  }
  std::printf("%llu programs in %llu runs, %llu differences\n",
              static_cast<unsigned long long>(soak.options.programs),
              static_cast<unsigned long long>(soak.runs),
              static_cast<unsigned long long>(soak.failures));
  std::printf("  %6llu races made and found\n", static_cast<unsigned long long>(soak.races));
  for (const auto &[end, count] : soak.ends)
    std::printf("  %6llu %s\n", static_cast<unsigned long long>(count), end.c_str());
  return soak.failures ? 2 : 0;
}
