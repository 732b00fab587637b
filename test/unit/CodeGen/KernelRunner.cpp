// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelRunner.h"
#include "Interpreter.h"

#include "dialects/D1/D1Ops.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Conversion/CodeGen.h"
#include "dojo/Emulator/Machine.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace dojo::test {

static constexpr uint32_t codeAddress = 1 << 20;
static constexpr int64_t spillAddress = 0xF0000, spillBytes = 4096;

MLIRContext &context() {
  static MLIRContext &shared = *[] {
    auto *made = new MLIRContext(MLIRContext::Threading::DISABLED);
    made->loadDialect<affine::AffineDialect, arith::ArithDialect, d1::D1Dialect,
                      mlir::dojo::DojoDialect, func::FuncDialect, linalg::LinalgDialect,
                      math::MathDialect, memref::MemRefDialect, scf::SCFDialect, ub::UBDialect,
                      vector::VectorDialect>();
    return made;
  }();
  return shared;
}

std::string argument(const std::string &name, const std::string &type, int64_t bytes,
                     int64_t &next) {
  std::string text =
      "%" + name + ": " + type + " {dojo.address = " + std::to_string(next) + " : i64}";
  next += (bytes + 63) / 64 * 64 + 64;
  return text;
}

namespace {
struct Buffer {
  int64_t address, bytes;
  MemRefType type;
};
} // namespace

static std::vector<Buffer> buffersOf(func::FuncOp kernel) {
  std::vector<Buffer> buffers;
  for (BlockArgument arg : kernel.getArguments()) {
    auto type = cast<MemRefType>(arg.getType());
    int64_t last = -1;
    for (int64_t o : elementOffsets(type))
      last = std::max(last, o);
    int64_t address =
        kernel.getArgAttrOfType<IntegerAttr>(arg.getArgNumber(), "dojo.address").getInt();
    buffers.push_back({address, (last + 1) * bytesOf(type.getElementType()), type});
  }
  return buffers;
}

static void fillRandom(const Buffer &b, std::vector<uint8_t> &memory, Random &random,
                       double scale) {
  std::normal_distribution<double> normal;
  Type element = b.type.getElementType();
  int64_t most = scale > 1 ? int64_t(scale) : 100;
  for (int64_t o : elementOffsets(b.type)) {
    double v = mlir::isa<FloatType>(element) ? normal(random) * scale
               : element.isInteger(1)        ? double(random() % 2)
                                             : double(pick(random, -most, most));
    writeNumber(memory, b.address + o * bytesOf(element), element, v);
  }
}

static bool isClose(double got, double expected, Type t, const KernelCheck &check) {
  if (std::isnan(expected) || std::isnan(got))
    return std::isnan(expected) && std::isnan(got);
  if (got == expected)
    return true;
  if (!mlir::isa<FloatType>(t) || std::isinf(expected) || std::isinf(got))
    return false;
  double rounding = t.isBF16() ? 0x1p-7 : t.isF16() ? 0x1p-10 : 0x1p-23;
  double allowed = check.absolute + (check.relative + rounding) * std::fabs(expected);
  return std::fabs(got - expected) <= allowed;
}

static void compare(const std::vector<Buffer> &buffers, const std::vector<uint8_t> &got,
                    const std::vector<uint8_t> &expected, const KernelCheck &check,
                    KernelRun &run) {
  int shown = 0;
  for (auto [i, b] : llvm::enumerate(buffers)) {
    Type element = b.type.getElementType();
    for (auto [n, o] : llvm::enumerate(elementOffsets(b.type))) {
      int64_t address = b.address + o * bytesOf(element);
      double g = readNumber(got, address, element), e = readNumber(expected, address, element);
      if (isClose(g, e, element, check))
        continue;
      run.ok = false;
      if (++shown <= 3)
        ADD_FAILURE() << "argument " << i << ", element " << n << ": got " << g << ", expected "
                      << e;
    }
  }
  // Nothing but the arguments (and the memory for registers) has changed.
  std::vector<bool> known(got.size(), false);
  for (const Buffer &b : buffers)
    for (int64_t o : elementOffsets(b.type))
      for (int64_t byte = 0; byte < bytesOf(b.type.getElementType()); ++byte)
        known[b.address + o * bytesOf(b.type.getElementType()) + byte] = true;
  for (size_t a = 0; a < got.size(); ++a) {
    bool mayChange = known[a] || (int64_t(a) >= spillAddress && a < codeAddress);
    if (!mayChange && got[a] != expected[a]) {
      ADD_FAILURE() << "byte " << a << " outside of the arguments was written";
      run.ok = false;
      return;
    }
  }
}

