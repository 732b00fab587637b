// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One comparison: the model compiled, run with its layers' results captured, computed on the host,
// and the two held against each other.

#ifndef DOJO_TOOLS_DOJOGOLDEN_SESSION_H
#define DOJO_TOOLS_DOJOGOLDEN_SESSION_H

#include "Options.h"

namespace dojo::golden {

/// Prints the table of layers and the first difference to stdout, what went wrong to stderr.
/// Returns a status of dojo/Driver/Options.h.
int runSession(const Options &options);

} // namespace dojo::golden

#endif // DOJO_TOOLS_DOJOGOLDEN_SESSION_H
