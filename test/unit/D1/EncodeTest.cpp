// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every instruction as an op with physical registers: to an instruction and back, and through text.

#include "../ISA/RandomInst.h"
#include "dialects/D1/D1Encode.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace mlir;
namespace isa = dojo::isa;

namespace {

constexpr uint64_t seed = 20260102;

class EncodeTest : public ::testing::Test {
protected:
  EncodeTest() {
    context.loadDialect<d1::D1Dialect>();
    context.allowUnregisteredDialects();
    context.printOpOnDiagnostic(false);
  }

  /// A module with the op of each instruction; labels are named by their distance. Registers are
  /// results of ops of no dialect.
  OwningOpRef<ModuleOp> toModule(ArrayRef<isa::Inst> insts) {
    Location loc = UnknownLoc::get(&context);
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    OpBuilder builder = OpBuilder::atBlockBegin(module->getBody());
    for (const isa::Inst &inst : insts) {
      auto read = [&](Type type) {
        OperationState state(loc, "test.register");
        state.addTypes(type);
        return builder.create(state)->getResult(0);
      };
      std::string name;
      auto label = [&](int64_t distance) -> StringRef {
        name = "at" + std::to_string(distance);
        return name;
      };
      d1::fromInst(builder, loc, inst, read, label);
    }
    return module;
  }

  std::vector<isa::Inst> fromModule(ModuleOp module) {
    std::vector<isa::Inst> insts;
    for (Operation &op : *module.getBody()) {
      if (!d1::getOpcode(&op))
        continue;
      auto distance = [](StringRef label) -> std::optional<int64_t> {
        int64_t bytes;
        if (!label.consume_front("at") || label.getAsInteger(10, bytes))
          return std::nullopt;
        return bytes;
      };
      isa::Inst inst;
      EXPECT_TRUE(succeeded(d1::toInst(&op, distance, inst)));
      insts.push_back(inst);
    }
    return insts;
  }

  MLIRContext context;
};

std::vector<isa::Inst> randomInsts() {
  std::mt19937_64 rng(seed);
  std::vector<isa::Inst> insts;
  for (unsigned i = 0; i < isa::numOpcodes; ++i)
    for (int repeat = 0; repeat < 20 && !isa::info(isa::Opcode(i)).reserved; ++repeat)
      insts.push_back(isa::test::randomInst(isa::Opcode(i), rng));
  return insts;
}

void expectEqual(ArrayRef<isa::Inst> want, ArrayRef<isa::Inst> have) {
  ASSERT_EQ(want.size(), have.size());
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_TRUE(want[i] == have[i])
        << isa::disassemble(want[i], 0) << " came back as " << isa::disassemble(have[i], 0);
}

TEST_F(EncodeTest, EveryInstructionIsAnOpAndBack) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::vector<isa::Inst> insts = randomInsts();
  OwningOpRef<ModuleOp> module = toModule(insts);
  ASSERT_TRUE(succeeded(verify(*module)));
  expectEqual(insts, fromModule(*module));
}

TEST_F(EncodeTest, EveryInstructionRoundTripsThroughText) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::vector<isa::Inst> insts = randomInsts();
  for (bool generic : {false, true}) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    OwningOpRef<ModuleOp> module = toModule(insts);
    module->print(stream, OpPrintingFlags().printGenericOpForm(generic));
    OwningOpRef<ModuleOp> back = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(back);
    expectEqual(insts, fromModule(*back));
  }
}

TEST_F(EncodeTest, BuildersMakeVirtualResults) {
  Location loc = UnknownLoc::get(&context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  OpBuilder b = OpBuilder::atBlockBegin(module->getBody());
  Value base = d1::LiOp::create(b, loc, 4096).getXd();
  EXPECT_EQ(base.getType(), d1::XType::get(&context, -1));
  Value mask = d1::MLanesIOp::create(b, loc, 16).getMd();
  auto load = d1::VLdOp::create(b, loc, base, -64, true, d1::EType::bf16, mask);
  EXPECT_EQ(load.getVd().getType(), d1::VType::get(&context, -1));
  ASSERT_EQ(load.getNext().size(), 1u);
  EXPECT_EQ(int32_t(load.getOff()), -64);
  EXPECT_EQ(load.getEtype(), d1::EType::bf16);
  auto step = d1::MmMMOp::create(b, loc, 3, base, 0, false, load.getNext()[0], 64, true, 1,
                                 d1::MatFormat::bf16);
  EXPECT_EQ(step.getNext().size(), 1u);
  EXPECT_FALSE(step.getPostincA());
  EXPECT_TRUE(step.getPostincB());
  Value fixed =
      d1::VMovOp::create(b, loc, TypeRange{d1::VType::get(&context, 4)}, load.getVd(), {}).getVd();
  auto insert = d1::VInsertOp::create(b, loc, fixed, base, 2);
  EXPECT_EQ(insert.getVd().getType(), d1::VType::get(&context, 4));
  d1::BneOp::create(b, loc, base, base, "again");
  EXPECT_TRUE(succeeded(verify(*module)));
}

TEST_F(EncodeTest, WhatCannotBeEncodedIsAnError) {
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &d) { message = d.str(); });
  Location loc = UnknownLoc::get(&context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  OpBuilder b = OpBuilder::atBlockBegin(module->getBody());
  auto none = [](StringRef) -> std::optional<int64_t> { return std::nullopt; };
  auto far = [](StringRef) -> std::optional<int64_t> { return 8192; };
  isa::Inst inst;

  auto li = d1::LiOp::create(b, loc, 1);
  EXPECT_TRUE(failed(d1::toInst(li, none, inst)));
  EXPECT_NE(message.find("virtual register"), std::string::npos) << message;

  Value x5 = d1::LiOp::create(b, loc, TypeRange{d1::XType::get(&context, 5)}, ValueRange{},
                              {b.getNamedAttr("imm", b.getI32IntegerAttr(1))})
                 .getXd();
  auto branch = d1::BneOp::create(b, loc, x5, x5, "away");
  EXPECT_TRUE(failed(d1::toInst(branch, none, inst)));
  EXPECT_NE(message.find("@away, which is not a label here"), std::string::npos) << message;
  EXPECT_TRUE(failed(d1::toInst(branch, far, inst)));
  EXPECT_NE(message.find("jumps 8192 bytes"), std::string::npos) << message;

  EXPECT_TRUE(failed(d1::toInst(*module, none, inst)));
}

} // namespace
