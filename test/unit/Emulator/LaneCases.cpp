// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "SemanticCases.h"

#include <cmath>
#include <cstring>

namespace dojo::emu {
namespace {

using S = SemanticState;

// The condition by its name, spelt out as the manual says it.
bool holds(const std::string &cond, double a, double b) {
  bool unordered = std::isnan(a) || std::isnan(b);
  if (cond == "uno")
    return unordered;
  if (cond == "ord")
    return !unordered;
  if (cond == "ne")
    return unordered || a != b;
  if (unordered)
    return false;
  std::string base = cond.substr(0, 2);
  return base == "eq"   ? a == b
         : base == "lt" ? a < b
         : base == "le" ? a <= b
         : base == "gt" ? a > b
                        : a >= b;
}

uint64_t compare(const std::string &cond, bool isFloat, const Lanes &a, const Lanes &b) {
  bool isUnsigned = cond.size() == 3 && cond.back() == 'u';
  auto value = [&](uint32_t lane) -> double {
    if (isFloat)
      return laneFloat(lane);
    return isUnsigned ? static_cast<double>(lane) : static_cast<double>(static_cast<int32_t>(lane));
  };
  uint64_t bits = 0;
  for (unsigned i = 0; i < 16; ++i)
    if (holds(cond, value(a[i]), value(b[i])))
      bits += uint64_t(1) << i;
  return bits;
}

void addCompare(std::vector<SemanticCase> &cases, const std::string &m, bool isFloat,
                const std::vector<std::string> &conds) {
  auto data = isFloat ? SemanticCase::Floats : SemanticCase::Integers;
  for (const std::string &cond : conds) {
    cases.push_back({m + " m2, v1, v2, " + cond,
                     [=](S &s) { s.m2 = compare(cond, isFloat, s.v1, s.v2); }, data});
    cases.push_back({m + ".x m2, v1, x5, " + cond,
                     [=](S &s) {
                       Lanes b;
                       b.fill(static_cast<uint32_t>(s.x5));
                       s.m2 = compare(cond, isFloat, s.v1, b);
                     },
                     data});
    cases.push_back({m + ".m m2, v1, 64(x11), w32, " + cond,
                     [=](S &s) {
                       Lanes b;
                       std::memcpy(b.data(), s.memory.data() + 64, 64);
                       s.m2 = compare(cond, isFloat, s.v1, b);
                     },
                     data});
  }
}

// bf16 to the nearest, ties to even, by looking at both neighbours.
uint16_t nearestBf16(uint32_t lane) {
  float value = laneFloat(lane);
  if (std::isnan(value))
    return 0x7FC0;
  std::memcpy(&lane, &value, 4);
  uint16_t down = static_cast<uint16_t>(lane >> 16);
  uint32_t rest = lane & 0xFFFF;
  bool up = rest > 0x8000 || (rest == 0x8000 && down % 2 == 1);
  return static_cast<uint16_t>(down + up);
}

} // namespace

std::vector<SemanticCase> laneCases() {
  std::vector<SemanticCase> c;
  addCompare(c, "vfcmp", true, {"eq", "ne", "lt", "le", "gt", "ge", "uno", "ord"});
  addCompare(c, "vicmp", false, {"eq", "ne", "lt", "le", "gt", "ge", "ltu", "leu", "gtu", "geu"});
  auto add = [&](const std::string &text, std::function<void(S &)> f) {
    c.push_back({text, std::move(f)});
  };
  add("vmov.x v4, x5", [](S &s) { s.v4.fill(static_cast<uint32_t>(s.x5)); });
  add("viota v4", [](S &s) {
    for (uint32_t i = 0; i < 16; ++i)
      s.v4[i] = i;
  });
  for (int lane : {0, 7, 15}) {
    std::string n = std::to_string(lane);
    add("vextract x4, v1, " + n, [lane](S &s) {
      s.x4 = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(s.v1[lane])));
    });
    add("vinsert v4, x5, " + n, [lane](S &s) { s.v4[lane] = static_cast<uint32_t>(s.x5); });
    add("vslide v4, v1, " + n, [lane](S &s) {
      for (int i = 0; i < 16; ++i)
        s.v4[i] = s.v1[(i + lane) % 16];
    });
  }
  add("vperm v4, v1, v2", [](S &s) {
    for (unsigned i = 0; i < 16; ++i)
      s.v4[i] = s.v1[s.v2[i] % 16];
  });
  add("vperm2 v4, v1, v2", [](S &s) {
    uint32_t table[32];
    std::memcpy(table, s.v3.data(), 64);
    std::memcpy(table + 16, s.v1.data(), 64);
    for (unsigned i = 0; i < 16; ++i)
      s.v4[i] = table[s.v2[i] % 32];
  });
  c.push_back({"vpack.bf16 v4, v1, v2",
               [](S &s) {
                 uint16_t packed[32];
                 for (unsigned i = 0; i < 16; ++i) {
                   packed[i] = nearestBf16(s.v1[i]);
                   packed[16 + i] = nearestBf16(s.v2[i]);
                 }
                 std::memcpy(s.v4.data(), packed, 64);
               },
               SemanticCase::Floats});
  for (unsigned half : {0u, 1u})
    add(half ? "vunpack.hi.bf16 v4, v1" : "vunpack.lo.bf16 v4, v1", [half](S &s) {
      uint16_t packed[32];
      std::memcpy(packed, s.v1.data(), 64);
      for (unsigned i = 0; i < 16; ++i)
        s.v4[i] = packed[16 * half + i] * 65536u;
    });
  for (unsigned log2 = 0; log2 < 4; ++log2)
    for (bool high : {false, true})
      add((high ? "vtrnhi v4, v1, v2, " : "vtrnlo v4, v1, v2, ") + std::to_string(log2),
          [log2, high](S &s) {
            // Groups as the manual numbers them.
            unsigned size = 1u << log2;
            for (unsigned j = 0; 2 * j * size < 16; ++j)
              for (unsigned i = 0; i < size; ++i) {
                s.v4[2 * j * size + i] = s.v1[(2 * j + high) * size + i];
                s.v4[(2 * j + 1) * size + i] = s.v2[(2 * j + high) * size + i];
              }
          });
  add("vsel v4, m1, v1, v2", [](S &s) {
    for (unsigned i = 0; i < 16; ++i)
      s.v4[i] = s.m1 & (uint64_t(1) << i) ? s.v1[i] : s.v2[i];
  });
  add("vsel.x v4, m1, v1, x5", [](S &s) {
    for (unsigned i = 0; i < 16; ++i)
      s.v4[i] = s.m1 & (uint64_t(1) << i) ? s.v1[i] : static_cast<uint32_t>(s.x5);
  });
  add("mlanes m2, x6", [](S &s) {
    s.m2 = 0;
    for (int64_t i = 0; i < 16; ++i)
      s.m2 += i < static_cast<int64_t>(s.x6) ? uint64_t(1) << i : 0;
  });
  add("mlanes.i m2, 16", [](S &s) { s.m2 = 65535; });
  add("mlanes.i m2, 0", [](S &s) { s.m2 = 0; });
  add("mlanes.i m2, 9", [](S &s) { s.m2 = 511; });
  add("mand m2, m1, m2", [](S &) {});
  add("mor m2, m1, m0", [](S &s) { s.m2 = ~uint64_t(0); });
  add("mxor m2, m1, m0", [](S &s) { s.m2 = ~s.m1; });
  add("mandn m2, m0, m1", [](S &s) { s.m2 = ~s.m1; });
  add("mmov.x m2, x5", [](S &s) { s.m2 = s.x5; });
  add("mmov.m x4, m1", [](S &s) { s.x4 = s.m1; });
  add("mmov.x m0, x5", [](S &) {}); // m0 stays all ones
  return c;
}

} // namespace dojo::emu
