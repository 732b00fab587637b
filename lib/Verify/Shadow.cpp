// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Shadow.h"

#include "dojo/Image/ElementType.h"

#include <algorithm>

namespace dojo::verify {

Shadow::Shadow(const Program &program)
    : program(program), index(program.index), image(index.image), wholeSram(image.buffers.empty()),
      sendsBelongToNextLayer(image.certificate.is_object() &&
                             image.certificate.value("sends_belong_to_next_layer", false)),
      nodes(image.target.positions()), scratch(index.sram) {
  size_t buffers = wholeSram ? 1 : image.buffers.size();
  for (int64_t node : index.nodes) {
    nodes[node].valid = nodes[node].touched = Bitmap(index.sram);
    nodes[node].buffers.resize(buffers);
    nodes[node].buffers.front().open = wholeSram;
    for (auto &uses : nodes[node].uses)
      uses.resize(image.target.threads);
  }
  sharing.resize(buffers);
  bufferRead.resize(buffers);
  for (uint32_t a = 0; a < image.buffers.size(); ++a)
    for (uint32_t b = 0; b < image.buffers.size(); ++b) {
      const image::Buffer &x = image.buffers[a], &y = image.buffers[b];
      if (a != b && x.address < uint64_t(y.address) + y.bytes &&
          y.address < uint64_t(x.address) + x.bytes)
        sharing[a].push_back(b);
    }
  place();
}

/// What the loader and the runtime put there before the start.
void Shadow::place() {
  auto openAt = [&](int64_t node, int64_t lo, int64_t hi, bool aliveAtStart) {
    for (uint32_t i = 0; i < image.buffers.size(); ++i) {
      const image::Buffer &b = image.buffers[i];
      bool touched = b.address < hi && lo < int64_t(b.address) + b.bytes;
      if (touched && (!aliveAtStart || index.lifeOf(i).first <= 0))
        nodes[node].buffers[i].open = true;
    }
  };
  for (int64_t node : index.nodes)
    for (const Interval &constant : index.constantsOn(node)) {
      nodes[node].valid.set(constant.lo, constant.hi);
      openAt(node, constant.lo, constant.hi, false);
    }
  for (const image::TensorRef &t : image.inputs)
    for (const image::Box &box : t.boxes) {
      int64_t bytes = image::findElementType(t.type)->bytes;
      for (int64_t node : image.nodeSets[box.nodeSet].nodes()) {
        openAt(node, box.address, endOf(box, bytes), true);
        eachRun(box, bytes, [&](int64_t lo, int64_t hi) {
          nodes[node].valid.set(lo, hi);
          return true;
        });
      }
    }
}

void Shadow::report(Verdict verdict, const std::string &text) {
  if (!full())
    findings.push_back({Check::Order, verdict, text});
}

int32_t Shadow::bufferAt(uint32_t node, int64_t lo, int64_t hi, int32_t layer) const {
  return wholeSram ? 0 : index.bufferOf(node, lo, hi, layer);
}

void Shadow::merge(std::vector<Epoch> &list, Epoch e) {
  for (Epoch &other : list)
    if (other.thread == e.thread) {
      other.steps = std::max(other.steps, e.steps);
      return;
    }
  list.push_back(e);
}

bool Shadow::ordered(const Record &record, const Knowledge &known) const {
  for (int i = 0; i < record.numDone; ++i)
    if (known.covers(record.done[i]))
      return true;
  return false;
}

void Shadow::complete(uint32_t record, Epoch epoch) {
  Record &r = records[record];
  if (r.numDone < 2)
    r.done[r.numDone++] = epoch;
}

ByteSet Shadow::bytesOf(const Record &record) const {
  const Origin &o = record.origin;
  const Event &e = program.threads[o.thread].events[o.event];
  auto part = [&](const std::vector<Interval> &list) {
    return ByteSet(std::span(list).subspan(o.first, o.count));
  };
  switch (o.part) {
  case Origin::Part::DeclaredRead:
    return Strided::of(image.segments[program.calls[e.index].segment].reads[o.first]).simplified();
  case Origin::Part::DeclaredWrite:
    return Strided::of(image.segments[program.calls[e.index].segment].writes[o.first]).simplified();
  case Origin::Part::Read:
    return part((*program.footprints)[program.calls[e.index].footprint].reads);
  case Origin::Part::Write:
    return part((*program.footprints)[program.calls[e.index].footprint].writes);
  case Origin::Part::Split:
    return part(splits);
  case Origin::Part::Local:
    return Strided::localOf(program.transfers[e.index].d).simplified();
  case Origin::Part::Remote:
    return Strided::remoteOf(program.transfers[e.index].d).simplified();
  case Origin::Part::Whole:
    break;
  }
  const Access &access = program.accesses[e.index];
  return Strided{access.address, access.bytes, {1, 1, 1}, {0, 0, 0}};
}

/// The first byte that two sets have in common, or -1.
int64_t Shadow::meet(const ByteSet &a, const ByteSet &b) {
  int64_t loA, hiA, loB, hiB;
  a.bounds(loA, hiA);
  b.bounds(loB, hiB);
  if (loA >= hiB || loB >= hiA)
    return -1;
  if (a.runs() == 1 && b.runs() == 1)
    return std::max(loA, loB);
  a.eachRun([&](int64_t lo, int64_t hi) { return scratch.set(lo, hi), true; });
  int64_t found = -1;
  b.eachRun([&](int64_t lo, int64_t hi) { return (found = scratch.firstSet(lo, hi)) < 0; });
  scratch.clear(loA, hiA);
  return found;
}

/// Begins the life of a buffer's content: what shares its bytes is gone.
void Shadow::open(uint32_t node, uint32_t buffer) {
  NodeState &state = nodes[node];
  BufferState &opened = state.buffers[buffer];
  opened.required.clear();
  opened.requiredRecords.clear();
  auto require = [&](BufferState &other) {
    bool over = true;
    for (auto *list : {&other.reads, &other.writes})
      for (uint32_t r : *list)
        if (records[r].numDone > 0)
          merge(opened.required, records[r].done[0]);
        else
          over = false, opened.requiredRecords.push_back(r);
    for (Epoch e : other.past)
      merge(opened.required, e);
    if (!over)
      return;
    for (auto *list : {&other.reads, &other.writes}) {
      for (uint32_t r : *list)
        merge(other.past, records[r].done[0]);
      list->clear();
    }
  };
  for (uint32_t b : sharing[buffer]) {
    require(state.buffers[b]);
    state.buffers[b].open = false;
  }
  require(opened);
  opened.open = true;
  const image::Buffer &b = image.buffers[buffer];
  for (Bitmap *bits : {&state.valid, &state.touched})
    bits->clear(b.address, int64_t(b.address) + b.bytes);
}

std::string Shadow::describe(const Origin &origin, int32_t layer) const {
  const ThreadTrace &trace = program.threads[origin.thread];
  const Event &e = trace.events[origin.event];
  std::string context = " (" + index.layerName(layer) + ")";
  switch (e.kind) {
  case Event::Kind::Transfer:
    return "the " + program.transferName(program.transfers[e.index]) + context;
  case Event::Kind::Call:
    return "the code at " + ImageIndex::hex(image.segments[program.calls[e.index].segment].begin) +
           " of " + program.threadName(trace) + context;
  default:
    return program.placeName(trace, e);
  }
}

std::string Shadow::where(uint32_t node, uint32_t buffer, int64_t lo, int64_t hi) const {
  return ImageIndex::bytesName(lo, hi) +
         (wholeSram ? "" : " of " + index.bufferName(int32_t(buffer))) + " on " +
         index.nodeName(node);
}

/// Reports the first of the earlier accesses that meets this one and is not ordered before it.
void Shadow::conflict(uint32_t node, uint32_t buffer, const std::vector<uint32_t> &earlier,
                      const char *kind, const ByteSet &bytes, bool write, const Knowledge &known,
                      const Origin &origin, int32_t layer) {
  bool isCall = program.threads[origin.thread].events[origin.event].kind == Event::Kind::Call;
  for (uint32_t r : earlier) {
    if (ordered(records[r], known))
      continue;
    const Origin &other = records[r].origin;
    if (isCall && other.thread == origin.thread && other.event == origin.event)
      continue; // in the order of the code
    int64_t byte = meet(bytesOf(records[r]), bytes);
    if (byte < 0)
      continue;
    return error(where(node, buffer, byte, byte + 1) + ": nothing orders the " + kind + " by " +
                 describe(records[r].origin, records[r].layer) + " before the " +
                 (write ? "write" : "read") + " by " + describe(origin, layer));
  }
}

/// Everything done to buffers that this one displaced must be over.
void Shadow::displaced(uint32_t node, uint32_t buffer, const Knowledge &known, const Origin &origin,
                       int32_t layer) {
  BufferState &state = nodes[node].buffers[buffer];
  auto reuse = [&](const std::string &what) {
    const image::Buffer &b = image.buffers[buffer];
    error(where(node, buffer, b.address, int64_t(b.address) + b.bytes) +
          " are used again: nothing orders " + what + " before " + describe(origin, layer));
  };
  for (Epoch e : state.required)
    if (!known.covers(e)) {
      const ThreadTrace &trace = program.threads[e.thread];
      return reuse("the use of another buffer's content by " +
                   program.placeName(trace, trace.events[e.steps - 1]));
    }
  for (uint32_t r : state.requiredRecords)
    if (!ordered(records[r], known))
      return reuse("the access by " + describe(records[r].origin, records[r].layer));
}

void Shadow::checkContent(uint32_t node, uint32_t buffer, const ByteSet &bytes,
                          const Origin &origin, int32_t layer, Content content) {
  const Bitmap &valid = nodes[node].valid;
  bool open = nodes[node].buffers[buffer].open;
  if (open && content == Content::Tracked)
    return;
  int64_t missing = -1, hi;
  if (open && bytes.eachRun([&](int64_t lo, int64_t end) {
        return (missing = valid.firstClear(lo, end)) < 0;
      }))
    return;
  if (!open)
    bytes.bounds(missing, hi);
  // Code that was not followed may have written first what it then reads, or use no such value.
  report(content == Content::Declared ? Verdict::Undecided : Verdict::Error,
         where(node, buffer, missing, missing + 1) + ": " + describe(origin, layer) +
             " reads what nothing has written before" +
             (open ? "" : "; the buffer holds nothing at this time"));
}

uint32_t Shadow::access(uint32_t node, const ByteSet &bytes, bool write, int32_t layer,
                        const Knowledge &known, const Epoch *done, const Origin &origin) {
  return accessAs(node, bytes, write, layer, known, done, origin, Content::Needed);
}

uint32_t Shadow::accessAs(uint32_t node, const ByteSet &bytes, bool write, int32_t layer,
                          const Knowledge &known, const Epoch *done, const Origin &origin,
                          Content content) {
  if (bytes.empty() || full())
    return noRecord;
  int64_t lo, hi;
  bytes.bounds(lo, hi);
  if (lo < 0 || hi > index.sram)
    return noRecord; // an error of Transfers
  ++accesses;
  if (bytes.runs() > maxRuns) {
    report(Verdict::Undecided, describe(origin, layer) + " touches too many pieces of memory");
    return noRecord;
  }
  bool sent = origin.part == Origin::Part::Local || origin.part == Origin::Part::Remote;
  if (sent && sendsBelongToNextLayer)
    layer = std::min(layer + 1, int32_t(image.layers.size()) - 1);
  int32_t buffer = bufferAt(node, lo, hi, layer);
  bool alive = wholeSram;
  if (buffer != ImageIndex::noBuffer && !wholeSram) {
    auto [first, last] = index.lifeOf(buffer);
    alive = std::max(layer, 0) >= first && layer <= last;
  }
  if (!alive) {
    error(ImageIndex::bytesName(lo, hi) + " on " + index.nodeName(node) +
          ", which no buffer holds that lives in " + index.layerName(layer) + ", are " +
          (write ? "written" : "read") + " by " + describe(origin, layer));
    return noRecord;
  }
  NodeState &state = nodes[node];
  BufferState &b = state.buffers[buffer];
  if (write) {
    if (index.touchesConstant(node, lo, hi) &&
        !bytes.eachRun([&](int64_t x, int64_t y) { return !index.touchesConstant(node, x, y); }))
      error(where(node, buffer, lo, hi) +
            ": constants placed by the loader are written (the image could not run again) by " +
            describe(origin, layer));
    if (!b.open)
      open(node, buffer);
  }
  displaced(node, buffer, known, origin, layer);
  if (write) {
    conflict(node, buffer, b.reads, "read", bytes, write, known, origin, layer);
    bool again = false;
    bytes.eachRun([&](int64_t x, int64_t y) {
      again |= state.touched.set(x, y);
      state.valid.set(x, y);
      return true;
    });
    if (again)
      conflict(node, buffer, b.writes, "write", bytes, write, known, origin, layer);
  } else {
    conflict(node, buffer, b.writes, "write", bytes, write, known, origin, layer);
    checkContent(node, buffer, bytes, origin, layer, content);
    bufferRead[buffer] = true;
  }
  Record record{origin, layer, 0, {}};
  if (done)
    record.done[record.numDone++] = *done;
  records.push_back(record);
  (write ? b.writes : b.reads).push_back(uint32_t(records.size() - 1));
  return uint32_t(records.size() - 1);
}

void Shadow::call(uint32_t node, const Call &call, int32_t layer, const Knowledge &known,
                  Epoch done, uint32_t event) {
  accumulators(node, call.accumulators, known, done, event);
  if (call.footprint == Call::unknown)
    declaredCall(node, image.segments[call.segment], layer, known, done, event);
  else
    followedCall(node, call.footprint, layer, known, done, event);
}

void Shadow::declaredCall(uint32_t node, const image::Segment &segment, int32_t layer,
                          const Knowledge &known, Epoch done, uint32_t event) {
  Origin origin{done.thread, event, Origin::Part::DeclaredRead, 0, 0};
  for (const image::Region &region : segment.reads) {
    accessAs(node, Strided::of(region).simplified(), false, layer, known, &done, origin,
             Content::Declared);
    ++origin.first;
  }
  origin = {done.thread, event, Origin::Part::DeclaredWrite, 0, 0};
  for (const image::Region &region : segment.writes) {
    accessAs(node, Strided::of(region).simplified(), true, layer, known, &done, origin,
             Content::Declared);
    ++origin.first;
  }
}

void Shadow::followedCall(uint32_t node, uint32_t number, int32_t layer, const Knowledge &known,
                          Epoch done, uint32_t event) {
  Bitmap &valid = nodes[node].valid;
  const Footprint &footprint = (*program.footprints)[number];
  std::vector<Interval> missing;
  for (const Interval &i : footprint.reads)
    for (int64_t at = i.lo; at < i.hi;) {
      int64_t lo = valid.firstClear(at, i.hi);
      if (lo < 0)
        break;
      int64_t hi = valid.firstSet(lo, i.hi);
      missing.push_back({lo, at = hi < 0 ? i.hi : hi});
    }
  const std::vector<Interval> &undefined = program.footprints->undefined(number, missing, valid);
  accessList(node, footprint.reads, Origin::Part::Read, layer, known, done, event);
  accessList(node, footprint.writes, Origin::Part::Write, layer, known, done, event);
  for (const Interval &i : undefined)
    valid.clear(i.lo, i.hi);
}

void Shadow::accessList(uint32_t node, const std::vector<Interval> &list, Origin::Part part,
                        int32_t layer, const Knowledge &known, Epoch done, uint32_t event) {
  bool write = part == Origin::Part::Write;
  auto endOfBuffer = [&](int64_t lo, int64_t hi) {
    if (wholeSram)
      return index.sram;
    int32_t b = index.bufferOf(node, lo, hi, layer);
    return b == ImageIndex::noBuffer ? int64_t(-1)
                                     : int64_t(image.buffers[b].address) + image.buffers[b].bytes;
  };
  for (size_t i = 0; i < list.size();) {
    Origin origin{done.thread, event, part, uint32_t(i), 0};
    int64_t end = endOfBuffer(list[i].lo, list[i].hi);
    if (end >= 0) {
      while (i < list.size() && list[i].hi <= end)
        ++i;
      origin.count = uint32_t(i) - origin.first;
      accessAs(node, std::span(list).subspan(origin.first, origin.count), write, layer, known,
               &done, origin, Content::Tracked);
      continue;
    }
    // One run over several buffers, or outside of any.
    for (int64_t at = list[i].lo; at < list[i].hi;) {
      end = endOfBuffer(at, at + 1);
      if (end < 0)
        end = list[i].hi;
      splits.push_back({at, std::min(end, list[i].hi)});
      at = splits.back().hi;
      origin.part = Origin::Part::Split;
      origin.first = uint32_t(splits.size() - 1), origin.count = 1;
      Interval piece = splits.back();
      accessAs(node, std::span<const Interval>(&piece, 1), write, layer, known, &done, origin,
               Content::Tracked);
    }
    ++i;
  }
}

void Shadow::accumulators(uint32_t node, uint8_t mask, const Knowledge &known, Epoch done,
                          uint32_t event) {
  uint32_t own = program.threads[done.thread].thread;
  for (int a = 0; a < 8; ++a) {
    if (!(mask >> a & 1))
      continue;
    auto &uses = nodes[node].uses[a];
    for (uint32_t t = 0; t < uses.size(); ++t)
      if (t != own && uses[t].steps && !known.covers({uses[t].thread, uses[t].steps})) {
        const ThreadTrace &other = program.threads[uses[t].thread];
        const ThreadTrace &trace = program.threads[done.thread];
        error("accumulator " + std::to_string(a) + " of " + index.nodeName(node) +
              ": nothing orders its use by " +
              program.placeName(other, other.events[uses[t].event]) + " and by " +
              program.placeName(trace, trace.events[event]));
      }
    uses[own] = {done.thread, event, done.steps};
  }
}

std::vector<bool> Shadow::inputsRead() const {
  std::vector<bool> result;
  if (wholeSram)
    return result;
  for (const image::TensorRef &t : image.inputs) {
    bool read = t.boxes.empty();
    for (const image::Box &box : t.boxes) {
      int64_t hi = endOf(box, image::findElementType(t.type)->bytes);
      for (int64_t node : image.nodeSets[box.nodeSet].nodes()) {
        int32_t b = bufferAt(uint32_t(node), box.address, hi, std::max(t.firstLayer, 0));
        read |= b != ImageIndex::noBuffer && bufferRead[b];
      }
    }
    result.push_back(read);
  }
  return result;
}

void Shadow::finish() {
  for (const image::TensorRef &t : image.outputs)
    for (const image::Box &box : t.boxes) {
      int64_t bytes = image::findElementType(t.type)->bytes, hi = endOf(box, bytes);
      for (int64_t node : image.nodeSets[box.nodeSet].nodes()) {
        int64_t missing = -1;
        eachRun(box, bytes, [&](int64_t a, int64_t b) {
          return (missing = nodes[node].valid.firstClear(a, b)) < 0;
        });
        int32_t b = bufferAt(uint32_t(node), box.address, hi, t.lastLayer);
        if (missing >= 0)
          error("output \"" + t.name + "\": nothing writes " +
                where(uint32_t(node), uint32_t(b), missing, missing + 1));
        else if (!wholeSram && b != ImageIndex::noBuffer && !nodes[node].buffers[b].open)
          error("output \"" + t.name + "\": at the end " +
                where(uint32_t(node), uint32_t(b), box.address, hi) + " hold something else");
      }
    }
}

} // namespace dojo::verify
