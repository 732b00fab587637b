// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The manifest: the parts of an image that people read, as JSON.
#include "Format.h"

namespace dojo::image {
namespace {

Json toJson(const TensorRef &t) {
  return {{"name", t.name},
          {"type", t.type},
          {"shape", t.shape},
          {"logical_shape", t.logicalShape},
          {"block_dim", t.blockDim},
          {"block_size", t.blockSize},
          {"first_layer", t.firstLayer},
          {"last_layer", t.lastLayer},
          {"boxes", t.boxes.size()}};
}

Json toJson(const Layer &l) {
  Json json = {{"name", l.name},
               {"onnx", l.onnxNames},
               {"op", l.op},
               {"plan", l.plan},
               {"macs", l.macs},
               {"estimated_cycles", l.estimatedCycles},
               {"busiest_over_mean", l.busiestOverMean}};
  if (l.endPc >= 0)
    json["end_pc"] = l.endPc;
  return json;
}

Json toJson(const Buffer &b) {
  return {{"name", b.name},           {"kind", b.kind},   {"node_set", b.nodeSet},
          {"address", b.address},     {"bytes", b.bytes}, {"first_layer", b.firstLayer},
          {"last_layer", b.lastLayer}};
}

// One letter a link: E, W, S, N.
Json toJson(const Route &route) {
  std::string text;
  for (Step step : route)
    text += "EWSN"[int(step)];
  return text;
}

template <class T> Json toList(const std::vector<T> &items) {
  Json list = Json::array();
  for (const T &item : items)
    list.push_back(toJson(item));
  return list;
}

// The JSON library copies and prints values by recursion.
bool tooDeep(std::span<const uint8_t> text) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    uint8_t c = text[i];
    if (c == '"')
      inString = !inString;
    else if (inString)
      i += c == '\\';
    else if (c == '[' || c == '{')
      ++depth;
    else if (c == ']' || c == '}')
      --depth;
    if (depth > 64)
      return true;
  }
  return false;
}

// Reads members of JSON objects; the first that is missing or of the wrong kind sets the error.
class Fields {
public:
  Fields(const Json &object, std::string where, std::string &error)
      : object(object), where(std::move(where)), error(error) {
    if (!object.is_object())
      fail("is not an object");
  }

  bool ok() const { return error.empty(); }

  void read(const char *key, std::string &out) {
    if (const Json *v = find(key); v && v->is_string())
      out = v->get<std::string>();
    else
      fail(key, "a string");
  }
  void read(const char *key, uint64_t &out) {
    if (const Json *v = find(key); v && v->is_number_unsigned())
      out = v->get<uint64_t>();
    else
      fail(key, "a count");
  }
  void read(const char *key, uint32_t &out) {
    uint64_t wide = 0;
    read(key, wide);
    if (wide > UINT32_MAX)
      fail(key, "a 32-bit count");
    out = uint32_t(wide);
  }
  void read(const char *key, int64_t &out) {
    if (const Json *v = find(key); v && isInteger(*v))
      out = v->get<int64_t>();
    else
      fail(key, "an integer");
  }
  void read(const char *key, int32_t &out) {
    int64_t wide = 0;
    read(key, wide);
    if (wide < INT32_MIN || wide > INT32_MAX)
      fail(key, "a 32-bit integer");
    out = int32_t(wide);
  }
  void read(const char *key, double &out) {
    if (const Json *v = find(key); v && v->is_number())
      out = v->get<double>();
    else
      fail(key, "a number");
  }
  void read(const char *key, std::vector<int64_t> &out) {
    const Json *v = find(key);
    bool good = v && v->is_array();
    for (size_t i = 0; good && i < v->size(); ++i) {
      good = isInteger((*v)[i]);
      if (good)
        out.push_back((*v)[i].get<int64_t>());
    }
    if (!good)
      fail(key, "a list of integers");
  }
  void read(const char *key, std::vector<std::string> &out) {
    const Json *v = find(key);
    bool good = v && v->is_array();
    for (size_t i = 0; good && i < v->size(); ++i) {
      good = (*v)[i].is_string();
      if (good)
        out.push_back((*v)[i].get<std::string>());
    }
    if (!good)
      fail(key, "a list of strings");
  }

  /// Reads a list of objects with \p readItem(Fields &, T &).
  template <class T, class F> void readList(const char *key, std::vector<T> &out, F readItem) {
    const Json *v = find(key);
    if (!v || !v->is_array())
      return fail(key, "a list");
    for (size_t i = 0; ok() && i < v->size(); ++i) {
      Fields item((*v)[i], where + "." + key + "[" + std::to_string(i) + "]", error);
      if (ok())
        readItem(item, out.emplace_back());
    }
  }

  const Json *find(const char *key) const {
    auto it = object.find(key);
    return it == object.end() ? nullptr : &*it;
  }
  void fail(const char *key, const std::string &kind) {
    fail("has no \"" + std::string(key) + "\" that is " + kind);
  }
  void fail(const std::string &what) {
    if (error.empty())
      error = where + " " + what;
  }

private:
  static bool isInteger(const Json &v) {
    return v.is_number_integer() && !(v.is_number_unsigned() && v.get<uint64_t>() > INT64_MAX);
  }

