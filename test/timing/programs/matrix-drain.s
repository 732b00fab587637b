# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A store that takes the drained quarter, against one that does not.
#
#: measures matrix.drain_latency
#: rule a drained quarter is ready so many cycles after the issue of the drain
#: each q = 0 ; 3
#: run taken source=1
#: run not_taken source=2
#: value taken - not_taken

.node   all
.org    0x800
data:   .space  64
.org    0
.thread 0
        li      x1, data
        vmov.x  v20, x1
        fill    acc0, {q}, v20
        drain   v1, acc0, {q}
        vst     v{source}, 0(x1), w32, m0
        halt
