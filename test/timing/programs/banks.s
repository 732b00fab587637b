# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Two loads a cycle from neighbouring lines, and from lines at every power of two from each other.
#
#: measures sram.bank_conflicts
#: rule no two addresses of the SRAM are in each other's way
#: each distance = 64 ; 128 ; 512 ; 4096 ; 65536 ; 262144
#: run near n=20 d=64
#: run far n=20 d={distance}
#: value far != near
#: change none

.node   all
.org    0x2000
data:   .space  524288
.org    0
.thread 0
        li      x1, data
        li      x2, data + {d}
        li      x31, {n}
top:    vst     v5, 0(x1), w32, m0
        vst     v5, 0(x2), w32, m0
        vld     v1, 0(x1), w32, m0
        vld     v2, 0(x2), w32, m0
        loop    x31, top
        halt