  const Json &object;
  std::string where;
  std::string &error;
};

void readTensor(Fields &f, TensorRef &t, uint64_t &boxesLeft) {
  f.read("name", t.name);
  f.read("type", t.type);
  f.read("shape", t.shape);
  f.read("logical_shape", t.logicalShape);
  f.read("block_dim", t.blockDim);
  f.read("block_size", t.blockSize);
  f.read("first_layer", t.firstLayer);
  f.read("last_layer", t.lastLayer);
  uint64_t boxes = 0;
  f.read("boxes", boxes);
  if (boxes > boxesLeft)
    return f.fail("has more boxes than the box section can hold");
  boxesLeft -= boxes;
  t.boxes.resize(boxes);
}

void readLayer(Fields &f, Layer &l) {
  if (f.find("name"))
    f.read("name", l.name);
  if (f.find("end_pc"))
    f.read("end_pc", l.endPc);
  f.read("onnx", l.onnxNames);
  f.read("op", l.op);
  f.read("plan", l.plan);
  f.read("macs", l.macs);
  f.read("estimated_cycles", l.estimatedCycles);
  f.read("busiest_over_mean", l.busiestOverMean);
}

void readBuffer(Fields &f, Buffer &b) {
  f.read("name", b.name);
  f.read("kind", b.kind);
  f.read("node_set", b.nodeSet);
  f.read("address", b.address);
  f.read("bytes", b.bytes);
  f.read("first_layer", b.firstLayer);
  f.read("last_layer", b.lastLayer);
}

void readRoutes(Fields &f, std::vector<Route> &routes) {
  std::vector<std::string> texts;
  f.read("routes", texts);
  for (const std::string &text : texts) {
    Route &route = routes.emplace_back();
    for (char c : text) {
      size_t step = std::string_view("EWSN").find(c);
      if (step == std::string_view::npos)
        return f.fail("routes", "a list of strings of E, W, S and N");
      route.push_back(Step(step));
    }
  }
}

} // namespace

std::string writeManifest(const Image &image) {
  Json json = {{"format", "dojo-image-1"},
               {"producer", image.producer},
               {"target", Json::parse(image.target.toJson())},
               {"target_hash", image.target.hash()},
               {"model_macs", image.modelMacs},
               {"seed", image.seed},
               {"sram_peak_bytes", image.sramPeak},
               {"sram_lower_bound_bytes", image.sramLowerBound},
               {"code_bytes", image.codeBytes},
               {"table_bytes", image.tableBytes},
               {"inputs", toList(image.inputs)},
               {"outputs", toList(image.outputs)},
               {"tensors", toList(image.tensors)},
               {"layers", toList(image.layers)},
               {"buffers", toList(image.buffers)},
               {"symbols", image.symbols},
               {"routes", toList(image.routes)},
               {"certificate", image.certificate}};
  // Names from models need not be valid UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool readManifest(std::span<const uint8_t> text, uint64_t maxBoxes, Image &image,
                  std::string &error) {
  error.clear();
  if (tooDeep(text)) {
    error = "the manifest is nested too deep";
    return false;
  }
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) {
    error = "the manifest is not valid JSON";
    return false;
  }
  Fields f(json, "the manifest", error);
  if (!f.ok())
    return false;
  const Json *format = f.find("format"), *target = f.find("target");
  if (!format || *format != "dojo-image-1")
    f.fail("format", "\"dojo-image-1\"");
  else if (!target)
    f.fail("target", "a target");
  if (!f.ok() || !parseTarget(target->dump(-1, ' ', false, Json::error_handler_t::replace),
                              "in the manifest", image.target, error))
    return false;

  std::string hash;
  f.read("target_hash", hash);
  if (f.ok() && hash != image.target.hash())
    f.fail("has a target_hash that is not the target's");
  f.read("producer", image.producer);
  f.read("model_macs", image.modelMacs);
  f.read("seed", image.seed);
  f.read("sram_peak_bytes", image.sramPeak);
  f.read("sram_lower_bound_bytes", image.sramLowerBound);
  f.read("code_bytes", image.codeBytes);
  f.read("table_bytes", image.tableBytes);
  uint64_t boxesLeft = maxBoxes;
  auto tensor = [&](Fields &item, TensorRef &t) { readTensor(item, t, boxesLeft); };
  f.readList("inputs", image.inputs, tensor);
  f.readList("outputs", image.outputs, tensor);
  f.readList("tensors", image.tensors, tensor);
  f.readList("layers", image.layers, readLayer);
  f.readList("buffers", image.buffers, readBuffer);
  f.read("symbols", image.symbols);
  readRoutes(f, image.routes);
  if (const Json *certificate = f.find("certificate"))
    image.certificate = *certificate;
  return f.ok();
}

} // namespace dojo::image
