# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A store that takes what was gathered, against one that does not.
#
#: measures vector.gather_latency
#: rule the result of a gather is ready so many cycles after its issue
#: each op = vgather8 ; vgather16
#: run taken source=1
#: run not_taken source=2
#: value taken - not_taken

.node   all
.org    0x800
data:   .zero   128
.org    0
.thread 0
        li      x1, data
        {op}    v1, x1, v20, m0
        vst     v{source}, 64(x1), w32, m0
        halt
