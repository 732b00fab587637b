// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Execution without timing: a thread runs until it has to wait. Cycle numbers below mean nothing
// but 'already' and 'not yet'.
#include "Checks.h"

namespace dojo::emu {

bool Node::runFunctional() {
  clearRegisters();
  bool any = false, again = true;
  while (again && !fault) {
    again = false;
    for (Thread &t : threads)
      again |= runThreadFunctional(t);
    any |= again;
  }
  return any;
}

bool Node::runThreadFunctional(Thread &t) {
  bool any = false;
  while (true) {
    if (t.state == ThreadState::Waiting && t.pass != never)
      finishWait(t);
    else if (t.state != ThreadState::Ready)
      return any;
    else if (t.inList)
      stepList(t);
    else if (!setup.fast || captureBytes || t.predicated || !runFastFunctional(t))
      stepFunctional(t);
    any = true;
  }
}

void Node::stepFunctional(Thread &t) {
  if (!fetch(t, 0))
    return;
  const Op &op = *t.op;
  if (++functionalSteps[t.index] > setup.watchdog) {
    raise(FaultClass::Watchdog, &t, 0,
          "still running after " + std::to_string(setup.watchdog) + " instructions");
    return;
  }
  if (op.state == OpState::Undefined) {
    raise(FaultClass::UndefinedInstruction, &t, 0, "the bytes are no instruction");
    return;
  }
  if (t.predicated) {
    --t.predicated;
    if (t.skip) {
      advancePc(t, op);
      return;
    }
  }
  captureAt(t, 0);
  context.r = &t.registers;
  context.pc = t.pc;
  if (op.control != ControlKind::None) {
    issueControl(t, op, 0);
    return;
  }
  uint64_t extra[2];
  if (!execute(t, op, 0, extra))
    return;
  record(t, op, 0);
  advancePc(t, op);
}

} // namespace dojo::emu
