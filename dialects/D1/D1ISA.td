// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instruction set of the D1 node, complete. The order of the records is the order of the manual.

#ifndef DOJO_D1_ISA_TD
#define DOJO_D1_ISA_TD

include "dialects/D1/D1Scalar.td"
include "dialects/D1/D1Control.td"
include "dialects/D1/D1Vector.td"
include "dialects/D1/D1Matrix.td"
include "dialects/D1/D1Reserved.td"
include "dialects/D1/D1Manual.td"

#endif // DOJO_D1_ISA_TD
