// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runs of a command line, slice by slice, or up to where it says.
#ifndef DOJO_TOOLS_DOJORUN_EXECUTION_H
#define DOJO_TOOLS_DOJORUN_EXECUTION_H

#include "CheckLog.h"
#include "Inputs.h"
#include "Options.h"

#include "dojo/Runtime/Runtime.h"

namespace dojo::run {

/// What the command line says about runs.
emu::RunOptions runOptions(const Runtime &runtime, const Options &options, emu::Trace *trace);

/// Starts or resumes the run of a command line that has one.
Status startRun(Runtime &runtime, const Options &options, const BoundInputs &inputs,
                const emu::RunOptions &run, std::string &error);

/// The break points of the command line. False with \p error if one names no place.
[[nodiscard]] bool breakpoints(const image::Image &image, const Options &options,
                               emu::StopConditions &out, std::string &error);

struct Execution {
  Status status = Ok;
  std::string error;
  std::string stopped; ///< why and where the run stopped before its end; empty: it did not
  /// The outputs of all runs, stacked, by the image's order.
  std::vector<std::vector<uint8_t>> outputs;
  CheckLog checks;
};

Execution execute(Runtime &runtime, const Options &options, const BoundInputs &inputs,
                  emu::Trace *trace);

} // namespace dojo::run

#endif
