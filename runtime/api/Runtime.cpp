// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Runtime/Runtime.h"

#include "Boxes.h"

#include "dojo/Image/ElementType.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace dojo {

using image::Box;
using image::tensorBytes;
using image::TensorRef;

namespace {

std::vector<uint32_t> nodeList(const image::NodeSet &set) {
  std::vector<uint32_t> nodes;
  for (int64_t node : set.nodes())
    nodes.push_back(uint32_t(node));
  return nodes;
}

const TensorRef *find(const std::vector<TensorRef> &list, const std::string &name) {
  for (const TensorRef &tensor : list)
    if (tensor.name == name)
      return &tensor;
  return nullptr;
}

std::string names(const std::vector<TensorRef> &list) {
  std::string text;
  for (const TensorRef &tensor : list)
    text += (text.empty() ? "" : ", ") + tensor.name;
  return text.empty() ? "none" : text;
}

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The bytes of regions as sorted intervals that neither overlap nor touch.
std::vector<emu::Interval> intervals(const std::vector<image::Region> &regions) {
  std::vector<emu::Interval> list;
  for (const image::Region &r : regions)
    for (uint32_t a = 0; a < r.count[0]; ++a)
      for (uint32_t b = 0; b < r.count[1]; ++b)
        for (uint32_t c = 0; c < r.count[2]; ++c) {
          auto begin = uint32_t(int64_t(r.address) + int64_t(a) * r.stride[0] +
                                int64_t(b) * r.stride[1] + int64_t(c) * r.stride[2]);
          list.push_back({begin, begin + r.bytes});
        }
  std::sort(list.begin(), list.end(),
            [](auto &x, auto &y) { return std::pair(x.begin, x.end) < std::pair(y.begin, y.end); });
  std::vector<emu::Interval> merged;
  for (const emu::Interval &i : list)
    if (!merged.empty() && i.begin <= merged.back().end)
      merged.back().end = std::max(merged.back().end, i.end);
    else
      merged.push_back(i);
  return merged;
}

} // namespace

std::unique_ptr<Runtime> Runtime::load(const std::string &path, std::string &error) {
  Clock::time_point start = Clock::now();
  image::Image image;
  if (!image::readImage(path, image, error))
    return nullptr;
  double reading = since(start);
  std::unique_ptr<Runtime> runtime = create(std::move(image), error);
  if (!runtime)
    error = path + ": " + error;
  else
    runtime->loadTimes.seconds += reading;
  return runtime;
}

std::unique_ptr<Runtime> Runtime::create(image::Image image, std::string &error) {
  Clock::time_point start = Clock::now();
  std::unique_ptr<Runtime> runtime(new Runtime(std::move(image)));
  runtime->die = emu::Machine::create(runtime->program.target, error);
  if (!runtime->die || !runtime->place(error) || !runtime->declareSegments(error))
    return nullptr;
  runtime->loadTimes.seconds = since(start) - runtime->loadTimes.placeSeconds;
  return runtime;
}

