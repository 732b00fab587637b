// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-run --debug: commands that run, stop and show the machine. docs/debugging.md describes them.
// The same commands give the same text for any number of host threads.
#ifndef DOJO_TOOLS_DOJORUN_DEBUGGER_H
#define DOJO_TOOLS_DOJORUN_DEBUGGER_H

#include "Execution.h"

#include <functional>
#include <istream>
#include <map>

namespace dojo::run {

class Debugger {
public:
  /// `runtime` and the others outlive it.
  Debugger(Runtime &runtime, const Options &options, const BoundInputs &inputs);

  /// Starts the run and takes commands, one a line, until `quit` or the end of the input; what they
  /// print goes to the standard output. With `echo` commands are printed, too. Usage if a command
  /// was wrong, else Ok, also after a fault of the machine.
  Status debug(std::istream &in, bool echo);

private:
  using Words = std::vector<std::string>;
  struct Command {
    const char *name, *arguments, *help;
    bool (Debugger::*run)(const Words &);
  };
  static const Command commands[];
  struct Breakpoint {
    std::string text;
    std::vector<emu::Breakpoint> places;
  };
  struct Watchpoint {
    emu::Watchpoint range;
    std::vector<uint8_t> before;
  };

  // Commands: false with `error`.
  bool breakCommand(const Words &words);
  bool watchCommand(const Words &words);
  bool deleteCommand(const Words &words);
  bool infoCommand(const Words &words);
  bool runCommand(const Words &words);
  bool continueCommand(const Words &words);
  bool stepCommand(const Words &words);
  bool nextCommand(const Words &words);
  bool threadCommand(const Words &words);
  bool threadsCommand(const Words &words);
  bool whereCommand(const Words &words);
  bool printCommand(const Words &words);
  bool registersCommand(const Words &words);
  bool examineCommand(const Words &words);
  bool disassembleCommand(const Words &words);
  bool semaphoresCommand(const Words &words);
  bool saveCommand(const Words &words);
  bool quitCommand(const Words &words);
  bool helpCommand(const Words &words);

  bool execute(const Words &words);
  const Command *findCommand(const std::string &name);
  bool fail(std::string text);
  bool start();
  bool advance(uint64_t cycle, std::optional<emu::Step> step = {});
  void showStop();
  void showWatches();
  bool takeNumber(const std::string &text, const char *what, uint64_t low, uint64_t high,
                  uint64_t &out);
  bool takeNode(const std::string &text, uint32_t &out);
  bool takeRange(const Words &words, uint32_t &node, uint32_t &address, uint32_t &bytes);
  void readWatch(Watchpoint &watch) const;
  void say(const std::string &text) const;

  Runtime &runtime;
  const image::Image &image;
  const Options &options;
  const BoundInputs &inputs;
  std::map<unsigned, Breakpoint> breakpoints; // by number
  std::map<unsigned, Watchpoint> watchpoints;
  unsigned lastNumber = 0;
  uint32_t node = 0; // the current thread's
  unsigned thread = 0;
  uint64_t now = 0;
  bool quits = false;
  std::string error;
};

} // namespace dojo::run

#endif
