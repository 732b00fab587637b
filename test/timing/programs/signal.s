# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A wait for the signal just given, against one that finds the signal before.
#
#: measures sync.signal_latency
#: rule a signal to an own semaphore shows so many cycles after its issue
#: run short loops=4
#: run long loops=20
#: run short_stocked loops=4 n=4
#: run long_stocked loops=20 n=4
#: value ((long - short) - (long_stocked - short_stocked)) / 16

.node   all
.thread 0
.repeat i {n}
        signal  s0
.endr
        li      x31, {loops}
top:    signal  s0
        wait    s0, 1
        loop    x31, top
        wait    s0, {n}
        halt