// Most of the time goes into pages that the host has to make: its threads do so side by side, each
// for nodes of its own.
bool Runtime::placeData(std::string &error) {
  Clock::time_point start = Clock::now();
  constexpr uint64_t worthThreads = 16 << 20;
  for (const image::Load &load : program.loads)
    if (const image::Blob &blob = program.blobs[load.blob]; !blob.code)
      loadTimes.placedBytes += blob.bytes * uint64_t(program.nodeSets[load.nodeSet].size());
  unsigned count = loadTimes.placedBytes < worthThreads
                       ? 1
                       : std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
  std::vector<std::string> errors(count);
  auto placeShare = [&](unsigned share) {
    for (const image::Load &load : program.loads) {
      const image::Blob &blob = program.blobs[load.blob];
      if (blob.code)
        continue;
      std::vector<uint32_t> nodes = nodeList(program.nodeSets[load.nodeSet]);
      std::erase_if(nodes, [&](uint32_t node) { return node % count != share; });
      if (!die->placeData(nodes, load.address, program.content(blob), errors[share]))
        return;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned share = 1; share < count; ++share)
    threads.emplace_back(placeShare, share);
  placeShare(0);
  for (std::thread &thread : threads)
    thread.join();
  loadTimes.placeSeconds = since(start);
  for (const std::string &e : errors)
    if (!e.empty()) {
      error = e;
      return false;
    }
  return true;
}

bool Runtime::place(std::string &error) {
  for (const image::Load &load : program.loads)
    if (const image::Blob &blob = program.blobs[load.blob];
        blob.code && !die->placeCode(nodeList(program.nodeSets[load.nodeSet]), load.address,
                                     program.content(blob), error))
      return false;
  if (!placeData(error))
    return false;
  for (const image::Entry &entry : program.entries)
    for (uint32_t node : nodeList(program.nodeSets[entry.nodeSet]))
      for (unsigned thread = 0; thread < entry.pc.size(); ++thread)
        if (entry.pc[thread] >= 0 &&
            !die->setEntry(node, thread, uint32_t(entry.pc[thread]), error))
          return false;

  // The machine takes the ranges of a node at once; nodes with the same ranges go together.
  std::map<std::vector<uint32_t>, std::vector<uint32_t>> nodesByRanges;
  std::vector<std::vector<uint32_t>> rangesOf(program.target.positions());
  for (uint32_t i = 0; i < program.pcRanges.size(); ++i)
    for (uint32_t node : nodeList(program.nodeSets[program.pcRanges[i].nodeSet]))
      rangesOf[node].push_back(i);
  for (uint32_t node = 0; node < rangesOf.size(); ++node)
    if (!rangesOf[node].empty())
      nodesByRanges[rangesOf[node]].push_back(node);
  for (const auto &[indices, nodes] : nodesByRanges) {
    std::vector<emu::PcRange> ranges;
    for (uint32_t i : indices)
      ranges.push_back(
          {program.pcRanges[i].begin, program.pcRanges[i].end, program.pcRanges[i].layer});
    if (!die->setPcRanges(nodes, std::move(ranges), error))
      return false;
  }

  std::vector<std::vector<uint8_t>> routes;
  for (const image::Route &route : program.routes) {
    std::vector<uint8_t> &steps = routes.emplace_back();
    for (image::Step step : route)
      steps.push_back(uint8_t(step));
  }
  return routes.empty() || die->setRoutes(std::move(routes), error);
}

bool Runtime::declareSegments(std::string &error) {
  // Code that several layers share may touch what any of them declares.
  using Range = std::pair<uint32_t, uint32_t>;
  std::map<Range, std::map<uint32_t, std::vector<uint32_t>>> byRange; // node -> segments
  for (uint32_t i = 0; i < program.segments.size(); ++i) {
    const image::Segment &s = program.segments[i];
    for (uint32_t node : nodeList(program.nodeSets[s.nodeSet]))
      byRange[{s.begin, s.end}][node].push_back(i);
  }
  for (const auto &[range, byNode] : byRange) {
    std::map<std::vector<uint32_t>, std::vector<uint32_t>> nodesBySegments;
    for (const auto &[node, segments] : byNode)
      nodesBySegments[segments].push_back(node);
    for (const auto &[segments, nodes] : nodesBySegments) {
      std::vector<image::Region> reads, writes, ignored;
      for (uint32_t i : segments) {
        const image::Segment &s = program.segments[i];
        reads.insert(reads.end(), s.reads.begin(), s.reads.end());
        reads.insert(reads.end(), s.ignored.begin(), s.ignored.end());
        ignored.insert(ignored.end(), s.ignored.begin(), s.ignored.end());
        writes.insert(writes.end(), s.writes.begin(), s.writes.end());
      }
      if (!die->declareAccesses(nodes, range.first, range.second, intervals(reads),
                                intervals(writes), error, intervals(ignored)))
        return false;
    }
  }
  return true;
}

bool Runtime::setInput(const std::string &name, std::span<const uint8_t> bytes,
                       std::string &error) {
  const TensorRef *tensor = find(program.inputs, name);
  if (!tensor) {
    error = "there is no input \"" + name + "\"; the inputs are: " + names(program.inputs);
    return false;
  }
  if (int64_t(bytes.size()) != tensorBytes(*tensor)) {
    error = "input \"" + name + "\" has " + std::to_string(tensorBytes(*tensor)) + " bytes, not " +
            std::to_string(bytes.size());
    return false;
  }
  inputs[name].assign(bytes.begin(), bytes.end());
  return true;
}

uint64_t Runtime::watchdog() const {
  double cycles = 2e7;
  for (const image::Layer &layer : program.layers)
    cycles += 100 * layer.estimatedCycles;
  for (const image::Buffer &buffer : program.buffers)
    if (buffer.kind == "condition")
      cycles = std::max(cycles, 2e9);
  return uint64_t(std::min(cycles, 1e15));
}

Runtime::Status Runtime::run(const emu::RunOptions &options, std::string &error) {
  if (!start(options, error))
    return Status::BadInput;
  live->advanceTo(~uint64_t(0));
  return finish(error);
}

bool Runtime::start(const emu::RunOptions &options, std::string &error) {
  for (const TensorRef &tensor : program.inputs) {
    auto input = inputs.find(tensor.name);
    if (input == inputs.end()) {
      error = "input \"" + tensor.name + "\" was not set";
      return false;
    }
    int64_t elementBytes = image::findElementType(tensor.type)->bytes;
    std::span<const uint8_t> bytes = input->second;
    for (const Box &box : tensor.boxes) {
      auto node = uint32_t(program.nodeSets[box.nodeSet].nodes().front());
      if (!forEachRun(tensor, box, elementBytes,
                      [&](uint32_t address, int64_t offset, int64_t run) {
                        return die->write(node, address, bytes.subspan(offset, run), error);
                      }))
        return false;
    }
  }
  forgetCaptures();
  live.reset();
  emu::RunOptions asked = options;
  if (asked.checks.memory)
    asked.checks.outputs = outputBytes();
  live = std::make_unique<emu::Session>(*die, asked);
  timed = options.timing;
  return true;
}

Runtime::Status Runtime::finish(std::string &error) {
  if (!live) {
    error = "no run is under way";
    return Status::BadInput;
  }
  emu::RunResult result = live->finish();
  live.reset();
  last = std::move(result.counters);
  lastFault = result.fault;
  lastChecks = std::move(result.checks);
  if (result.fault) {
    error = result.fault->message(program.target);
    std::string layer = describeLayer(result.fault->layer);
    if (!layer.empty())
      error += " [" + layer + "]";
    return Status::Fault;
  }
  error.clear();
  for (const emu::CheckReport &report : lastChecks.reports)
    error += (error.empty() ? "" : "\n\n") + describe(report);
  return lastChecks.reports.empty() ? Status::Ok : Status::Reported;
}

std::string Runtime::describeLayer(int32_t layer) const {
  if (layer < 0 || size_t(layer) >= program.layers.size())
    return "";
  std::string text = "layer " + std::to_string(layer);
  if (!program.layers[layer].op.empty())
    text += ", " + program.layers[layer].op;
  for (const std::string &name : program.layers[layer].onnxNames)
    text += ", ONNX node \"" + name + "\"";
  return text;
}

std::string Runtime::describe(const emu::CheckReport &report) const {
  return report.message(program.target, [this](int32_t layer) { return describeLayer(layer); });
}

// Where getOutput will look.
std::vector<emu::OutputBytes> Runtime::outputBytes() const {
  std::vector<emu::OutputBytes> list;
  for (const TensorRef &tensor : program.outputs) {
    int64_t elementBytes = image::findElementType(tensor.type)->bytes;
    for (const Box &box : tensor.boxes) {
      std::vector<int64_t> nodes = program.nodeSets[box.nodeSet].nodes();
      if (!nodes.empty())
        forEachRun(tensor, box, elementBytes, [&](uint32_t address, int64_t, int64_t run) {
          list.push_back({uint32_t(nodes.front()), address, address + uint32_t(run), tensor.name});
          return true;
        });
    }
  }
  return list;
}

bool Runtime::getOutput(const std::string &name, std::vector<uint8_t> &bytes,
                        std::string &error) const {
  if (const TensorRef *tensor = find(program.outputs, name))
    return readTensor(*tensor, bytes, error);
  error = "there is no output \"" + name + "\"; the outputs are: " + names(program.outputs);
  return false;
}

bool Runtime::readTensor(const TensorRef &tensor, std::vector<uint8_t> &bytes,
                         std::string &error) const {
  bytes.assign(tensorBytes(tensor), 0);
  int64_t elementBytes = image::findElementType(tensor.type)->bytes;
  for (const Box &box : tensor.boxes) {
    std::vector<int64_t> nodes = program.nodeSets[box.nodeSet].nodes();
    if (nodes.empty())
      continue;
    if (!forEachRun(tensor, box, elementBytes, [&](uint32_t address, int64_t offset, int64_t run) {
          return die->read(uint32_t(nodes.front()), address, std::span(bytes).subspan(offset, run),
                           error);
        }))
      return false;
  }
  return true;
}

std::vector<uint64_t> Runtime::layerCycles() const {
  std::vector<uint64_t> cycles;
  if (!timed)
    return cycles;
  uint64_t end = 0;
  for (size_t i = 0; i < program.layers.size(); ++i) {
    uint64_t before = end;
    if (i < last.layers.size())
      end = std::max(end, last.layers[i].end);
    // What completes after the last instruction has issued and the last packet arrived is cut off.
    end = i + 1 == program.layers.size() ? last.cycles : std::min(end, last.cycles);
    cycles.push_back(end - before);
  }
  return cycles;
}

double Runtime::busiestOverMean(size_t layer) const {
  if (layer >= last.layers.size())
    return 1;
  const emu::LayerCounters &l = last.layers[layer];
  uint64_t work = l.matrixSteps + l.simdOperations;
  return work ? double(l.busiestNodeWork) * double(l.nodesWithWork) / double(work) : 1;
}

double Runtime::utilization() const {
  const Target &t = program.target;
  double rate = double(t.matrixRows * t.matrixColumns * t.matrixDepth) * double(t.dieUsableNodes);
  return timed && last.cycles ? double(program.modelMacs) / (double(last.cycles) * rate) : 0;
}

} // namespace dojo
