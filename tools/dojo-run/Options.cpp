// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <functional>

namespace dojo::run {

const char *const helpText =
    R"(usage: dojo-run IMAGE.d1 --input NAME=FILE.npy|NAME=random:SEED ... [options]

Runs a compiled image on the emulated die.

  --input NAME=FILE.npy      an input; a file with one more leading dimension than the model's runs
                             the image once per slice and stacks the outputs
  --input NAME=random:SEED   standard normal values; integers 0 to 9; booleans even
  --output-dir DIR           write each output to DIR/NAME.npy, characters outside A-Za-z0-9._-
                             replaced by _
  --expect NAME=FILE.npy     compare an output: exactly, or with
    --rtol X --atol X          |output - expected| <= atol + rtol * |expected| for each element
    --max-rel-l2 X             ||output - expected|| <= X * ||expected||
  --stats FILE.json          write counters and the layer table
    --stats-nodes on|off       and what each node and thread did (default: off)
  --trace FILE               write a trace for ui.perfetto.dev, also if the run stops with a fault
    --trace-nodes LIST         of these nodes alone: numbers, ranges, and boxes from row:column to
                               row:column, as in 0,20-25,1:2-3:8
    --trace-bytes N            the trace ends before it has more (default: 256 MiB)
  --check memory|races       report reads of bytes that were never written, or accesses to the same
                             bytes that no semaphore orders, then status 4; memory,races for both
  --until CYCLE              stop after this cycle and say where the threads are; no outputs
  --break [LIST@]PLACE       stop before an instruction issues, on any node or those of LIST, and say
                             where the threads are; PLACE: an address, a symbol of dojo-objdump,
                             SYMBOL+BYTES, "layer N", or the name of a layer or ONNX node: where its
                             code begins; may be given several times
  --debug                    take commands from the standard input: break points, steps, registers,
                             memory (docs/debugging.md; 'help' lists them)
  --snapshot FILE            write the machine's state where the run stops, or
    --snapshot-every CYCLES    again and again while it goes on, FILE replaced each time
  --resume FILE              go on with the run of a snapshot, to the same end; it holds the inputs
  --dump-registers LIST      print threads and registers of nodes as the run leaves them, also
                             after --until or a fault; LIST as for --trace-nodes
  --dump-memory NODE:ADDRESS:BYTES  print bytes of a node; may be given several times
  --threads N                host threads (default: all); any number gives the same results
  --engine fast|plain        plain: the reference, one instruction at a time; the results are the
                             same (default: fast)
  --timing on|off            off: function only, no cycles (default: on)
  --jitter SEED              delay trains and thread starts at random
  --max-cycles N             a run that takes more is a fault; default: 20 million and 100 times the
                             compiler's estimate, 2 billion if data decide how often layers run
  --help                     this text

Status: 0 ok, 1 usage, 3 image or input is bad, 4 fault on the machine, 5 outputs differ.
)";

namespace {

// Less has no room for the layers of a long model.
constexpr uint64_t minTraceBytes = 1 << 20;

bool split(const std::string &text, Binding &out) {
  size_t at = text.rfind('=');
  if (at == text.npos)
    return false;
  out = {text.substr(0, at), text.substr(at + 1)};
  return true;
}

bool parseCount(const std::string &text, uint64_t &out) {
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  return code == std::errc() && end == text.data() + text.size();
}

bool parseTolerance(const std::string &text, std::optional<double> &out) {
  char *end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end || !std::isfinite(value) || value < 0)
    return false;
  out = value;
  return true;
}

} // namespace

