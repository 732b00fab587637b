// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Callees.h"

namespace dojo::verify {

static CallOutcome problem(Verdict verdict, std::string text) {
  CallOutcome outcome;
  outcome.kind = CallOutcome::Kind::Problem;
  outcome.verdict = verdict;
  outcome.problem = std::move(text);
  return outcome;
}

CallOutcome Callees::enter(int64_t node, int64_t pc, int32_t callerLayer, ScalarRegisters &x) {
  const image::Image &image = index.image;
  CallOutcome outcome;
  index.segmentsAt(node, pc, candidates);
  if (candidates.empty())
    return outcome;
  // All have one range; the one of the layer whose text called counts, or one for every layer.
  int64_t chosen = -1;
  bool several = false;
  for (uint32_t s : candidates) {
    int32_t layer = image.segments[s].layer;
    if (callerLayer >= 0 && layer >= 0 && layer != callerLayer)
      continue;
    several |= chosen >= 0;
    if (chosen < 0 || layer == callerLayer)
      chosen = s;
  }
  const image::Segment &range = image.segments[candidates.front()];
  const SegmentCode &code = cache.get(index, node, pc, range.begin, range.end);
  // Plain code is as well followed in detail, if nothing in it depends on data.
  if (code.plain &&
      (pc != int64_t(range.begin) || chosen < 0 || (several && callerLayer < 0) || !code.opaque))
    return outcome;
  if (chosen < 0)
    return !code.opaque ? outcome
                        : problem(Verdict::Error,
                                  "enters code declared for " + index.layerName(range.layer) +
                                      " from text of " + index.layerName(callerLayer));
  if (several && callerLayer < 0)
    return problem(Verdict::Undecided,
                   "enters a segment that several layers declare, from code of no layer");

  const image::Segment &segment = image.segments[chosen];
  const Placed &load = *index.placedAt(node, pc);
  uint32_t found = program.footprints->find(load, pc, segment.begin, segment.end, x);
  const Footprint &footprint = (*program.footprints)[found];
  Call call{uint32_t(chosen), found, footprint.accumulators};
  // In detail, registers that were stored and loaded again are lost.
  if (code.plain && ((footprint.known && !footprint.reloads) || footprint.faulty))
    return outcome;
  int exitRegister = footprint.exitRegister;
  int64_t exit = footprint.exit + load.begin;
  uint32_t changed = footprint.changed;
  if (footprint.faulty)
    return problem(Verdict::Error, "calls code at " + ImageIndex::hex(uint64_t(pc)) + " of " +
                                       index.layerName(segment.layer) + " that " + footprint.why);
  if (!footprint.known) {
    if (!code.opaque)
      return outcome;
    if (trusted.insert(uint32_t(chosen)).second)
      program.trusted.push_back({Check::Order, Verdict::Undecided,
                                 index.nodeName(node) + ": the code at " +
                                     ImageIndex::hex(segment.begin) + " of " +
                                     index.layerName(segment.layer) + " " + footprint.why +
                                     ": only what its segment declares was checked"});
    call.footprint = Call::unknown;
    call.accumulators = code.accumulators;
    exitRegister = code.exitRegister, exit = code.exitPc, changed = code.changed;
  }
  if (exitRegister >= 0) {
    std::optional<uint64_t> value = x.get(exitRegister);
    if (!value)
      return problem(Verdict::Undecided, "leaves a segment by x" + std::to_string(exitRegister) +
                                             ", whose value is not known");
    exit = int64_t(*value & 0xFFFFFFFF);
  }
  for (int r = 1; r < 32; ++r)
    if (changed >> r & 1) {
      if (footprint.known && footprint.end.isSet(r))
        x.set(r, footprint.end.get(r));
      else
        x.unset(uint32_t(1) << r);
    }
  outcome.kind = CallOutcome::Kind::Call;
  outcome.call = callOf(call, node);
  outcome.layer = segment.layer >= 0 ? segment.layer : callerLayer;
  outcome.next = exit;
  ++program.callsMade;
  return outcome;
}

bool Callees::declares(int64_t node, int64_t pc, bool write, int64_t lo, int64_t hi) {
  index.segmentsAt(node, pc, candidates);
  if (candidates.empty())
    return true;
  // What any layer that shares the code declares.
  auto each = [&](bool set) {
    for (uint32_t s : candidates) {
      const image::Segment &segment = index.image.segments[s];
      for (const auto *list : {write ? &segment.writes : &segment.reads, &segment.ignored})
        for (const image::Region &region : *list)
          if (!write || list != &segment.ignored)
            Strided::of(region).simplified().eachRun([&](int64_t a, int64_t b) {
              set ? void(scratch.set(a, b)) : scratch.clear(a, b);
              return true;
            });
    }
  };
  each(true);
  bool all = scratch.firstClear(lo, hi) < 0;
  each(false);
  return all;
}

uint32_t Callees::callOf(const Call &call, int64_t node) {
  auto [it, added] =
      known.try_emplace({call.segment, call.footprint}, uint32_t(program.calls.size()));
  if (added) {
    program.calls.push_back(call);
    if (call.footprint != Call::unknown)
      checkDeclared(call, node);
  }
  return it->second;
}

/// What the code touches is declared.
void Callees::checkDeclared(const Call &call, int64_t node) {
  const image::Segment &segment = index.image.segments[call.segment];
  const Footprint &footprint = (*program.footprints)[call.footprint];
  auto each = [&](const std::vector<image::Region> &regions, bool set) {
    for (const image::Region &region : regions)
      Strided::of(region).simplified().eachRun([&](int64_t lo, int64_t hi) {
        set ? void(scratch.set(lo, hi)) : scratch.clear(lo, hi);
        return true;
      });
  };
  auto check = [&](const std::vector<Interval> &touched, const char *verb) {
    for (const Interval &i : touched)
      if (int64_t byte = scratch.firstClear(i.lo, i.hi); byte >= 0) {
        program.findings.push_back(
            {Check::Order, Verdict::Error,
             index.nodeName(node) + ": the code at " + ImageIndex::hex(segment.begin) + " of " +
                 index.layerName(segment.layer) + " " + verb + " " +
                 ImageIndex::bytesName(byte, i.hi) + ", which its segment does not declare"});
        return;
      }
  };
  each(segment.writes, true);
  check(footprint.writes, "writes");
  each(segment.writes, false);
  each(segment.reads, true);
  each(segment.ignored, true);
  check(footprint.reads, "reads");
  each(segment.reads, false);
  each(segment.ignored, false);
}

} // namespace dojo::verify
