// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text of kernels of one linalg.generic, put together from parts.

#ifndef DOJO_TEST_UNIT_CODEGEN_GENERICTEXT_H
#define DOJO_TEST_UNIT_CODEGEN_GENERICTEXT_H

#include "KernelRunner.h"

namespace dojo::test {

using Sizes = std::vector<int64_t>;

inline std::string join(const Sizes &sizes, const std::string &separator) {
  std::string text;
  for (size_t i = 0; i < sizes.size(); ++i)
    text += (i ? separator : "") + std::to_string(sizes[i]);
  return text;
}

inline int64_t bytesOf(const std::string &type) {
  return type == "i64"                                      ? 8
         : type == "f32" || type == "i32"                   ? 4
         : type == "bf16" || type == "f16" || type == "i16" ? 2
                                                            : 1;
}

/// A memref type; with `random`, sometimes with gaps between its rows.
struct Operand {
  std::string type;
  int64_t bytes;
};
inline Operand operand(const Sizes &shape, const std::string &element, Random *random = nullptr) {
  Sizes strides(shape.size());
  int64_t next = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = next;
    next *= shape[d];
    if (random && (*random)() % 4 == 0)
      next += pick(*random, 1, 3);
  }
  std::string type = "memref<" + join(shape, "x") + (shape.empty() ? "" : "x") + element;
  if (random)
    type += ", strided<[" + join(strides, ", ") + "]>";
  return {type + ">", next * bytesOf(element)};
}

inline std::string dimList(size_t rank) {
  std::string text;
  for (size_t d = 0; d < rank; ++d)
    text += (d ? ", d" : "d") + std::to_string(d);
  return text;
}

struct Generic {
  int64_t next = 4096;
  std::string arguments, maps, ins, inTypes, outs, outTypes, parameters, kinds, body, before;

  void add(bool out, const Operand &o, const std::string &element, size_t loops,
           const std::string &map) {
    int number = count++;
    std::string name = "a" + std::to_string(number);
    arguments += (number ? ", " : "") + argument(name, o.type, o.bytes, next);
    maps += (number ? ", " : "") + ("affine_map<(" + dimList(loops) + ") -> (" + map + ")>");
    std::string &names = out ? outs : ins, &types = out ? outTypes : inTypes;
    names += (names.empty() ? "%" : ", %") + name;
    types += (types.empty() ? "" : ", ") + o.type;
    parameters += (number ? ", %" : "%") + std::string(out ? "o" : "x") + std::to_string(number) +
                  ": " + element;
  }

  std::string text() const {
    std::string t = "func.func @k(" + arguments + ") attributes {dojo.kernel} {\n" + before;
    t += "  linalg.generic {indexing_maps = [" + maps + "], iterator_types = [" + kinds + "]}";
    if (!ins.empty())
      t += " ins(" + ins + " : " + inTypes + ")";
    return t + " outs(" + outs + " : " + outTypes + ") {\n  ^bb0(" + parameters + "):\n" + body +
           "  }\n  return\n}\n";
  }

  int count = 0;
};

inline std::string kinds(size_t parallel, size_t reduction) {
  std::string text;
  for (size_t i = 0; i < parallel + reduction; ++i)
    text += std::string(i ? ", " : "") + (i < parallel ? "\"parallel\"" : "\"reduction\"");
  return text;
}

inline std::string picked(Random &random, std::initializer_list<const char *> of) {
  return *(of.begin() + random() % of.size());
}

/// Lines that bring %name of a type to f32, as %name_f.
inline std::string toFloat(const std::string &name, const std::string &type) {
  std::string to = "    " + name + "_f = ";
  if (type == "f32")
    return to + "arith.addf " + name + ", %zero : f32\n";
  if (type == "bf16" || type == "f16")
    return to + "arith.extf " + name + " : " + type + " to f32\n";
  return to + (type == "i1" ? "arith.uitofp " : "arith.sitofp ") + name + " : " + type +
         " to f32\n";
}

/// Lines that bring an f32 to a type and yield it.
inline std::string yieldAs(const std::string &value, const std::string &type) {
  std::string line = "    %y = ";
  if (type == "f32")
    return "    linalg.yield " + value + " : f32\n";
  if (type == "bf16" || type == "f16")
    line += "arith.truncf " + value + " : f32 to " + type;
  else if (type == "i1")
    line += "arith.cmpf ogt, " + value + ", %zero : f32";
  else
    line = "    %lo = arith.maximumf " + value + ", %least : f32\n    %hi = arith.minimumf %lo, " +
           "%most : f32\n" + line + "arith.fptosi %hi : f32 to " + type;
  return line + "\n    linalg.yield %y : " + type + "\n";
}

inline const std::string constants = "  %zero = arith.constant 0.0 : f32\n"
                                     "  %one = arith.constant 1.0 : f32\n"
                                     "  %least = arith.constant -100.0 : f32\n"
                                     "  %most = arith.constant 100.0 : f32\n";

inline KernelCheck tolerant(unsigned threads, double absolute) {
  KernelCheck check;
  check.threads = threads;
  check.absolute = absolute;
  check.relative = 4e-6;
  return check;
}

} // namespace dojo::test

#endif // DOJO_TEST_UNIT_CODEGEN_GENERICTEXT_H
