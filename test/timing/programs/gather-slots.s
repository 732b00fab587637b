# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Gathers that do not need each other, against as many loads.
#
#: measures vector.gather_slots
#: rule a gather takes one AGU slot in each of so many cycles
#: each op = vgather8 ; vgather16
#: run short n=2
#: run long n=18
#: run short_loads n=2 loads=1
#: run long_loads n=18 loads=1
#: value (long - short) / (long_loads - short_loads)

.node   all
.org    0x800
data:   .zero   64
.org    0
.thread 0
        li      x1, data
        li      x31, {n}
top:
.repeat i {4 * (1 - loads)}
        {op}    v{i + 1}, x1, v20, m0
.endr
.repeat i {4 * loads}
        vld     v{i + 1}, 0(x1), w32, m0
.endr
        loop    x31, top
        halt
