# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A store that takes what was loaded, against one that does not and so issues beside the load.
#
#: measures vector.load_latency
#: rule the result of a vector or broadcast load is ready so many cycles after its issue
#: each op = vld v1, 0(x1), w32, m0 ; vld v1, 0(x1), i8, m0 ; vldb v1, 0(x1), w32
#: run taken source=1
#: run not_taken source=2
#: value taken - not_taken

.node   all
.org    0x800
data:   .zero   128
.org    0
.thread 0
        li      x1, data
        {op}
        vst     v{source}, 64(x1), w32, m0
        halt
