// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading and writing target files.
#include "TargetValues.h"
#include "dojo/Target/Sha256.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace dojo {

struct BuiltinTarget {
  const char *name, *text;
};
extern const BuiltinTarget builtinTargetTable[];
extern const size_t builtinTargetCount;

using Json = nlohmann::ordered_json;

namespace {

constexpr const char *formatName = "dojo-target-1";

std::string range(int64_t min, int64_t max) {
  if (min == max)
    return "must be " + std::to_string(min);
  return "must be between " + std::to_string(min) + " and " + std::to_string(max);
}

// The readers return an empty string, or what is wrong with the value.
std::string readValue(const Json &json, const TargetValue &v, int64_t &out) {
  if (!json.is_number_integer() || (json.is_number_unsigned() && json.get<uint64_t>() > INT64_MAX))
    return "must be an integer";
  out = json;
  return out < v.min || out > v.max ? range(v.min, v.max) : "";
}

std::string readValue(const Json &json, const TargetValue &v, bool &out) {
  if (!json.is_boolean())
    return "must be true or false";
  out = json;
  return int64_t(out) < v.min || int64_t(out) > v.max
             ? std::string("must be ") + (v.min ? "true" : "false")
             : "";
}

std::string readValue(const Json &json, const TargetValue &, std::vector<std::string> &out) {
  out.clear();
  if (!json.is_array())
    return "must be a list of strings";
  for (const Json &item : json) {
    if (!item.is_string())
      return "must be a list of strings";
    out.push_back(item);
  }
  return "";
}

std::string readValue(const Json &json, const TargetValue &, std::vector<Position> &out) {
  out.clear();
  if (!json.is_array())
    return "must be a list of [row, column]";
  for (const Json &item : json) {
    if (!item.is_array() || item.size() != 2 || !item[0].is_number_unsigned() ||
        !item[1].is_number_unsigned() || item[0] > 4095 || item[1] > 4095)
      return "must be a list of [row, column]";
    out.push_back({item[0], item[1]});
  }
  std::sort(out.begin(), out.end());
  if (std::adjacent_find(out.begin(), out.end()) != out.end())
    return "names a position twice";
  return "";
}

Json toValue(int64_t v) { return v; }
Json toValue(bool v) { return v; }
Json toValue(const std::vector<std::string> &v) { return v; }
Json toValue(const std::vector<Position> &v) {
  Json list = Json::array();
  for (Position p : v)
    list.push_back({p.row, p.column});
  return list;
}

Json memberValue(const Target &target, const TargetValue &v) {
  return std::visit([&](auto member) { return toValue(target.*member); }, v.member);
}

class Parser {
public:
  Parser(std::string where, Target &out, std::string &error)
      : where(std::move(where)), out(out), error(error) {}

  bool parse(std::string_view text, bool mayHaveBase) {
    Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded())
      return fail("is not valid JSON");
    if (!json.is_object() || json.value("format", Json()) != formatName)
      return fail(std::string("is not a target file: \"format\" must be \"") + formatName + "\"");
    if (!readString(json, "name", out.name) || !readString(json, "description", out.description))
      return false;
    if (!json.contains("values") || !json["values"].is_object())
      return fail("has no object \"values\"");
    bool complete = !json.contains("base");
    if (!complete && (!mayHaveBase || !readBase(json["base"])))
      return error.empty() ? fail("may not have a \"base\": it is one") : false;
    if (!readValues(json["values"], complete) || !checkTogether())
      return false;
    return readUse(json);
  }

private:
  bool fail(const std::string &what) {
    error = "target " + where + ": " + what;
    return false;
  }
  bool failKey(const std::string &key, const std::string &what) {
    return fail("value \"" + key + "\" " + what);
  }

  bool readString(const Json &json, const char *key, std::string &result) {
    if (!json.contains(key) || !json[key].is_string())
      return fail(std::string("has no string \"") + key + "\"");
    result = json[key];
    return true;
  }

  bool readBase(const Json &base) {
    if (!base.is_string())
      return fail("\"base\" must be the name of a built-in target");
    for (size_t i = 0; i < builtinTargetCount; ++i)
      if (base == builtinTargetTable[i].name) {
        std::string name = out.name, description = out.description;
        if (!Parser(base, out, error).parse(builtinTargetTable[i].text, false))
          return false;
        out.name = name, out.description = description;
        return true;
      }
    return fail("\"base\" names no built-in target: " + base.dump());
  }

  bool readValues(const Json &values, bool complete) {
    auto table = targetValues();
    out.labels.resize(table.size());
    for (const auto &[key, item] : values.items()) {
      auto v = std::find_if(table.begin(), table.end(),
                            [&, &key = key](const TargetValue &v) { return key == v.key; });
      if (v == table.end())
        return failKey(key, "is unknown");
      if (!item.is_object() || !item.contains("value"))
        return failKey(key, "must be an object with \"value\", \"unit\" and \"label\"");
      if (item.value("unit", Json()) != v->unit)
        return failKey(key, std::string("must have the unit \"") + v->unit + "\"");
      Json label = item.value("label", Json());
      if (label != "D" && label != "I" && label != "X")
        return failKey(key, "must have the label D, I or X");
      out.labels[v - table.begin()] = label.get<std::string>()[0];
      std::string problem = std::visit(
          [&](auto member) { return readValue(item["value"], *v, out.*member); }, v->member);
      if (!problem.empty())
        return failKey(key, problem);
    }
    for (const TargetValue &v : table)
      if (complete && !values.contains(v.key))
        return failKey(v.key, "is missing");
    return true;
  }

