# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Each line holds one jump, to the next line.
#
#: measures node.code_miss
#: rule a line of code that the thread does not have stops it so many cycles
#: run short n=4
#: run long n=20
#: value (long - short) / 16

.node   all
.thread 0
.repeat i {n}
line{i}:j       line{i+1}
.align  64
.endr
line{n}:halt
