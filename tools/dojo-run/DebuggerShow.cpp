// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The debugger's commands that show things, and the table of all.
#include "Debugger.h"
#include "Dump.h"
#include "Inspect.h"
#include "NodeList.h"
#include "Symbols.h"

namespace dojo::run {

// Where short forms meet, the first in the table has it.
const Debugger::Command Debugger::commands[] = {
    {"break", "[LIST@]PLACE [thread T]",
     "stop before the instruction at PLACE issues: an address, SYMBOL, SYMBOL+BYTES,\n"
     "layer N, or an ONNX node; on nodes of LIST (0,20-25,1:2-3:8), else on all",
     &Debugger::breakCommand},
    {"continue", "[CYCLE]", "go on to the next stop, the end, or after this cycle",
     &Debugger::continueCommand},
    {"delete", "[N]", "delete a break or watch point, or all", &Debugger::deleteCommand},
    {"disassemble", "[PLACE]", "code around the current thread's instruction, or from PLACE on",
     &Debugger::disassembleCommand},
    {"examine", "NODE ADDRESS BYTES [bytes|i32|f32|bf16]", "memory of a node",
     &Debugger::examineCommand},
    {"x", "", nullptr, &Debugger::examineCommand},
    {"help", "", "this list", &Debugger::helpCommand},
    {"info", "[N]", "break and watch points", &Debugger::infoCommand},
    {"next", "[N]", "go on for a cycle, or N", &Debugger::nextCommand},
    {"print", "REGISTER...", "registers of the current thread: x0, v0, m0, acc0 of the node",
     &Debugger::printCommand},
    {"quit", "", "leave", &Debugger::quitCommand},
    {"run", "", "start, or start again", &Debugger::runCommand},
    {"registers", "[LIST]", "threads and registers that are not zero, of the node or of LIST",
     &Debugger::registersCommand},
    {"step", "[N]", "go on until the current thread is before its next instruction, or N further",
     &Debugger::stepCommand},
    {"semaphores", "[NODE]", "values, waiters and signals on their way",
     &Debugger::semaphoresCommand},
    {"save", "FILE", "write a snapshot", &Debugger::saveCommand},
    {"thread", "NODE [T]", "make a thread the current one", &Debugger::threadCommand},
    {"threads", "[LIST]", "where threads that have not ended are, of all nodes or of LIST",
     &Debugger::threadsCommand},
    {"until", "CYCLE", "as continue", &Debugger::continueCommand},
    {"watch", "NODE ADDRESS BYTES", "stop after a cycle in which these bytes are written",
     &Debugger::watchCommand},
    {"where", "", "the current thread's place: instruction, symbol, layer, ONNX node",
     &Debugger::whereCommand},
    {nullptr, nullptr, nullptr, nullptr},
};

bool Debugger::helpCommand(const Words &) {
  for (const Command *c = commands; c->name; ++c) {
    if (!c->help)
      continue;
    std::string head = std::string(c->name) + " " + c->arguments, help = c->help;
    head += head.size() > 24 ? "\n" + std::string(26, ' ') : std::string(26 - head.size(), ' ');
    for (size_t at = 0; (at = help.find('\n', at)) != help.npos; at += 27)
      help.replace(at, 1, "\n" + std::string(26, ' '));
    say(head + help + "\n");
  }
  say("A name may be cut short: b, c, d, e or x, h, i, n, p, q, r, s, t, u, w.\n");
  return true;
}

bool Debugger::threadCommand(const Words &words) {
  uint32_t newNode = node;
  uint64_t newThread = 0;
  if (words.size() < 2 || words.size() > 3)
    return fail("'thread' needs a node, and a thread if it is not 0");
  if (!takeNode(words[1], newNode) ||
      (words.size() > 2 &&
       !takeNumber(words[2], "thread", 0, uint64_t(image.target.threads) - 1, newThread)))
    return false;
  node = newNode;
  thread = unsigned(newThread);
  return whereCommand({});
}

bool Debugger::threadsCommand(const Words &words) {
  std::vector<uint32_t> nodes;
  if (words.size() > 1) {
    if (!parseNodeList(words[1], image.target, nodes, error))
      return false;
  } else {
    for (int64_t n : image.target.usableNodes())
      nodes.push_back(uint32_t(n));
  }
  for (uint32_t n : nodes)
    for (unsigned t = 0; t < unsigned(image.target.threads); ++t) {
      emu::ThreadStatus status = runtime.machine().threadStatus(n, t);
      if (status.place != emu::ThreadPlace::Ended)
        say((n == node && t == thread ? "* " : "  ") + describeThread(image, n, t) + ": " +
            describe(status) + ", " + describeLayer(image, status.layer) + "\n");
    }
  say(describeThreads(runtime));
  return true;
}

bool Debugger::whereCommand(const Words &) {
  say((runtime.session() ? "after cycle " : "ended after cycle ") + std::to_string(now) + ": " +
      describePlace(runtime, node, thread));
  return true;
}

bool Debugger::printCommand(const Words &words) {
  if (words.size() < 2)
    return fail("'print' needs a register");
  for (size_t i = 1; i < words.size(); ++i) {
    std::string text = describeRegister(runtime, node, thread, words[i]);
    if (text.empty())
      return fail("there is no register '" + words[i] +
                  "'; there are x0 to x31, v0 to v31, m0 to m7, acc0 to acc7");
    say(text);
  }
  return true;
}

bool Debugger::registersCommand(const Words &words) {
  std::vector<uint32_t> nodes = {node};
  if (words.size() > 1 && !parseNodeList(words[1], image.target, nodes, error))
    return false;
  std::string text;
  for (uint32_t n : nodes)
    dumpNode(runtime.machine(), n, unsigned(image.target.threads), text);
  say(text);
  return true;
}

bool Debugger::examineCommand(const Words &words) {
  uint32_t at = 0, address = 0, bytes = 0;
  if (!takeRange(words, at, address, bytes))
    return false;
  std::string text =
      describeMemory(runtime, at, address, bytes, words.size() > 4 ? words[4] : "bytes");
  if (text.empty())
    return fail("'" + words[4] + "' is none of bytes, i32, f32, bf16");
  say(text);
  return true;
}

bool Debugger::disassembleCommand(const Words &words) {
  if (words.size() == 1) {
    emu::ThreadStatus t = runtime.machine().threadStatus(node, thread);
    if (t.place == emu::ThreadPlace::Ended)
      return fail(describeThread(image, node, thread) + " has ended or was not started");
    say(disassembly(runtime, node, t.pc, 5, 10));
    return true;
  }
  std::string text = words[1];
  for (size_t i = 2; i < words.size(); ++i)
    text += " " + words[i];
  std::vector<emu::Breakpoint> places;
  if (!findPlaces(image, text, places, error))
    return false;
  say(disassembly(runtime, places.front().nodes.front(), places.front().pc, 0, 16));
  return true;
}

bool Debugger::semaphoresCommand(const Words &words) {
  uint32_t at = node;
  if (words.size() > 1 && !takeNode(words[1], at))
    return false;
  say(describeSemaphores(runtime, at, now));
  return true;
}

} // namespace dojo::run
