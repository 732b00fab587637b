# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A store that takes the estimate, against one that does not.
#
#: measures vector.estimate_latency
#: rule an estimate is ready so many cycles after its issue
#: each op = vrcpe ; vrsqrte ; vexp2e ; vlog2e
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
        {op}    v1, v20
        vst     v{source}, 0(x1), w32, m0
        halt