  bool checkTogether() {
    for (const auto *list : {&out.disabled, &out.notForwarding})
      for (Position p : *list)
        if (p.row >= out.rows || p.column >= out.columns)
          return failKey(list == &out.disabled ? "die.disabled" : "die.not_forwarding",
                         "names a position outside the die");
    int64_t usable = out.positions() - int64_t(out.disabled.size());
    if (usable != out.dieUsableNodes)
      return failKey("die.usable_nodes",
                     "must be positions less disabled ones: " + std::to_string(usable));
    auto &formats = out.matrixFormats;
    if (std::find(formats.begin(), formats.end(), "bf16") == formats.end())
      return failKey("matrix.formats", "must contain bf16");
    if (out.sramBytes % out.lineBytes)
      return failKey("sram.bytes", "must be a multiple of the line");
    if (out.decodeThreads > out.threads)
      return failKey("node.decode_threads", "must not exceed node.threads");
    // The rules of timing know one limit for each of these; a file may not state two.
    int64_t decoded = out.decodeThreads * out.decodePerThread;
    if (out.decodePerCycle != decoded)
      return failKey("node.decode", "must be node.decode_threads times node.decode_per_thread: " +
                                        std::to_string(decoded));
    if (out.loadPorts != out.aguSlots)
      return failKey("sram.load_ports",
                     "must be as scalar.agu_slots: " + std::to_string(out.aguSlots));
    if (out.memoryOperations != out.aguSlots)
      return failKey("sram.operations",
                     "must be as scalar.agu_slots: " + std::to_string(out.aguSlots));
    out.partitionRows = out.rows, out.partitionColumns = out.columns;
    out.dead.clear();
    return true;
  }

  // "partition" and "dead", as toJson writes them.
  bool readUse(const Json &json) {
    if (json.contains("partition")) {
      const Json &p = json["partition"];
      if (!p.is_array() || p.size() != 2 || !p[0].is_number_unsigned() ||
          !p[1].is_number_unsigned() || p[0] > 4096 || p[1] > 4096)
        return fail("\"partition\" must be [rows, columns]");
      if (std::string problem; !out.withPartition(p[0], p[1], out, problem))
        return fail(problem);
    }
    if (json.contains("dead")) {
      std::vector<Position> dead;
      if (std::string problem = readValue(json["dead"], {}, dead); !problem.empty())
        return fail("\"dead\" " + problem);
      for (Position p : dead)
        if (std::string problem; !out.withDead(p.row, p.column, out, problem))
          return fail(problem);
    }
    return true;
  }

  std::string where;
  Target &out;
  std::string &error;
};

} // namespace

std::vector<std::string> builtinTargets() {
  std::vector<std::string> names;
  for (size_t i = 0; i < builtinTargetCount; ++i)
    names.push_back(builtinTargetTable[i].name);
  return names;
}

bool parseTarget(std::string_view json, const std::string &where, Target &out, std::string &error) {
  out = Target();
  error.clear();
  return Parser(where, out, error).parse(json, /*mayHaveBase=*/true);
}

bool loadTarget(const std::string &nameOrPath, Target &out, std::string &error) {
  for (size_t i = 0; i < builtinTargetCount; ++i)
    if (nameOrPath == builtinTargetTable[i].name)
      return parseTarget(builtinTargetTable[i].text, nameOrPath, out, error);
  std::ifstream file(nameOrPath, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    error =
        "target " + nameOrPath + ": cannot read the file, and no built-in target has this name (";
    for (const std::string &name : builtinTargets())
      error += name + (name == builtinTargets().back() ? ")" : ", ");
    return false;
  }
  return parseTarget(text.str(), nameOrPath, out, error);
}

std::string Target::hash() const {
  std::vector<std::string> lines;
  for (const TargetValue &v : targetValues())
    lines.push_back(v.key + ("=" + memberValue(*this, v).dump()) + "\n");
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string &line : lines)
    text += line;
  return sha256Hex(text);
}

std::string Target::toJson() const {
  Json json = {{"format", formatName}, {"name", name}, {"description", description}};
  Json &values = json["values"] = Json::object();
  for (size_t i = 0; i < targetValues().size(); ++i) {
    const TargetValue &v = targetValues()[i];
    values[v.key] = {{"value", memberValue(*this, v)},
                     {"unit", v.unit},
                     {"label", std::string(1, labels.at(i))}};
  }
  json["partition"] = {partitionRows, partitionColumns};
  json["dead"] = toValue(dead);
  return json.dump();
}

char Target::label(std::string_view key) const {
  for (size_t i = 0; i < targetValues().size(); ++i)
    if (key == targetValues()[i].key)
      return labels.at(i);
  return 0;
}

std::string Target::labelSummary() const {
  auto count = [&](char c) { return std::to_string(std::count(labels.begin(), labels.end(), c)); };
  return count('D') + " values documented, " + count('I') + " inferred, " + count('X') +
         " invented";
}

} // namespace dojo
