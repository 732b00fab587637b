# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A step on the last of {n} accumulators.
#
#: measures matrix.accumulators
#: rule the node has so many accumulators
#: search n 1 8 1
#: run last n=n
#: value last is not None
#: change 5

.node   all
.thread 0
        mm      acc{n-1}, v1, v2, 0, bf16
        halt
