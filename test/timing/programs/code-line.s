# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# To the last instruction of a piece of {n} bytes whose first instruction has run.
#
#: measures node.code_line
#: rule code comes in lines of so many bytes
#: search n 8 1024 4
#: run near n=8
#: run far n=n
#: value far == near
#: change none

.node   all
.thread 0
        j       first
.align  1024
first:  j       end
.org    first + {n} - 4
end:    halt
