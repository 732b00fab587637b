// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors of the functions of one or two numbers, in units in the last place of the exact result.

#include "KernelRunner.h"

#include "gtest/gtest.h"

#include <bit>
#include <cmath>
#include <functional>

using namespace dojo::test;

namespace {

struct Function {
  const char *name;
  const char *op;
  std::function<double(double)> exact;
  double lo, hi;
  double ulps;
  /// Allowed absolute error, where results near zero have large relative ones.
  double absolute = 0;
};

void PrintTo(const Function &f, std::ostream *os) { *os << f.name; }

std::string unaryKernel(const std::string &op, int64_t n) {
  int64_t next = 4096;
  std::string type = "memref<" + std::to_string(n) + "xf32>", map = "affine_map<(i) -> (i)>";
  std::string a = argument("a", type, 4 * n, next), o = argument("o", type, 4 * n, next);
  return "func.func @k(" + a + ", " + o + ") attributes {dojo.kernel} {\n" +
         "  linalg.generic {indexing_maps = [" + map + ", " + map +
         "], iterator_types = [\"parallel\"]} ins(%a : " + type + ") outs(%o : " + type + ") {\n" +
         "  ^bb0(%x: f32, %y: f32):\n    %0 = " + op + " %x : f32\n" +
         "    linalg.yield %0 : f32\n  }\n  return\n}\n";
}

double ulpOf(double exact) {
  if (exact == 0 || !std::isfinite(exact))
    return 0x1p-149;
  return std::ldexp(1.0, std::max(std::ilogb(exact), -126) - 23);
}

class Unary : public testing::TestWithParam<Function> {};

/// Inputs spread over [lo, hi], evenly in bits where the range is one of magnitudes.
std::vector<float> samples(double lo, double hi, int64_t n) {
  std::vector<float> values;
  for (int64_t i = 0; i < n; ++i) {
    double t = (double(i) + 0.37) / double(n);
    if (lo > 0 && hi / lo > 1e3)
      values.push_back(float(lo * std::pow(hi / lo, t)));
    else
      values.push_back(float(lo + (hi - lo) * t));
  }
  return values;
}

TEST_P(Unary, Error) {
  const Function &f = GetParam();
  constexpr int64_t n = 40000;
  std::vector<float> inputs = samples(f.lo, f.hi, n);
  std::vector<float> outputs = mapFloats(unaryKernel(f.op, n), {inputs});
  ASSERT_EQ(outputs.size(), inputs.size());
  double worst = 0;
  float at = 0;
  for (int64_t i = 0; i < n; ++i) {
    double exact = f.exact(inputs[i]);
    if (std::fabs(exact) < 0x1p-125 || std::fabs(exact) > 0x1.fffffep127)
      continue;
    double error = std::fabs(double(outputs[i]) - exact);
    double ulps = error <= f.absolute ? 0 : error / ulpOf(exact);
    if (!(ulps <= worst)) {
      worst = ulps;
      at = inputs[i];
    }
  }
  RecordProperty("ulps", std::to_string(worst));
  EXPECT_LE(worst, f.ulps) << f.name << "(" << at << ")";
}

const Function functions[] = {
    {"sqrt", "math.sqrt", [](double x) { return std::sqrt(x); }, 1e-37, 1e38, 1.1},
    {"rsqrt", "math.rsqrt", [](double x) { return 1 / std::sqrt(x); }, 1e-37, 1e38, 2.0},
    {"exp", "math.exp", [](double x) { return std::exp(x); }, -86, 88.7, 2.0},
    {"expSmall", "math.exp", [](double x) { return std::exp(x); }, -1, 1, 2.0},
    {"exp2", "math.exp2", [](double x) { return std::exp2(x); }, -124, 127.9, 2.0},
    {"expm1", "math.expm1", [](double x) { return std::expm1(x); }, -20, 88.7, 3.0},
    {"expm1Small", "math.expm1", [](double x) { return std::expm1(x); }, 1e-6, 1, 3.0},
    {"log", "math.log", [](double x) { return std::log(x); }, 1e-37, 1e38, 2.0},
    {"logNearOne", "math.log", [](double x) { return std::log(x); }, 0.5, 2, 2.0},
    {"log2", "math.log2", [](double x) { return std::log2(x); }, 1e-37, 1e38, 3.0},
    {"log2NearOne", "math.log2", [](double x) { return std::log2(x); }, 0.5, 2, 3.0},
    {"log10", "math.log10", [](double x) { return std::log10(x); }, 0.01, 100, 3.0},
    {"log1p", "math.log1p", [](double x) { return std::log1p(x); }, -0.99, 10, 3.0},
    {"log1pSmall", "math.log1p", [](double x) { return std::log1p(x); }, 1e-7, 1, 3.0},
    {"tanh", "math.tanh", [](double x) { return std::tanh(x); }, -10, 10, 5.0},
    {"tanhSmall", "math.tanh", [](double x) { return std::tanh(x); }, 1e-5, 1, 4.0},
    {"erf", "math.erf", [](double x) { return std::erf(x); }, -5, 5, 5.0},
    {"erfSmall", "math.erf", [](double x) { return std::erf(x); }, 1e-5, 1, 4.0},
    {"sin", "math.sin", [](double x) { return std::sin(x); }, -1e4, 1e4, 2.0, 2e-7},
    {"sinSmall", "math.sin", [](double x) { return std::sin(x); }, 1e-6, 1.5, 2.0},
    {"cos", "math.cos", [](double x) { return std::cos(x); }, -1e4, 1e4, 2.0, 2e-7},
    {"tan", "math.tan", [](double x) { return std::tan(x); }, -1.5, 1.5, 4.0},
    {"round", "math.round", [](double x) { return std::round(x); }, -40, 40, 0.0},
    {"atan", "math.atan", [](double x) { return std::atan(x); }, -40, 40, 3.0},
    {"atanSmall", "math.atan", [](double x) { return std::atan(x); }, 1e-6, 1, 3.0},
    {"asin", "math.asin", [](double x) { return std::asin(x); }, -1, 1, 3.0},
    {"acos", "math.acos", [](double x) { return std::acos(x); }, -1, 1, 4.0},
    {"erfc", "math.erfc", [](double x) { return std::erfc(x); }, -4, 4, 16.0},
    {"cbrt", "math.cbrt", [](double x) { return std::cbrt(x); }, 1e-30, 1e30, 16.0},
    {"sinh", "math.sinh", [](double x) { return std::sinh(x); }, -89, 89, 8.0},
    {"sinhSmall", "math.sinh", [](double x) { return std::sinh(x); }, 1e-6, 1, 5.0},
    {"cosh", "math.cosh", [](double x) { return std::cosh(x); }, -89, 89, 8.0},
    {"asinh", "math.asinh", [](double x) { return std::asinh(x); }, -1e5, 1e5, 5.0},
    {"asinhSmall", "math.asinh", [](double x) { return std::asinh(x); }, 1e-6, 3, 5.0},
    {"acosh", "math.acosh", [](double x) { return std::acosh(x); }, 1, 1e5, 5.0},
    {"acoshNearOne", "math.acosh", [](double x) { return std::acosh(x); }, 1, 2, 6.0},
    {"atanh", "math.atanh", [](double x) { return std::atanh(x); }, -0.999, 0.999, 6.0},
    {"atanhSmall", "math.atanh", [](double x) { return std::atanh(x); }, 1e-6, 0.5, 6.0},
};

INSTANTIATE_TEST_SUITE_P(Math, Unary, testing::ValuesIn(functions),
                         [](const auto &info) { return std::string(info.param.name); });

std::string binaryKernel(const std::string &op, int64_t n) {
  int64_t next = 4096;
  std::string type = "memref<" + std::to_string(n) + "xf32>", map = "affine_map<(i) -> (i)>";
  std::string a = argument("a", type, 4 * n, next), b = argument("b", type, 4 * n, next),
              o = argument("o", type, 4 * n, next);
  return "func.func @k(" + a + ", " + b + ", " + o + ") attributes {dojo.kernel} {\n" +
         "  linalg.generic {indexing_maps = [" + map + ", " + map + ", " + map +
         "], iterator_types = [\"parallel\"]} ins(%a, %b : " + type + ", " + type +
         ") outs(%o : " + type + ") {\n  ^bb0(%x: f32, %w: f32, %y: f32):\n    %0 = " + op +
         " %x, %w : f32\n" + "    linalg.yield %0 : f32\n  }\n  return\n}\n";
}

void checkBinary(const char *op, const std::vector<float> &a, const std::vector<float> &b,
                 double (*exact)(double, double), double ulps) {
  std::vector<float> out = mapFloats(binaryKernel(op, int64_t(a.size())), {a, b});
  ASSERT_EQ(out.size(), a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    double e = exact(a[i], b[i]);
    if (std::isnan(e)) {
      EXPECT_TRUE(std::isnan(out[i])) << op << "(" << a[i] << ", " << b[i] << ") = " << out[i];
      continue;
    }
    if (std::isinf(e) || std::fabs(e) > 0x1.fffffep127 || std::fabs(e) < 0x1p-125) {
      if (std::isinf(e) || e == 0)
        EXPECT_EQ(double(out[i]), e) << op << "(" << a[i] << ", " << b[i] << ")";
      continue;
    }
    EXPECT_LE(std::fabs(out[i] - e) / ulpOf(e), ulps)
        << op << "(" << a[i] << ", " << b[i] << ") = " << out[i] << ", not " << e;
  }
}

std::vector<float> randomFloats(Random &random, size_t n, double spread) {
  std::vector<float> values;
  for (size_t i = 0; i < n; ++i) {
    double magnitude = std::exp(spread * (double(random() % 20001) / 10000 - 1));
    values.push_back(float(random() % 2 ? magnitude : -magnitude));
  }
  return values;
}

const float corners[] = {0.0f,  -0.0f,    1.0f,      -1.0f, 2.0f, -2.0f, 3.0f, -3.0f, 0.5f,
                         -0.5f, INFINITY, -INFINITY, NAN,   2.5f, -2.5f, 7.0f, 1e30f, -1e30f};

/// Every pair of the corner cases.
void cornerPairs(std::vector<float> &a, std::vector<float> &b) {
  for (float x : corners) {
    for (float y : corners) {
      a.push_back(x);
      b.push_back(y);
    }
  }
}

TEST(Math, Division) {
  Random random(1);
  std::vector<float> a = randomFloats(random, 20000, 40), b = randomFloats(random, 20000, 40);
  cornerPairs(a, b);
  checkBinary("arith.divf", a, b, [](double x, double y) { return x / y; }, 1.0);
}

TEST(Math, Power) {
  Random random(2);
  std::vector<float> a = randomFloats(random, 20000, 5), b = randomFloats(random, 20000, 3);
  for (float &x : a)
    x = std::fabs(x);
  cornerPairs(a, b);
  checkBinary("math.powf", a, b, [](double x, double y) { return std::pow(x, y); }, 8.0);
}

TEST(Math, Remainder) {
  Random random(3);
  std::vector<float> a = randomFloats(random, 20000, 6), b = randomFloats(random, 20000, 2);
  checkBinary("arith.remf", a, b, [](double x, double y) { return std::fmod(x, y); }, 0.0);
}

TEST(Math, NumberBeatsNaN) {
  std::vector<float> a, b;
  cornerPairs(a, b);
  checkBinary("arith.maxnumf", a, b, [](double x, double y) { return std::fmax(x, y); }, 0.0);
  checkBinary("arith.minnumf", a, b, [](double x, double y) { return std::fmin(x, y); }, 0.0);
}

TEST(Math, Corners) {
  std::vector<float> in(std::begin(corners), std::end(corners));
  in.insert(in.end(), {100.0f, -100.0f, 89.0f, -150.0f, 200.0f});
  auto check = [&](const char *op, double (*exact)(double)) {
    std::vector<float> out = mapFloats(unaryKernel(op, int64_t(in.size())), {in});
    ASSERT_EQ(out.size(), in.size());
    for (size_t i = 0; i < in.size(); ++i) {
      double e = exact(in[i]);
      if (std::isnan(e))
        EXPECT_TRUE(std::isnan(out[i])) << op << "(" << in[i] << ") = " << out[i];
      else if (std::fabs(e) > 0x1.fffffep127)
        EXPECT_EQ(double(out[i]), std::copysign(INFINITY, e)) << op << "(" << in[i] << ")";
      else
        EXPECT_NEAR(out[i], e, 1e-6 * std::fabs(e) + 1e-36) << op << "(" << in[i] << ")";
    }
  };
  check("math.exp", [](double x) { return std::exp(x); });
  check("math.exp2", [](double x) { return std::exp2(x); });
  check("math.expm1", [](double x) { return std::expm1(x); });
  check("math.log", [](double x) { return std::log(x); });
  check("math.log2", [](double x) { return std::log2(x); });
  check("math.log1p", [](double x) { return std::log1p(x); });
  check("math.sqrt", [](double x) { return std::sqrt(x); });
  check("math.rsqrt", [](double x) { return 1 / std::sqrt(x); });
  check("math.tanh", [](double x) { return std::tanh(x); });
  check("math.erf", [](double x) { return std::erf(x); });
  check("math.sinh", [](double x) { return std::sinh(x); });
  check("math.cosh", [](double x) { return std::cosh(x); });
  check("math.asinh", [](double x) { return std::asinh(x); });
  check("math.acosh", [](double x) { return std::acosh(x); });
  check("math.atanh", [](double x) { return std::atanh(x); });
  check("math.asin", [](double x) { return std::asin(x); });
  check("math.acos", [](double x) { return std::acos(x); });
  check("math.atan", [](double x) { return std::atan(x); });
  check("math.floor", [](double x) { return std::floor(x); });
  check("math.round", [](double x) { return std::round(x); });
}

} // namespace