bool parseOptions(const std::vector<std::string> &arguments, Options &out, std::string &error) {
  auto fail = [&](const std::string &what) {
    error = what;
    return false;
  };
  auto bind = [&](const std::string &option, const std::string &value, std::vector<Binding> &list) {
    Binding binding;
    if (!split(value, binding))
      return fail(option + " needs NAME=FILE, not '" + value + "'");
    for (const Binding &other : list)
      if (other.name == binding.name)
        return fail(option + " is given twice for '" + binding.name + "'");
    list.push_back(std::move(binding));
    return true;
  };

  bool traceBytesGiven = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string option = arguments[i];
    if (option == "--help" || option == "-h") {
      out.help = true;
      return true;
    }
    if (option == "--debug") {
      out.debug = true;
      continue;
    }
    if (option.empty() || option[0] != '-') {
      if (!out.image.empty())
        return fail("there are two images: '" + out.image + "' and '" + option + "'");
      out.image = option;
      continue;
    }

    static const char *const known[] = {
        "--input",          "--output-dir", "--expect",         "--rtol",        "--atol",
        "--max-rel-l2",     "--stats",      "--threads",        "--engine",      "--timing",
        "--jitter",         "--max-cycles", "--trace",          "--trace-nodes", "--trace-bytes",
        "--stats-nodes",    "--until",      "--dump-registers", "--dump-memory", "--snapshot",
        "--snapshot-every", "--resume",     "--check",          "--break"};
    // --option=value as well as --option value.
    std::string value;
    bool haveValue = false, isKnown = false;
    if (size_t at = option.find('='); at != option.npos) {
      value = option.substr(at + 1);
      option.resize(at);
      haveValue = true;
    }
    for (const char *name : known)
      isKnown |= option == name;
    if (!isKnown)
      return fail("unknown option '" + arguments[i] + "'");
    if (!haveValue) {
      if (i + 1 == arguments.size())
        return fail(option + " needs a value");
      value = arguments[++i];
    }

    uint64_t count = 0;
    if (option == "--input" || option == "--expect") {
      if (!bind(option, value, option == "--input" ? out.inputs : out.expected))
        return false;
    } else if (option == "--output-dir" || option == "--stats" || option == "--trace") {
      if (value.empty())
        return fail(option + " needs a path");
      (option == "--stats" ? out.stats : option == "--trace" ? out.trace : out.outputDir) = value;
    } else if (option == "--snapshot" || option == "--resume") {
      if (value.empty())
        return fail(option + " needs a path");
      (option == "--resume" ? out.resume : out.snapshot) = value;
    } else if (option == "--rtol" || option == "--atol" || option == "--max-rel-l2") {
      if (!parseTolerance(value, option == "--rtol"   ? out.rtol
                                 : option == "--atol" ? out.atol
                                                      : out.maxRelL2))
        return fail(option + " needs a number that is not negative, not '" + value + "'");
    } else if (option == "--threads") {
      if (!parseCount(value, count) || count < 1 || count > 1024)
        return fail("--threads needs a number from 1 to 1024, not '" + value + "'");
      out.threads = unsigned(count);
    } else if (option == "--engine") {
      if (value != "fast" && value != "plain")
        return fail("--engine needs fast or plain, not '" + value + "'");
      out.plain = value == "plain";
    } else if (option == "--timing") {
      if (value != "on" && value != "off")
        return fail("--timing needs on or off, not '" + value + "'");
      out.timing = value == "on";
    } else if (option == "--stats-nodes") {
      if (value != "on" && value != "off")
        return fail("--stats-nodes needs on or off, not '" + value + "'");
      out.statsNodes = value == "on";
    } else if (option == "--trace-nodes") {
      if (value.empty())
        return fail("--trace-nodes needs a list of nodes");
      out.traceNodes = value;
    } else if (option == "--dump-registers") {
      if (value.empty())
        return fail("--dump-registers needs a list of nodes");
      out.dumpRegisters = value;
    } else if (option == "--break") {
      if (value.empty())
        return fail("--break needs a place");
      out.breaks.push_back(value);
    } else if (option == "--dump-memory") {
      out.dumpMemory.push_back(value);
    } else if (option == "--check") {
      for (size_t at = 0; at <= value.size();) {
        size_t comma = std::min(value.find(',', at), value.size());
        std::string check = value.substr(at, comma - at);
        if (check != "memory" && check != "races")
          return fail("--check needs memory, races or both, not '" + check + "'");
        (check == "memory" ? out.checks.memory : out.checks.races) = true;
        at = comma + 1;
      }
    } else if (option == "--until") {
      if (!parseCount(value, count) || count < 1)
        return fail("--until needs a cycle from 1 on, not '" + value + "'");
      out.until = count;
    } else if (option == "--snapshot-every") {
      if (!parseCount(value, count) || count < 1)
        return fail("--snapshot-every needs a number of cycles, not '" + value + "'");
      out.every = count;
    } else if (option == "--trace-bytes") {
      if (!parseCount(value, count) || count < minTraceBytes)
        return fail("--trace-bytes needs a number from " + std::to_string(minTraceBytes) +
                    " on, not '" + value + "'");
      out.traceBytes = count;
      traceBytesGiven = true;
    } else if (option == "--max-cycles") {
      if (!parseCount(value, count) || count < 1)
        return fail("--max-cycles needs a number from 1 on, not '" + value + "'");
      out.maxCycles = count;
    } else {
      if (!parseCount(value, count))
        return fail("--jitter needs a number, not '" + value + "'");
      out.jitter = count;
    }
  }

  if (out.image.empty())
    return fail("there is no image");
  if (out.expected.empty() && (out.rtol || out.atol || out.maxRelL2))
    return fail("a tolerance needs --expect");
  if (out.maxRelL2 && (out.rtol || out.atol))
    return fail("--max-rel-l2 does not go with --rtol and --atol");
  if (out.jitter && !out.timing)
    return fail("--jitter needs --timing on");
  if (!out.trace.empty() && !out.timing)
    return fail("--trace needs --timing on");
  if (out.debug && (!out.timing || out.until || !out.outputDir.empty() || !out.expected.empty() ||
                    !out.stats.empty() || !out.trace.empty() || !out.snapshot.empty() ||
                    out.checks.any() || !out.dumpRegisters.empty() || !out.dumpMemory.empty()))
    return fail("--debug needs --timing on and goes without --until, --output-dir, --expect, "
                "--stats, --trace, --check, --snapshot, --dump-registers and --dump-memory");
  if ((out.until || !out.breaks.empty()) &&
      (!out.timing || !out.outputDir.empty() || !out.expected.empty() || !out.stats.empty()))
    return fail((out.until ? "--until" : "--break") +
                std::string(" needs --timing on and goes without --output-dir, --expect and "
                            "--stats"));
  if (!out.snapshot.empty() && !out.until && !out.every && out.breaks.empty())
    return fail("--snapshot needs --until, --break or --snapshot-every");
  if (out.every && out.snapshot.empty())
    return fail("--snapshot-every needs --snapshot");
  if ((!out.snapshot.empty() || !out.resume.empty()) && !out.timing)
    return fail("--snapshot and --resume need --timing on");
  if (!out.resume.empty() && (!out.inputs.empty() || out.jitter))
    return fail("--resume goes without --input and --jitter: the snapshot has them");
  if (!out.resume.empty() && (!out.trace.empty() || out.statsNodes || out.checks.any()))
    return fail(
        "--resume goes without --trace, --stats-nodes and --check: they need the whole run");
  if (out.trace.empty() && (!out.traceNodes.empty() || traceBytesGiven))
    return fail("--trace-nodes and --trace-bytes need --trace");
  if (out.statsNodes && (out.stats.empty() || !out.timing))
    return fail("--stats-nodes needs --stats and --timing on");
  return true;
}

} // namespace dojo::run
