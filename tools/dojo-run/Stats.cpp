// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Stats.h"

#include "Format.h"

#include <cmath>

namespace dojo::run {

using image::Json;

static Json layerTable(const Runtime &runtime, bool timing) {
  const image::Image &image = runtime.image();
  std::vector<uint64_t> cycles = runtime.layerCycles();
  Json table = Json::array();
  for (size_t i = 0; i < image.layers.size(); ++i) {
    const image::Layer &layer = image.layers[i];
    table.push_back({{"onnx", layer.onnxNames},
                     {"op", layer.op},
                     {"estimated_cycles", layer.estimatedCycles},
                     {"emulated_cycles", timing ? Json(cycles[i]) : Json()},
                     {"macs", layer.macs},
                     {"plan", layer.plan},
                     {"busiest_over_mean", runtime.busiestOverMean(i)}});
  }
  return table;
}

// Entries that are not zero, by name.
template <class Kind, size_t N> static Json named(const std::array<uint64_t, N> &values) {
  Json json = Json::object();
  for (size_t i = 0; i < N; ++i)
    if (values[i])
      json[emu::name(Kind(i))] = values[i];
  return json;
}

static Json nodeTable(const emu::Counters &counters) {
  Json table = Json::array();
  for (const emu::NodeCounters &node : counters.nodes) {
    Json threads = Json::array();
    for (const emu::ThreadCounters &thread : node.threads)
      threads.push_back({{"cycles", named<emu::Activity>(thread.cycles)},
                         {"issued", named<isa::TimingClass>(thread.issued)},
                         {"passed_over", thread.passedOver}});
    table.push_back({{"node", node.node},
                     {"threads", threads},
                     {"sent_packets", node.sentPackets},
                     {"received_packets", node.receivedPackets},
                     {"send_wait_cycles", node.sendWait},
                     {"link_packets",
                      {{"east", node.linkPackets[0]},
                       {"west", node.linkPackets[1]},
                       {"south", node.linkPackets[2]},
                       {"north", node.linkPackets[3]}}}});
  }
  return table;
}

// JSON has no infinity.
static Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json statistics(const Runtime &runtime, const Options &options, const RunRecord &record) {
  const image::Image &image = runtime.image();
  const emu::Counters &c = runtime.counters();
  bool timing = options.timing;
  Json json = {{"cycles", timing ? Json(c.cycles) : Json()},
               {"instructions", c.instructions},
               {"matmul_steps", c.matrixSteps},
               {"model_macs", image.modelMacs},
               {"utilization", timing ? Json(runtime.utilization()) : Json()},
               {"wall_seconds", record.wallSeconds},
               {"load_seconds", record.loadSeconds},
               {"nodes_used", c.nodesUsed},
               {"sram_peak_bytes", image.sramPeak},
               {"sram_lower_bound_bytes", image.sramLowerBound},
               {"code_bytes", image.codeBytes},
               {"table_bytes", image.tableBytes},
               {"packets", c.packets},
               {"link_bytes", c.linkPackets * uint64_t(image.target.packetBytes)},
               {"target", image.target.name},
               {"target_hash", image.target.hash()},
               {"layers", layerTable(runtime, timing)},
               {"runs", record.runs},
               {"clock_hz", image.target.clockHz},
               {"outputs", record.outputFiles}};
  if (options.statsNodes)
    json["nodes"] = nodeTable(c);
  Json &comparisons = json["expected"] = Json::object();
  for (const auto &[name, comparison] : record.comparisons)
    comparisons[name] = {{"equal_within_tolerance", comparison.good},
                         {"relative_l2", number(comparison.relL2)},
                         {"max_absolute", number(comparison.maxAbsolute)},
                         {"elements_outside", comparison.outside}};
  return json;
}

std::string summary(const Runtime &runtime, const Options &options, const RunRecord &record) {
  const image::Image &image = runtime.image();
  const emu::Counters &c = runtime.counters();
  std::string text;
  if (options.timing)
    text += format("%llu cycles, %.2f us at %.1f GHz, utilization %.2f %%, %llu nodes used\n",
                   static_cast<unsigned long long>(c.cycles),
                   double(c.cycles) * 1e6 / double(image.target.clockHz),
                   double(image.target.clockHz) / 1e9, 100 * runtime.utilization(),
                   static_cast<unsigned long long>(c.nodesUsed));
  else
    text += format("%llu instructions, %llu nodes used (timing off)\n",
                   static_cast<unsigned long long>(c.instructions),
                   static_cast<unsigned long long>(c.nodesUsed));
  text += format("%lld run%s in %.3f s, loaded in %.3f s, target %s (%s)\n",
                 static_cast<long long>(record.runs), record.runs == 1 ? "" : "s",
                 record.wallSeconds, record.loadSeconds, image.target.name.c_str(),
                 image.target.hash().substr(0, 12).c_str());
  for (const auto &[name, comparison] : record.comparisons) {
    text += "output '" + name + "': ";
    text += format("relative L2 %.3g, largest difference %.3g", comparison.relL2,
                   comparison.maxAbsolute);
    if (comparison.worst >= 0)
      text +=
          format(" at element %lld (%.9g, expected %.9g)", static_cast<long long>(comparison.worst),
                 comparison.worstOutput, comparison.worstExpected);
    text += comparison.good ? ": as expected\n" : ": DIFFERS";
    if (!comparison.good)
      text += options.maxRelL2
                  ? "\n"
                  : format(" in %lld elements\n", static_cast<long long>(comparison.outside));
  }
  return text;
}

} // namespace dojo::run
