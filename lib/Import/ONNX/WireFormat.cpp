// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "WireFormat.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
namespace {

/// The messages of onnx.proto on a path from the model to a tensor.
enum class Message { Model, Training, Function, Graph, Node, Attribute, Sparse, Tensor, Opaque };

/// The message in a length-delimited field of `parent`, by the field numbers of onnx.proto.
Message childOf(Message parent, uint64_t field) {
  switch (parent) {
  case Message::Model:
    return field == 7    ? Message::Graph
           : field == 20 ? Message::Training
           : field == 25 ? Message::Function
                         : Message::Opaque;
  case Message::Training:
    return field == 1 || field == 2 ? Message::Graph : Message::Opaque;
  case Message::Function:
    return field == 7 ? Message::Node : field == 11 ? Message::Attribute : Message::Opaque;
  case Message::Graph:
    return field == 1    ? Message::Node
           : field == 5  ? Message::Tensor
           : field == 15 ? Message::Sparse
                         : Message::Opaque;
  case Message::Node:
    return field == 5 ? Message::Attribute : Message::Opaque;
  case Message::Attribute:
    switch (field) {
    case 5:
    case 10:
      return Message::Tensor;
    case 6:
    case 11:
      return Message::Graph;
    case 22:
    case 23:
      return Message::Sparse;
    default:
      return Message::Opaque;
    }
  case Message::Sparse:
    return field == 1 || field == 2 ? Message::Tensor : Message::Opaque;
  case Message::Tensor:
  case Message::Opaque:
    return Message::Opaque;
  }
  return Message::Opaque;
}

constexpr uint64_t kRawData = 9, kExternalData = 13, kDataLocation = 14;
constexpr unsigned kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5;
// protobuf's own parser refuses messages nested deeper than 100.
constexpr unsigned kMaxDepth = 100;

struct Field {
  uint64_t number = 0;
  unsigned wireType = 0;
  size_t begin = 0;        ///< of the tag
  size_t contentBegin = 0; ///< of the value; after the length if there is one
  size_t end = 0;
};

void appendVarint(std::string &out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(char(value | 0x80));
    value >>= 7;
  }
  out.push_back(char(value));
}

void appendBytes(std::string &out, uint64_t field, StringRef bytes) {
  appendVarint(out, field << 3 | kLengthDelimited);
  appendVarint(out, bytes.size());
  out.append(bytes.data(), bytes.size());
}

void appendExternalEntry(std::string &out, StringRef key, StringRef value) {
  std::string entry;
  appendBytes(entry, 1, key);
  appendBytes(entry, 2, value);
  appendBytes(out, kExternalData, entry);
}

class Rewriter {
public:
  Rewriter(StringRef data, size_t keepBytes) : data(data), keepBytes(keepBytes) {}

  bool rewrite(Message kind, size_t begin, size_t end, unsigned depth, std::string &out);

  std::string error;

private:
  bool fail(size_t at, const Twine &what) {
    error = ("byte " + Twine(at) + ": " + what).str();
    return false;
  }
  bool readVarint(size_t &at, size_t end, uint64_t &value);
  bool readField(size_t at, size_t end, Field &field);
  bool rewriteTensor(size_t begin, size_t end, std::string &out);

  StringRef data;
  size_t keepBytes;
};

bool Rewriter::readVarint(size_t &at, size_t end, uint64_t &value) {
  value = 0;
  size_t start = at;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at >= end)
      return fail(start, "the file ends within a number");
    uint8_t byte = data[at++];
    if (shift < 64)
      value |= uint64_t(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return true;
  }
  return fail(start, "a number of more than ten bytes");
}

bool Rewriter::readField(size_t at, size_t end, Field &field) {
  field.begin = at;
  uint64_t tag, length = 0;
  if (!readVarint(at, end, tag))
    return false;
  field.number = tag >> 3;
  field.wireType = tag & 7;
  switch (field.wireType) {
  case kVarint:
    field.contentBegin = at;
    if (!readVarint(at, end, length))
      return false;
    field.end = at;
    return true;
  case kFixed64:
    length = 8;
    break;
  case kFixed32:
    length = 4;
    break;
  case kLengthDelimited:
    if (!readVarint(at, end, length))
      return false;
    break;
  default:
    return fail(field.begin, "field " + Twine(field.number) + " has the wire type " +
                                 Twine(field.wireType) + ", which ONNX does not use");
  }
  field.contentBegin = at;
  if (length > end - at)
    return fail(field.begin, "field " + Twine(field.number) + " of " + Twine(length) +
                                 " bytes runs past the end of its message; the file is "
                                 "truncated or damaged");
  field.end = at + length;
  return true;
}

bool Rewriter::rewriteTensor(size_t begin, size_t end, std::string &out) {
  unsigned rawFields = 0;
  bool external = false;
  Field raw;
  for (size_t at = begin; at < end;) {
    Field field;
    if (!readField(at, end, field))
      return false;
    at = field.end;
    external |= field.number == kExternalData || field.number == kDataLocation;
    if (field.number == kRawData && field.wireType == kLengthDelimited) {
      raw = field;
      ++rawFields;
    }
  }
  // A tensor that says two things about where its data are is left for the checker to refuse.
  if (rawFields != 1 || external || raw.end - raw.contentBegin <= keepBytes) {
    out.append(data.data() + begin, end - begin);
    return true;
  }
  out.append(data.data() + begin, raw.begin - begin);
  out.append(data.data() + raw.end, end - raw.end);
  appendExternalEntry(out, "location", kModelFileLocation);
  appendExternalEntry(out, "offset", Twine(raw.contentBegin).str());
  appendExternalEntry(out, "length", Twine(raw.end - raw.contentBegin).str());
  appendVarint(out, kDataLocation << 3 | kVarint);
  appendVarint(out, 1);
  return true;
}

bool Rewriter::rewrite(Message kind, size_t begin, size_t end, unsigned depth, std::string &out) {
  if (kind == Message::Tensor)
    return rewriteTensor(begin, end, out);
  if (depth > kMaxDepth)
    return fail(begin, "graphs are nested too deeply");
  for (size_t at = begin; at < end;) {
    Field field;
    if (!readField(at, end, field))
      return false;
    at = field.end;
    Message child =
        field.wireType == kLengthDelimited ? childOf(kind, field.number) : Message::Opaque;
    if (child == Message::Opaque) {
      out.append(data.data() + field.begin, field.end - field.begin);
      continue;
    }
    std::string content;
    if (!rewrite(child, field.contentBegin, field.end, depth + 1, content))
      return false;
    appendBytes(out, field.number, content);
  }
  return true;
}

} // namespace

Expected<std::string> moveRawDataOut(StringRef model, size_t keepBytes) {
  Rewriter rewriter(model, keepBytes);
  std::string out;
  if (!rewriter.rewrite(Message::Model, 0, model.size(), 0, out))
    return createStringError(rewriter.error);
  return out;
}

} // namespace mlir::dojo::onnximport
