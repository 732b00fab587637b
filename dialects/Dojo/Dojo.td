// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dojo dialect, complete; the manual page is made from it.

#ifndef DOJO_TD
#define DOJO_TD

include "dialects/Dojo/DojoAttrs.td"
include "dialects/Dojo/DojoMeshOps.td"
include "dialects/Dojo/DojoOps.td"

#endif // DOJO_TD
