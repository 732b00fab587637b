// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "TraceFile.h"

#include "NodeList.h"

#include <cerrno>
#include <cstring>

namespace dojo::run {

TraceFile::~TraceFile() {
  if (file)
    std::fclose(file);
}

Status TraceFile::open(const Options &options, const image::Image &image, std::string &error) {
  if (options.trace.empty())
    return Ok;
  emu::TraceOptions trace;
  trace.maxBytes = options.traceBytes;
  if (!options.traceNodes.empty() &&
      !parseNodeList(options.traceNodes, image.target, trace.nodes, error))
    return Usage;
  for (size_t i = 0; i < image.layers.size(); ++i) {
    const image::Layer &layer = image.layers[i];
    std::string name = std::to_string(i) + " " + layer.op;
    if (!layer.onnxNames.empty())
      name += " " + layer.onnxNames.front();
    trace.layers.push_back(std::move(name));
  }
  path = options.trace;
  int index = files.add(path, error);
  if (index < 0)
    return Usage;
  file = std::fopen(files.temporary(index).c_str(), "wb");
  if (!file) {
    error = "cannot write '" + path + "': " + std::strerror(errno);
    return Usage;
  }
  writer = std::make_unique<emu::Trace>(std::move(trace), [this](std::string_view bytes) {
    return std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  });
  return Ok;
}

bool TraceFile::close(std::string &summary, std::string &error) {
  if (!writer)
    return true;
  bool good = std::fclose(file) == 0 && !writer->failed();
  file = nullptr;
  if (!good) {
    error = "cannot write all of '" + path + "'";
    return false;
  }
  if (!files.commit(error))
    return false;
  summary += "trace '" + path + "': " + std::to_string(writer->events()) + " events, " +
             std::to_string(writer->bytes()) + " bytes";
  if (std::optional<uint64_t> cut = writer->cutAt())
    summary += ", cut by --trace-bytes at cycle " + std::to_string(*cut);
  summary += "\n";
  return true;
}

} // namespace dojo::run
