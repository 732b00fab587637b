// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mistakes that are made in what nodes send to each other.
#include "Program.h"

#include <algorithm>

namespace dojo::emu {

using isa::Descriptor;
using Kind = Descriptor::Kind;

void Program::makeMistake() {
  uint32_t node = traffic->nodes[engine() % traffic->nodes.size()];
  unsigned round = static_cast<unsigned>(below(static_cast<int>(shape.rounds)));
  unsigned thread = static_cast<unsigned>(below(static_cast<int>(shape.threads)));
  unsigned sends = shape.sender ? shape.threads : thread;
  std::vector<Descriptor> &list = traffic->lists[{node, round, sends}];
  Descriptor push;
  push.kind = Kind::Push;
  push.node = static_cast<uint16_t>(traffic->nodes[engine() % traffic->nodes.size()]);
  push.localAddress = layout::slot(round, thread);
  push.remoteAddress = layout::inbox(round, thread);
  push.runBytes = 64;
  auto add = [&](const Descriptor &d) {
    list.insert(list.begin() + below(static_cast<int>(list.size()) + 1), d);
  };
  switch (mistake) {
  case Mistake::Missing:
    ++traffic->arrivals[{node, round, thread}];
    return;
  case Mistake::Overflow: {
    Descriptor signal;
    signal.kind = Kind::Signal;
    signal.node = push.node;
    signal.hasFarSemaphore = true;
    signal.farSemaphore = 253;
    signal.amount = 0xFFFF;
    add(signal);
    add(signal);
    return;
  }
  case Mistake::Descriptor:
    brokenAt = {node, layout::list(round, sends) +
                          static_cast<uint32_t>(below(static_cast<int>(list.size()) + 1)) * 64};
    return;
  case Mistake::Destination:
    push.node = static_cast<uint16_t>(below(2) ? 0xFFF : target.rows * target.columns - 1);
    if (target.isUsable(push.node))
      push.node = 0xFFF;
    add(push);
    return;
  case Mistake::CodeWrite:
    push.remoteAddress = layout::code(0) + 64;
    add(push);
    return;
  case Mistake::OutOfRange:
    push.remoteAddress = static_cast<uint32_t>(target.sramBytes) - 32;
    add(push);
    return;
  default:
    return;
  }
}

} // namespace dojo::emu
