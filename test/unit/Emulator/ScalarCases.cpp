// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "SemanticCases.h"

#include <cstring>
#include <limits>

namespace dojo::emu {
namespace {

using S = SemanticState;
using Wide = __int128;

int64_t sx(uint64_t value) { return static_cast<int64_t>(value); }

template <typename F> SemanticCase binary(const std::string &mnemonic, F f) {
  return {mnemonic + " x4, x5, x6", [f](S &s) { s.x4 = f(s.x5, s.x6); }};
}

// Immediate forms: `f` on x5 and the immediate.
template <typename F> SemanticCase immediate(const std::string &mnemonic, int64_t value, F f) {
  return {mnemonic + " x4, x5, " + std::to_string(value),
          [f, value](S &s) { s.x4 = f(s.x5, static_cast<uint64_t>(value)); }};
}

template <typename T> SemanticCase load(const std::string &mnemonic) {
  return {mnemonic + " x4, 24(x11)", [](S &s) {
            T value;
            std::memcpy(&value, s.memory.data() + 24, sizeof value);
            s.x4 = static_cast<uint64_t>(static_cast<int64_t>(value));
            if (std::numeric_limits<T>::is_signed == false)
              s.x4 = value;
          }};
}

SemanticCase store(const std::string &mnemonic, unsigned bytes) {
  return {mnemonic + " x5, 40(x11)",
          [bytes](S &s) { std::memcpy(s.memory.data() + 40, &s.x5, bytes); }};
}

} // namespace

std::vector<SemanticCase> scalarCases() {
  auto add = [](uint64_t a, uint64_t b) { return a + b; };
  auto less = [](uint64_t a, uint64_t b) { return uint64_t(sx(a) < sx(b)); };
  auto lessU = [](uint64_t a, uint64_t b) { return uint64_t(a < b); };
  auto both = [](uint64_t a, uint64_t b) { return a & b; };
  auto either = [](uint64_t a, uint64_t b) { return a | b; };
  auto differ = [](uint64_t a, uint64_t b) { return (a | b) - (a & b); };
  // Shifts by way of a 128-bit multiplication or division.
  auto left = [](uint64_t a, uint64_t b) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(a) << (b % 64));
  };
  auto right = [](uint64_t a, uint64_t b) {
    return static_cast<uint64_t>(a / (static_cast<unsigned __int128>(1) << (b % 64)));
  };
  auto rightSigned = [](uint64_t a, uint64_t b) {
    Wide divisor = Wide(1) << (b % 64), value = sx(a);
    Wide quotient = value / divisor;
    return static_cast<uint64_t>(value % divisor < 0 ? quotient - 1 : quotient);
  };
  std::vector<SemanticCase> cases = {
      binary("add", add),
      binary("sub", [](uint64_t a, uint64_t b) { return a + ~b + 1; }),
      binary("and", both),
      binary("or", either),
      binary("xor", differ),
      binary("sll", left),
      binary("srl", right),
      binary("sra", rightSigned),
      binary("slt", less),
      binary("sltu", lessU),
      binary("min", [](uint64_t a, uint64_t b) { return uint64_t(std::min(sx(a), sx(b))); }),
      binary("max", [](uint64_t a, uint64_t b) { return uint64_t(std::max(sx(a), sx(b))); }),
      binary("minu", [](uint64_t a, uint64_t b) { return std::min(a, b); }),
      binary("maxu", [](uint64_t a, uint64_t b) { return std::max(a, b); }),
      binary("mul", [](uint64_t a,
                       uint64_t b) { return static_cast<uint64_t>(Wide(sx(a)) * Wide(sx(b))); }),
      binary("mulh",
             [](uint64_t a, uint64_t b) {
               return static_cast<uint64_t>((Wide(sx(a)) * Wide(sx(b))) >> 64);
             }),
      binary("div",
             [](uint64_t a, uint64_t b) {
               return b ? static_cast<uint64_t>(Wide(sx(a)) / Wide(sx(b))) : ~uint64_t(0);
             }),
      binary("divu", [](uint64_t a, uint64_t b) { return b ? a / b : ~uint64_t(0); }),
      binary("rem",
             [](uint64_t a, uint64_t b) {
               return b ? static_cast<uint64_t>(Wide(sx(a)) % Wide(sx(b))) : a;
             }),
      binary("remu", [](uint64_t a, uint64_t b) { return b ? a - a / b * b : a; }),
      {"sel x4, x5, x6, x7", [](S &s) { s.x4 = s.x5 == 0 ? s.x7 : s.x6; }},
      immediate("addi", -2048, add),
      immediate("slti", -7, less),
      immediate("sltiu", -7, lessU),
      immediate("andi", -256, both),
      immediate("ori", 2047, either),
      immediate("xori", -1, differ),
      immediate("slli", 63, left),
      immediate("srli", 17, right),
      immediate("srai", 33, rightSigned),
      immediate("addi.l", 0x7FFFFFFF, add),
      immediate("andi.l", -0x7FFFFFF, both),
      immediate("ori.l", -2147483647 - 1, either),
      immediate("xori.l", 0x12345678, differ),
      {"li.s x4, -32768", [](S &s) { s.x4 = 0xFFFFFFFFFFFF8000u; }},
      {"li x4, -2", [](S &s) { s.x4 = 0xFFFFFFFFFFFFFFFEu; }},
      {"lih x4, -2", [](S &s) { s.x4 = 0xFFFFFFFE00000000u + s.x7 % 0x100000000u; }},
      {"lih x4, 5", [](S &s) { s.x4 = 0x500000000u + s.x7 % 0x100000000u; }},
      load<int8_t>("lb"),
      load<uint8_t>("lbu"),
      load<int16_t>("lh"),
      load<uint16_t>("lhu"),
      load<int32_t>("lw"),
      load<uint32_t>("lwu"),
      load<uint64_t>("ld"),
      store("sb", 1),
      store("sh", 2),
      store("sw", 4),
      store("sd", 8),
      // What is written to x0 is dropped.
      {"add x0, x5, x6", [](S &) {}},
  };
  return cases;
}

} // namespace dojo::emu
