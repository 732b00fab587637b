// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Marks.h"

#include "tools/dojo-run/Format.h"

#include <nlohmann/json.hpp>

namespace dojo::bench {
using run::format;

std::string table(const Results &r) {
  std::string out = "host kernels (" + r.hostKernel + "), M/s      1 thread   2 threads\n";
  auto host = [&](const char *name, const double rates[2]) {
    out += format("  %-34s %9.0f   %9.0f\n", name, rates[0] / 1e6, rates[1] / 1e6);
  };
  host("matrix steps", r.host.matrixSteps);
  host("other instructions", r.host.instructions);
  host("packets", r.host.packets);
  out += format("  a word from thread to thread and back: %.0f to %.0f ns\n",
                r.host.leastRoundTrip * 1e9, r.host.mostRoundTrip * 1e9);

  out +=
      "\nrun                     threads timing        ms     floor   ratio    MIPS  steps M/s\n";
  for (const Measured &m : r.runs) {
    double floor = m.floor(r.host);
    out += format("%-24s %6u %6s %9.2f %9.2f %7.1f %7.0f %10.0f\n", m.name.c_str(), m.threads,
                  m.timing ? "on" : "off", m.seconds * 1e3, floor * 1e3, m.seconds / floor,
                  double(m.counters.instructions) / m.seconds / 1e6,
                  double(m.counters.matrixSteps) / m.seconds / 1e6);
  }

  out += "\nrun                     second core   timing on over off (2 threads)\n";
  for (const Measured &m : r.runs)
    if (m.threads == 1 && m.timing && r.find(m.name, 2, true) && r.find(m.name, 2, false))
      out += format("%-24s %9.2fx %9.2fx\n", m.name.c_str(), m.seconds / r.seconds(m.name, 2, true),
                    r.seconds(m.name, 2, true) / r.seconds(m.name, 2, false));

  out += "\nimage                   validate, decode ms   place ms    MB     GB/s   peak MB\n";
  for (const Loaded &l : r.loads)
    out += format("%-24s %18.1f %10.1f %5.0f %8.2f %9.0f\n", l.name.c_str(), l.seconds * 1e3,
                  l.placeSeconds * 1e3, double(l.placedBytes) / 1e6,
                  double(l.placedBytes) / l.placeSeconds / 1e9, double(l.peakBytes) / 1e6);

  out += "\nquantity (2 threads where nothing else is said)     measured       must        aim\n";
  for (const Quantity &q : quantities(r)) {
    const char *sign = q.least ? ">=" : "<=";
    out += format("%-46s %8.2f %-4s %s %6.4g  %s %6.4g  %s\n", q.what.c_str(), q.value,
                  q.unit.c_str(), sign, q.must, sign, q.aim,
                  !q.meets(q.must) ? "NOT MET"
                  : q.meets(q.aim) ? "aim met"
                                   : "met");
  }
  return out;
}

std::string json(const Results &r) {
  nlohmann::json out;
  auto pair = [](const double rates[2]) { return nlohmann::json{rates[0], rates[1]}; };
  out["host"] = {{"kernel", r.hostKernel},
                 {"matrix_steps_per_second", pair(r.host.matrixSteps)},
                 {"instructions_per_second", pair(r.host.instructions)},
                 {"packets_per_second", pair(r.host.packets)},
                 {"round_trip_seconds", {r.host.leastRoundTrip, r.host.mostRoundTrip}}};
  out["runs"] = nlohmann::json::array();
  for (const Measured &m : r.runs)
    out["runs"].push_back({{"name", m.name},
                           {"threads", m.threads},
                           {"timing", m.timing},
                           {"seconds", m.seconds},
                           {"floor_seconds", m.floor(r.host)},
                           {"ratio", m.seconds / m.floor(r.host)},
                           {"cycles", m.counters.cycles},
                           {"instructions", m.counters.instructions},
                           {"matrix_steps", m.counters.matrixSteps},
                           {"packets", m.counters.packets}});
  out["loads"] = nlohmann::json::array();
  for (const Loaded &l : r.loads)
    out["loads"].push_back({{"name", l.name},
                            {"validate_and_decode_seconds", l.seconds},
                            {"place_seconds", l.placeSeconds},
                            {"placed_bytes", l.placedBytes},
                            {"peak_resident_bytes", l.peakBytes}});
  out["quantities"] = nlohmann::json::array();
  for (const Quantity &q : quantities(r))
    out["quantities"].push_back({{"what", q.what},
                                 {"unit", q.unit},
                                 {"value", q.value},
                                 {"must", q.must},
                                 {"aim", q.aim},
                                 {"bound", q.least ? "least" : "most"},
                                 {"must_met", q.meets(q.must)},
                                 {"aim_met", q.meets(q.aim)}});
  return out.dump(2) + "\n";
}

} // namespace dojo::bench
