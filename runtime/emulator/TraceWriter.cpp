// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Field numbers are those of perfetto.protos: Trace, TracePacket, TrackEvent, TrackDescriptor,
// ProcessDescriptor, InternedData, DebugAnnotation.
#include "TraceWriter.h"

#include <algorithm>

namespace dojo::emu {

namespace {

//===-- Protobuf's wire format --------------------------------------------===//

void putVarint(std::string &to, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

void putNumber(std::string &to, unsigned field, uint64_t value) {
  putVarint(to, field << 3);
  putVarint(to, value);
}

void putBytes(std::string &to, unsigned field, std::string_view bytes) {
  putVarint(to, field << 3 | 2);
  putVarint(to, bytes.size());
  to += bytes;
}

namespace trace {
constexpr unsigned packet = 1;
}
namespace packet {
constexpr unsigned timestamp = 8, sequence = 10, trackEvent = 11, internedData = 12,
                   sequenceFlags = 13, trackDescriptor = 60;
constexpr uint64_t stateCleared = 1, needsState = 2;
} // namespace packet
namespace event {
constexpr unsigned annotation = 4, type = 9, nameNumber = 10, track = 11, name = 23;
constexpr uint64_t sliceBegin = 1, sliceEnd = 2, instant = 3;
} // namespace event
namespace annotation {
constexpr unsigned nameNumber = 1, value = 3;
}
namespace descriptor {
constexpr unsigned uuid = 1, name = 2, process = 3, parent = 5, childOrdering = 11, rank = 12;
constexpr uint64_t explicitOrdering = 3;
} // namespace descriptor
namespace process {
constexpr unsigned pid = 1, name = 6;
}
namespace interning {
constexpr unsigned eventNames = 2, annotationNames = 3; // in the data
constexpr unsigned number = 1, name = 2;                // in an entry
} // namespace interning

// What the packet of a slice's end takes at most (2^56 cycles, 100,000 nodes), and the note of a
// cut trace.
constexpr uint64_t endBytes = 24, noteBytes = 160;

std::string eventOf(uint64_t type, uint32_t track) {
  std::string e;
  putNumber(e, event::type, type);
  putNumber(e, event::track, track);
  return e;
}

std::string named(uint64_t type, uint32_t track, const std::string &name) {
  std::string e = eventOf(type, track);
  putBytes(e, event::name, name);
  return e;
}

} // namespace

TraceWriter::TraceWriter(TraceOptions o, TraceSink sink)
    : options(std::move(o)), sink(std::move(sink)) {}

std::string TraceWriter::layerName(size_t layer) const {
  return layer < options.layers.size() ? options.layers[layer] : "layer " + std::to_string(layer);
}

void TraceWriter::beginRun(uint32_t dieColumns) {
  columns = dieColumns;
  layerBytes = 0;
  for (size_t i = 0; i < options.layers.size(); ++i)
    layerBytes += 2 * endBytes + layerName(i).size() + 8;
}

//===----------------------------------------------------------------------===//
// Tracks
//===----------------------------------------------------------------------===//

TraceWriter::OpenTrack &TraceWriter::at(uint32_t track) {
  OpenTrack &t = tracks[track];
  if (!t.described) {
    t.described = true;
    describe(track);
  }
  return t;
}

void TraceWriter::appendDescriptor(uint32_t track, uint32_t parent, const std::string &name,
                                   uint32_t rank) {
  std::string d, p;
  putNumber(d, descriptor::uuid, track);
  if (parent) {
    putBytes(d, descriptor::name, name);
    putNumber(d, descriptor::parent, parent);
    putNumber(d, descriptor::rank, rank);
  } else {
    std::string process;
    putNumber(process, process::pid, track);
    putBytes(process, process::name, name);
    putBytes(d, descriptor::process, process);
    putNumber(d, descriptor::childOrdering, descriptor::explicitOrdering);
  }
  putNumber(p, packet::sequence, 1);
  putBytes(p, packet::trackDescriptor, d);
  putBytes(out, trace::packet, p);
}

void TraceWriter::describe(uint32_t track) {
  if (track == LayersTrack) {
    appendDescriptor(DieTrack, 0, "die", 0);
    appendDescriptor(track, DieTrack, "layers", 0);
    return;
  }
  uint32_t which = track % 16, group = track - which, node = group / 16 - 1;
  if (which == 0) {
    appendDescriptor(group, 0,
                     "node " + std::to_string(node) + " (row " + std::to_string(node / columns) +
                         ", column " + std::to_string(node % columns) + ")",
                     0);
    return;
  }
  at(group);
  std::string name = which == SendsTrack      ? "sends"
                     : which == ReceivesTrack ? "receives"
                                              : "thread " + std::to_string(which - ThreadTrack);
  appendDescriptor(track, group, name, which);
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

uint64_t TraceWriter::number(std::map<std::string, uint64_t> &numbers, const std::string &name,
                             unsigned field) {
  auto [it, added] = numbers.try_emplace(name, numbers.size() + 1);
  if (added) {
    std::string entry;
    putNumber(entry, interning::number, it->second);
    putBytes(entry, interning::name, name);
    putBytes(interned, field, entry);
  }
  return it->second;
}

void TraceWriter::put(uint64_t time, const std::string &event) {
  std::string p;
  putNumber(p, packet::timestamp, time);
  putNumber(p, packet::sequence, 1);
  if (!interned.empty())
    putBytes(p, packet::internedData, interned);
  interned.clear();
  bool first = bytes == 0 && events == 0;
  putNumber(p, packet::sequenceFlags, packet::needsState | (first ? packet::stateCleared : 0));
  putBytes(p, packet::trackEvent, event);
  putBytes(out, trace::packet, p);
  ++events;
}

// Hands `out` on if `keep` bytes are left after it.
bool TraceWriter::flush(uint64_t time, uint64_t keep) {
  bool fits = bytes + out.size() + keep <= options.maxBytes;
  if (fits) {
    bytes += out.size();
    failed |= !sink(out);
    out.clear();
    return true;
  }
  out.clear();
  if (!cut)
    stop(time);
  return false;
}

void TraceWriter::stop(uint64_t time) {
  cut = time;
  --events;
  endOpen(0);
  at(LayersTrack);
  put(time, named(event::instant, LayersTrack,
                  "trace cut at " + std::to_string(options.maxBytes) + " bytes"));
  if (!flush(time, layerBytes))
    --events;
}

// Ends all open slices at `time`, or with 0 at the time of the last event of each track.
void TraceWriter::endOpen(uint64_t time) {
  for (auto &[track, t] : tracks)
    for (; t.depth; --t.depth) {
      put(time ? std::max(time, t.last) : t.last, eventOf(event::sliceEnd, track));
      if (!flush(0, 0))
        --events;
    }
  openSlices = 0;
}

void TraceWriter::begin(uint32_t track, uint64_t cycle, const std::string &name, Values values) {
  if (cut)
    return;
  OpenTrack &t = at(track);
  std::string e = eventOf(event::sliceBegin, track);
  putNumber(e, event::nameNumber, number(names, name, interning::eventNames));
  for (const auto &[valueName, value] : values) {
    std::string a;
    putNumber(a, annotation::nameNumber, number(valueNames, valueName, interning::annotationNames));
    putNumber(a, annotation::value, value);
    putBytes(e, event::annotation, a);
  }
  put(base + cycle, e);
  if (!flush(base + cycle, layerBytes + noteBytes + (openSlices + 1) * endBytes))
    return;
  t.last = base + cycle;
  ++t.depth;
  ++openSlices;
}

void TraceWriter::end(uint32_t track, uint64_t cycle) {
  if (cut)
    return;
  OpenTrack &t = at(track);
  if (!t.depth)
    return;
  put(base + cycle, eventOf(event::sliceEnd, track));
  flush(base + cycle, 0); // its place was kept
  t.last = base + cycle;
  --t.depth;
  --openSlices;
}

void TraceWriter::slice(uint32_t track, uint64_t cycle, uint64_t until, const std::string &name,
                        Values values) {
  begin(track, cycle, name, values);
  end(track, until);
}

void TraceWriter::instant(uint32_t track, uint64_t cycle, const std::string &name) {
  if (cut)
    return;
  at(track);
  put(base + cycle, named(event::instant, track, name));
  flush(base + cycle, layerBytes + noteBytes + openSlices * endBytes);
}

void TraceWriter::endRun(uint64_t cycles, const std::vector<uint64_t> &layerEnds) {
  bool whole = !cut;
  endOpen(base + cycles);
  // After a cut this run's layers still have their place.
  if (whole || *cut >= base) {
    uint64_t from = 0;
    for (size_t i = 0; i < layerEnds.size(); from = layerEnds[i++]) {
      if (layerEnds[i] == from)
        continue;
      at(LayersTrack);
      put(base + from, named(event::sliceBegin, LayersTrack, layerName(i)));
      put(base + layerEnds[i], eventOf(event::sliceEnd, LayersTrack));
      bool first = !cut;
      if (!flush(base + from, 0)) {
        events -= first ? 1 : 2; // the first that has no place is not counted anyway
        break;
      }
    }
  }
  base += cycles;
}

//===----------------------------------------------------------------------===//
// What users see
//===----------------------------------------------------------------------===//

Trace::Trace(TraceOptions options, TraceSink sink)
    : impl(std::make_unique<TraceWriter>(std::move(options), std::move(sink))) {}
Trace::~Trace() = default;
uint64_t Trace::bytes() const { return impl->bytes; }
uint64_t Trace::events() const { return impl->events; }
std::optional<uint64_t> Trace::cutAt() const { return impl->cut; }
bool Trace::failed() const { return impl->failed; }

} // namespace dojo::emu
