# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# As many lines as a thread keeps, this one among them: the others are gone to one after the other, the first
# once more, then a new one. Now the first is still there and the second is not.
#
#: rule of the lines that a thread keeps the least recently used goes first
#: label X
#: run first probe=0 n=node.code_lines
#: run second probe=1 n=node.code_lines
#: value second - first
#: expect node.code_miss

.node   all
.thread 0
        li.s    x5, back
        li.s    x6, line0
        li.s    x31, {n - 1}
top:    jr      x6
back:   addi    x6, x6, 64
        loop    x31, top
        li.s    x5, again
        li.s    x6, line0
        jr      x6
again:  li.s    x5, new
        li.s    x6, line{n-1}
        jr      x6
new:    li.s    x5, end
        li.s    x6, line{probe}
        jr      x6
end:    halt
.repeat i {n}
.align  64
line{i}:jr      x5
.endr
