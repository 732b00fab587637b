// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Debugger.h"

#include "Dump.h"
#include "Inspect.h"
#include "NodeList.h"
#include "Symbols.h"

#include <cstdio>
#include <sstream>

namespace dojo::run {

Debugger::Debugger(Runtime &runtime, const Options &options, const BoundInputs &inputs)
    : runtime(runtime), image(runtime.image()), options(options), inputs(inputs),
      node(uint32_t(image.target.usableNodes().front())) {}

//===----------------------------------------------------------------------===//
// Commands from lines
//===----------------------------------------------------------------------===//

Status Debugger::debug(std::istream &in, bool echo) {
  bool good = true;
  if (!start()) {
    std::fprintf(stderr, "dojo-run: error: %s\n", error.c_str());
    return BadInput;
  }
  for (const std::string &place : options.breaks)
    if (!breakCommand({"break", place})) {
      std::fprintf(stderr, "dojo-run: error: --break %s: %s\n", place.c_str(), error.c_str());
      return Usage;
    }
  std::string line;
  while (!quits) {
    std::fputs("(dojo) ", stdout);
    std::fflush(stdout);
    bool more = bool(std::getline(in, line));
    if (!more || echo)
      say((more ? line : "") + "\n");
    if (!more)
      break;
    std::istringstream parts(line.substr(0, line.find('#')));
    Words words;
    for (std::string word; parts >> word;)
      words.push_back(word);
    if (!words.empty() && !execute(words)) {
      say("error: " + error + "\n");
      good = false;
    }
  }
  return good ? Ok : Usage;
}

const Debugger::Command *Debugger::findCommand(const std::string &name) {
  const Command *found = nullptr;
  for (const Command *c = commands; c->name; ++c) {
    if (name == c->name)
      return c;
    // The first of several that begin alike has the short form.
    if (!found && std::string(c->name).starts_with(name))
      found = c;
  }
  return found;
}

bool Debugger::execute(const Words &words) {
  const Command *command = findCommand(words[0]);
  if (!command)
    return fail("there is no command '" + words[0] + "'; 'help' lists them");
  return (this->*command->run)(words);
}

bool Debugger::fail(std::string text) {
  error = std::move(text);
  return false;
}

void Debugger::say(const std::string &text) const { std::fputs(text.c_str(), stdout); }

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

bool Debugger::takeNumber(const std::string &text, const char *what, uint64_t low, uint64_t high,
                          uint64_t &out) {
  if (parseNumber(text, out) && out >= low && out <= high)
    return true;
  return fail("'" + text + "' is no " + what + " from " + std::to_string(low) + " to " +
              std::to_string(high));
}

bool Debugger::takeNode(const std::string &text, uint32_t &out) {
  std::vector<uint32_t> nodes;
  if (!parseNodeList(text, image.target, nodes, error))
    return false;
  out = nodes.front();
  return nodes.size() == 1 || fail("'" + text + "' is more than one node");
}

// NODE ADDRESS BYTES
bool Debugger::takeRange(const Words &words, uint32_t &at, uint32_t &address, uint32_t &bytes) {
  auto sram = uint64_t(image.target.sramBytes);
  uint64_t first = 0, size = 0;
  if (words.size() < 4)
    return fail("'" + words[0] + "' needs NODE ADDRESS BYTES");
  if (!takeNode(words[1], at) || !takeNumber(words[2], "address", 0, sram - 1, first) ||
      !takeNumber(words[3], "number of bytes", 1, sram - first, size))
    return false;
  address = uint32_t(first);
  bytes = uint32_t(size);
  return true;
}

//===----------------------------------------------------------------------===//
// Where to stop
//===----------------------------------------------------------------------===//

bool Debugger::breakCommand(const Words &words) {
  if (words.size() < 2)
    return fail("'break' needs a place");
  std::string text = words[1];
  size_t next = 2;
  if (words[1].ends_with("layer") && words.size() > 2)
    text += " " + words[next++];
  int only = -1;
  if (next + 1 < words.size() && words[next] == "thread") {
    uint64_t number = 0;
    if (!takeNumber(words[next + 1], "thread", 0, uint64_t(image.target.threads) - 1, number))
      return false;
    only = int(number);
    next += 2;
  }
  if (next != words.size())
    return fail("'break' takes a place, and 'thread N' after it, not '" + words[next] + "'");
  Breakpoint b;
  b.text = text;
  if (!findPlaces(image, text, b.places, error))
    return false;
  unsigned number = ++lastNumber;
  for (emu::Breakpoint &place : b.places) {
    place.thread = only;
    place.number = number;
  }
  breakpoints[number] = std::move(b);
  return infoCommand({"info", std::to_string(number)});
}

void Debugger::readWatch(Watchpoint &watch) const {
  std::string ignored; // checked before
  watch.before.resize(std::min<uint32_t>(watch.range.bytes, 16));
  (void)runtime.machine().read(watch.range.node, watch.range.address, watch.before, ignored);
}

bool Debugger::watchCommand(const Words &words) {
  Watchpoint watch;
  if (words.size() > 4)
    return fail("'watch' takes NODE ADDRESS BYTES");
  if (!takeRange(words, watch.range.node, watch.range.address, watch.range.bytes))
    return false;
  watch.range.number = ++lastNumber;
  readWatch(watch);
  watchpoints[lastNumber] = watch;
  return infoCommand({"info", std::to_string(lastNumber)});
}

bool Debugger::deleteCommand(const Words &words) {
  if (words.size() < 2) {
    breakpoints.clear();
    watchpoints.clear();
    return true;
  }
  uint64_t number = 0;
  if (!parseNumber(words[1], number) ||
      (!breakpoints.erase(unsigned(number)) && !watchpoints.erase(unsigned(number))))
    return fail("there is no break or watch point '" + words[1] + "'");
  return true;
}

bool Debugger::infoCommand(const Words &words) {
  std::string only = words.size() > 1 ? words[1] : "";
  std::string text;
  for (const auto &[number, b] : breakpoints)
    if (only.empty() || only == std::to_string(number)) {
      text += "break point " + std::to_string(number) + ": " + b.text + "\n";
      for (const emu::Breakpoint &place : b.places)
        text += "  " + describePc(image, place.nodes.front(), place.pc) + " on " +
                std::to_string(place.nodes.size()) +
                (place.nodes.size() == 1 ? " node" : " nodes") +
                (place.thread < 0 ? "" : ", thread " + std::to_string(place.thread)) + "\n";
    }
  for (const auto &[number, w] : watchpoints)
    if (only.empty() || only == std::to_string(number))
      text += "watch point " + std::to_string(number) + ": " + std::to_string(w.range.bytes) +
              " bytes at address " + std::to_string(w.range.address) + " of node " +
              std::to_string(w.range.node) + "\n";
  say(text.empty() ? "no break or watch points\n" : text);
  return true;
}

//===----------------------------------------------------------------------===//
// Going on
//===----------------------------------------------------------------------===//

bool Debugger::start() {
  emu::RunOptions run = runOptions(runtime, options, nullptr);
  if (startRun(runtime, options, inputs, run, error) != Ok)
    return false;
  now = runtime.session()->now();
  for (auto &[number, watch] : watchpoints)
    readWatch(watch);
  return true;
}

void Debugger::showWatches() {
  for (const emu::Stop &stop : runtime.session()->stops()) {
    if (stop.kind != emu::Stop::Kind::Watchpoint)
      continue;
    Watchpoint &watch = watchpoints.at(stop.number);
    std::vector<uint8_t> before = watch.before;
    readWatch(watch);
    auto hex = [](const std::vector<uint8_t> &bytes) {
      std::string text;
      char digits[4];
      for (uint8_t byte : bytes) {
        std::snprintf(digits, sizeof digits, " %02x", byte);
        text += digits;
      }
      return text;
    };
    if (before != watch.before)
      say("  before:" + hex(before) + "\n  now:   " + hex(watch.before) + "\n");
  }
}

void Debugger::showStop() {
  const std::vector<emu::Stop> &stops = runtime.session()->stops();
  if (stops.empty()) {
    say("stopped after cycle " + std::to_string(now) + "\n");
    return;
  }
  say(describeStops(runtime, stops));
  showWatches();
  node = stops.front().threadNode;
  thread = stops.front().thread;
}

bool Debugger::advance(uint64_t cycle, std::optional<emu::Step> step) {
  if (!runtime.session())
    return fail("the run has ended; 'run' starts it again");
  emu::StopConditions conditions;
  for (const auto &[number, b] : breakpoints)
    conditions.breakpoints.insert(conditions.breakpoints.end(), b.places.begin(), b.places.end());
  for (const auto &[number, w] : watchpoints)
    conditions.watchpoints.push_back(w.range);
  conditions.step = step;
  runtime.session()->setStops(conditions);
  bool goesOn = runtime.session()->advanceTo(cycle);
  now = runtime.session()->now();
  if (goesOn) {
    showStop();
    return true;
  }
  std::string fault;
  Runtime::Status status = runtime.finish(fault);
  now = runtime.counters().cycles;
  say(status == Runtime::Status::Ok
          ? "the run has ended after " + std::to_string(runtime.counters().cycles) + " cycles\n"
          : fault + "\n");
  if (const auto &f = runtime.fault(); f && f->node >= 0) {
    node = uint32_t(f->node);
    thread = f->thread < 0 ? 0 : unsigned(f->thread);
  }
  return true;
}

bool Debugger::runCommand(const Words &) {
  if ((now > 0 || !runtime.session()) && !start())
    return false;
  return advance(~uint64_t(0));
}

bool Debugger::continueCommand(const Words &words) {
  uint64_t cycle = ~uint64_t(0);
  if (words.size() > 1 && !takeNumber(words[1], "cycle", now + 1, cycle - 1, cycle))
    return false;
  return advance(cycle);
}

bool Debugger::stepCommand(const Words &words) {
  uint64_t count = 1;
  if (words.size() > 1 && !takeNumber(words[1], "number of instructions", 1, 1u << 30, count))
    return false;
  if (runtime.session() &&
      runtime.machine().threadStatus(node, thread).place == emu::ThreadPlace::Ended)
    return fail(describeThread(image, node, thread) + " has ended or was not started");
  return advance(~uint64_t(0), emu::Step{node, thread, count});
}

bool Debugger::nextCommand(const Words &words) {
  uint64_t count = 1;
  if (words.size() > 1 && !takeNumber(words[1], "number of cycles", 1, 1ull << 40, count))
    return false;
  return advance(now + count);
}

bool Debugger::saveCommand(const Words &words) {
  if (words.size() != 2)
    return fail("'save' needs a file");
  if (!runtime.session())
    return fail("the run has ended; there is no state to save");
  if (!runtime.saveSnapshot(words[1], error))
    return false;
  say("saved cycle " + std::to_string(now) + " in '" + words[1] + "'\n");
  return true;
}

bool Debugger::quitCommand(const Words &) { return quits = true; }

} // namespace dojo::run