/// Places the program of each thread, followed by halt. False after a failure.
static bool placePrograms(func::FuncOp kernel, emu::Machine &machine, const KernelCheck &check,
                          const std::vector<Buffer> &buffers, KernelRun &run) {
  uint32_t address = codeAddress;
  std::string error;
  const uint32_t node = 0;
  for (unsigned t = 0; t < check.threads; ++t) {
    mlir::dojo::KernelOptions options;
    options.thread = t;
    options.threads = check.threads;
    options.target = &machine.target();
    options.accumulators = check.accumulators;
    options.spillAddress = spillAddress + t * spillBytes;
    options.spillBytes = spillBytes;
    FailureOr<OwningOpRef<d1::FuncOp>> program = mlir::dojo::generateKernel(kernel, options);
    if (failed(program)) {
      ADD_FAILURE() << "the kernel does not compile";
      return false;
    }
    OpBuilder b = OpBuilder::atBlockEnd(&(*program)->getBody().front());
    d1::HaltOp::create(b, kernel.getLoc());
    std::vector<uint8_t> bytes;
    if (failed(mlir::dojo::encodeProgram(**program, address, bytes))) {
      ADD_FAILURE() << "the program cannot be encoded";
      return false;
    }
    std::vector<emu::Interval> reads, writes;
    for (const Buffer &buffer : buffers)
      reads.push_back({uint32_t(buffer.address), uint32_t(buffer.address + buffer.bytes)});
    reads.push_back({uint32_t(options.spillAddress), uint32_t(options.spillAddress + spillBytes)});
    writes = reads;
    uint32_t end = address + uint32_t(bytes.size());
    if (!machine.placeCode({&node, 1}, address, bytes, error) ||
        !machine.setEntry(node, t, address, error) ||
        !machine.declareAccesses({&node, 1}, address, end, reads, writes, error)) {
      ADD_FAILURE() << error;
      return false;
    }
    run.codeBytes += bytes.size();
    address = (end + 63) / 64 * 64;
  }
  return true;
}

/// Runs the kernel's programs on `start`; false after a failure.
static bool execute(func::FuncOp kernel, const std::vector<Buffer> &buffers,
                    const std::vector<uint8_t> &start, const KernelCheck &check, KernelRun &run) {
  std::string error;
  static const Target whole = [] {
    Target die, node;
    std::string reason;
    EXPECT_TRUE(loadTarget("d1", die, reason)) << reason;
    EXPECT_TRUE(die.withPartition(1, 1, node, reason)) << reason;
    return node;
  }();
  std::unique_ptr<emu::Machine> machine = emu::Machine::create(whole, error);
  const uint32_t node = 0;
  if (!machine || !placePrograms(kernel, *machine, check, buffers, run))
    return false;
  if (!machine->placeData({&node, 1}, 0, start, error)) {
    ADD_FAILURE() << error;
    return false;
  }
  emu::RunOptions options;
  options.timing = check.timing;
  options.watchdog = 200'000'000;
  emu::RunResult result = machine->run(options);
  run.cycles = result.counters.cycles;
  run.matrixSteps = result.counters.matrixSteps;
  run.simdOperations = result.counters.simdOperations;
  if (result.fault) {
    ADD_FAILURE() << result.fault->message(whole);
    return false;
  }
  run.memory.resize(codeAddress);
  if (!machine->read(node, 0, run.memory, error)) {
    ADD_FAILURE() << error;
    return false;
  }
  return true;
}

KernelRun runKernel(const std::string &text, uint64_t seed, const KernelCheck &check) {
  KernelRun run;
  SCOPED_TRACE("seed " + std::to_string(seed) + ", threads " + std::to_string(check.threads) +
               "\n" + text);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context());
  if (!module) {
    ADD_FAILURE() << "the kernel does not parse";
    return run;
  }
  func::FuncOp kernel = *module->getOps<func::FuncOp>().begin();
  std::vector<Buffer> buffers = buffersOf(kernel);
  Random random(seed);
  std::vector<uint8_t> expected(codeAddress);
  for (const Buffer &b : buffers)
    fillRandom(b, expected, random, check.scale);
  std::vector<uint8_t> start = expected;
  interpret(kernel, expected);

  if (!execute(kernel, buffers, start, check, run))
    return run;
  run.ok = true;
  compare(buffers, run.memory, expected, check, run);
  return run;
}

std::vector<float> mapFloats(const std::string &text,
                             const std::vector<std::vector<float>> &inputs) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context());
  if (!module) {
    ADD_FAILURE() << "the kernel does not parse\n" << text;
    return {};
  }
  func::FuncOp kernel = *module->getOps<func::FuncOp>().begin();
  std::vector<Buffer> buffers = buffersOf(kernel);
  std::vector<uint8_t> memory(codeAddress);
  for (size_t i = 0; i < inputs.size(); ++i)
    std::memcpy(memory.data() + buffers[i].address, inputs[i].data(), buffers[i].bytes);
  KernelRun run;
  if (!execute(kernel, buffers, memory, {}, run))
    return {};
  std::vector<float> out(buffers.back().bytes / 4);
  std::memcpy(out.data(), run.memory.data() + buffers.back().address, buffers.back().bytes);
  return out;
}

} // namespace dojo::test
