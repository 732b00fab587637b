// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dojo/Image/Description.h"

#include "Format.h"

#include <algorithm>
#include <charconv>

namespace dojo::image {
namespace {

constexpr uint64_t maxBoxes = 1 << 24, maxContent = uint64_t(1) << 30;

/// A row that is read number by number; wrong once one is missing or out of range.
class RowReader {
public:
  explicit RowReader(const std::vector<int64_t> &row) : row(row) {}

  template <class T> void operator()(T &out) {
    good &= at < row.size() && std::in_range<T>(row[at]);
    if (good)
      out = T(row[at++]);
  }
  void operator()(std::vector<int64_t> &out, size_t count) {
    for (size_t i = 0; i < count && good; ++i)
      (*this)(out.emplace_back());
  }
  bool done() const { return good && at == row.size(); }
  bool ok() const { return good; }

private:
  const std::vector<int64_t> &row;
  size_t at = 0;
  bool good = true;
};

template <class... T> std::string rowText(const char *table, T... values) {
  std::string text = table;
  auto add = [&](int64_t value) { text += (text == table ? " " : ", ") + std::to_string(value); };
  (add(int64_t(values)), ...);
  return text;
}

void append(std::string &text, int64_t value) { text += ", " + std::to_string(value); }

} // namespace

std::vector<std::string> describe(const Image &image) {
  std::vector<std::string> lines;
  std::string manifest = "manifest ";
  for (char c : writeManifest(image)) // '#' stands in strings only
    c == '#' ? manifest += "\\u0023" : manifest += c;
  lines.push_back(std::move(manifest));
  for (const NodeSet &set : image.nodeSets) {
    std::string text = rowText("nodes", set.size());
    for (int64_t node : set.nodes())
      append(text, node);
    lines.push_back(std::move(text));
  }
  for (const Blob &blob : image.blobs)
    lines.push_back(rowText("blob", blob.offset, blob.bytes, blob.code));
  for (const Load &load : image.loads)
    lines.push_back(rowText("load", load.blob, load.address, load.nodeSet));
  for (const Entry &e : image.entries)
    lines.push_back(rowText("entry", e.nodeSet, e.pc[0], e.pc[1], e.pc[2], e.pc[3]));
  for (const PcRange &r : image.pcRanges)
    lines.push_back(rowText("range", r.nodeSet, r.begin, r.end, r.layer, r.symbol));
  for (const auto *list : {&image.inputs, &image.outputs, &image.tensors})
    for (const TensorRef &tensor : *list)
      for (const Box &box : tensor.boxes) {
        std::string text = rowText("box", box.nodeSet, box.address);
        for (const auto *values : {&box.lo, &box.size, &box.strides})
          for (int64_t value : *values)
            append(text, value);
        lines.push_back(std::move(text));
      }
  for (const Segment &s : image.segments) {
    std::string text = rowText("segment", s.nodeSet, s.begin, s.end, s.layer, s.reads.size(),
                               s.writes.size(), s.ignored.size());
    for (const auto *regions : {&s.reads, &s.writes, &s.ignored})
      for (const Region &region : *regions) {
        append(text, region.address);
        append(text, region.bytes);
        for (uint32_t count : region.count)
          append(text, count);
        for (int32_t stride : region.stride)
          append(text, stride);
      }
    lines.push_back(std::move(text));
  }
  return lines;
}

bool Description::add(std::string_view line, std::string &error) {
  size_t blank = line.find(' ');
  std::string_view table = line.substr(0, blank);
  std::string_view rest = blank == line.npos ? "" : line.substr(blank + 1);
  if ((table == "manifest") == hasManifest) {
    error = hasManifest ? "there are two manifests" : "the manifest must come first";
    return false;
  }
  if (!hasManifest) {
    auto *bytes = reinterpret_cast<const uint8_t *>(rest.data());
    return hasManifest = readManifest({bytes, rest.size()}, maxBoxes, image, error);
  }
  static constexpr std::string_view known[] = {"nodes", "blob", "load",   "entry",
                                               "range", "box",  "segment"};
  if (std::find(std::begin(known), std::end(known), table) == std::end(known)) {
    error = "there is no table '" + std::string(table) + "'";
    return false;
  }
  auto found = tables.find(table);
  if (found == tables.end())
    found = tables.emplace(table, std::vector<Row>()).first;
  Row &row = found->second.emplace_back();
  while (true) {
    int64_t value = 0;
    auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    rest.remove_prefix(end - rest.data());
    if (status != std::errc() || (!rest.empty() && !rest.starts_with(", "))) {
      error = "'" + std::string(line.substr(0, 40)) + "' is no row of numbers";
      return false;
    }
    row.push_back(value);
    if (rest.empty())
      return true;
    rest.remove_prefix(2);
  }
}

bool Description::build(const Content &content, Image &out, std::string &error) {
  std::string bad;
  auto read = [&](const char *table, auto readRow) {
    const std::vector<Row> &rows = tables[table];
    for (size_t i = 0; i < rows.size() && bad.empty(); ++i) {
      RowReader row(rows[i]);
      readRow(row);
      if (!row.done())
        bad = std::string(table) + " " + std::to_string(i) + " of the description is malformed";
    }
  };
  read("nodes", [&](RowReader &row) {
    NodeSet &set = image.nodeSets.emplace_back(emptyNodeSet(image.target));
    uint32_t count = 0, node = 0;
    for (row(count); count > 0 && row.ok(); --count) {
      row(node);
      if (row.ok() && node < image.target.positions())
        set.insert(node);
    }
  });
  uint64_t bytes[2] = {0, 0}; // of data, of code
  read("blob", [&](RowReader &row) {
    Blob &blob = image.blobs.emplace_back();
    row(blob.offset), row(blob.bytes);
    uint8_t code = 0;
    row(code);
    blob.code = code;
    uint64_t &end = bytes[blob.code];
    if (blob.offset > maxContent || blob.bytes > uint64_t(image.target.sramBytes) ||
        blob.offset < end || blob.offset - end >= 64)
      bad = "the description's blobs are not one behind the other";
    end = blob.offset + blob.bytes;
  });
  read("load", [&](RowReader &row) {
    Load &load = image.loads.emplace_back();
    row(load.blob), row(load.address), row(load.nodeSet);
    if (load.blob >= image.blobs.size() || load.nodeSet >= image.nodeSets.size())
      bad = "a load of the description names no blob or no nodes";
  });
  read("entry", [&](RowReader &row) {
    Entry &entry = image.entries.emplace_back();
    row(entry.nodeSet);
    for (int32_t &pc : entry.pc)
      row(pc);
  });
  read("range", [&](RowReader &row) {
    PcRange &range = image.pcRanges.emplace_back();
    row(range.nodeSet), row(range.begin), row(range.end), row(range.layer), row(range.symbol);
  });
  std::vector<std::pair<Box *, size_t>> boxes; // with the rank
  for (auto *list : {&image.inputs, &image.outputs, &image.tensors})
    for (TensorRef &tensor : *list)
      for (Box &box : tensor.boxes)
        boxes.push_back({&box, tensor.shape.size()});
  if (boxes.size() != tables["box"].size())
    bad = "the manifest and the description's boxes do not agree";
  size_t next = 0;
  read("box", [&](RowReader &row) {
    auto [box, rank] = boxes[next++];
    row(box->nodeSet), row(box->address);
    row(box->lo, rank), row(box->size, rank), row(box->strides, rank);
  });
  read("segment", [&](RowReader &row) {
    Segment &s = image.segments.emplace_back();
    uint32_t counts[3] = {};
    row(s.nodeSet), row(s.begin), row(s.end), row(s.layer);
    for (uint32_t &count : counts)
      row(count);
    size_t which = 0;
    for (auto *regions : {&s.reads, &s.writes, &s.ignored})
      for (uint32_t count = counts[which++]; count > 0 && row.ok(); --count) {
        Region &region = regions->emplace_back();
        row(region.address), row(region.bytes);
        for (uint32_t &c : region.count)
          row(c);
        for (int32_t &stride : region.stride)
          row(stride);
      }
  });
  if (!bad.empty()) {
    error = bad;
    return false;
  }

  struct Sections {
    std::vector<uint8_t> data, code;
  };
  auto sections = std::make_shared<Sections>();
  std::vector<bool> filled(image.blobs.size());
  for (const Load &load : image.loads) {
    const Blob &blob = image.blobs[load.blob];
    std::vector<uint8_t> found(blob.bytes);
    std::vector<uint8_t> &section = blob.code ? sections->code : sections->data;
    bool good = content(image.nodeSets[load.nodeSet], load.address, found);
    if (good && !filled[load.blob])
      section.resize(std::max<uint64_t>(section.size(), blob.offset + blob.bytes));
    auto place = section.begin() + int64_t(good ? blob.offset : 0);
    if (good && filled[load.blob])
      good = std::equal(found.begin(), found.end(), place);
    if (!good) {
      error = "what the text puts at " + std::to_string(load.address) +
              " is not what its description says; without the description it is assembled as it is";
      return false;
    }
    std::copy(found.begin(), found.end(), place);
    filled[load.blob] = true;
  }
  if (std::find(filled.begin(), filled.end(), false) != filled.end()) {
    error = "a blob of the description is placed nowhere";
    return false;
  }
  image.code = sections->code;
  image.data = sections->data;
  image.storage = sections;
  out = std::move(image);
  return true;
}

} // namespace dojo::image
