// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file of --trace: streamed to a temporary beside it, renamed when the run has ended.
#ifndef DOJO_TOOLS_DOJORUN_TRACEFILE_H
#define DOJO_TOOLS_DOJORUN_TRACEFILE_H

#include "Files.h"
#include "Options.h"

#include "dojo/Emulator/Trace.h"
#include "dojo/Image/Image.h"

#include <cstdio>

namespace dojo::run {

class TraceFile {
public:
  ~TraceFile();

  /// Begins the file, if the options ask for one. Not Ok with \p error if they name bad nodes or it
  /// cannot be written.
  [[nodiscard]] Status open(const Options &options, const image::Image &image, std::string &error);
  /// For RunOptions::trace; null without a file.
  emu::Trace *trace() { return writer.get(); }
  /// After the last run, whether it ended well or not: the file takes its name. `summary` gets a
  /// line that says what is in it.
  [[nodiscard]] bool close(std::string &summary, std::string &error);

private:
  std::string path;
  FileSet files;
  std::FILE *file = nullptr;
  std::unique_ptr<emu::Trace> writer;
};

} // namespace dojo::run

#endif
