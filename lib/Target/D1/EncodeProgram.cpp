// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/D1/D1Encode.h"
#include "dojo/Conversion/CodeGen.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
namespace d1isa = ::dojo::isa;

uint32_t mlir::dojo::programBytes(d1::FuncOp program) {
  uint32_t size = 0;
  for (Operation &op : program.getBody().front())
    if (std::optional<d1isa::Opcode> opcode = d1::getOpcode(&op))
      size += d1isa::info(*opcode).bytes;
  return size;
}

LogicalResult mlir::dojo::encodeProgram(d1::FuncOp program, uint32_t address,
                                        std::vector<uint8_t> &bytes) {
  if (address % 4 != 0)
    return program.emitError("cannot lie at address ") << address << ", no multiple of 4";
  llvm::StringMap<int64_t> labels;
  int64_t pc = address;
  for (Operation &op : program.getBody().front()) {
    if (auto label = dyn_cast<d1::LabelOp>(op))
      labels[label.getSymName()] = label.getAddress().value_or(pc);
    else if (std::optional<d1isa::Opcode> opcode = d1::getOpcode(&op))
      pc += d1isa::info(*opcode).bytes;
    else if (!isa<d1::RegisterOp>(op))
      return op.emitOpError("cannot be encoded; run d1-finalize first");
  }
  pc = address;
  for (Operation &op : program.getBody().front()) {
    if (!d1::getOpcode(&op))
      continue;
    d1isa::Inst inst;
    auto distance = [&](StringRef label) -> std::optional<int64_t> {
      auto it = labels.find(label);
      return it == labels.end() ? std::nullopt : std::optional(it->second - pc);
    };
    std::string error;
    if (failed(d1::toInst(&op, distance, inst)))
      return failure();
    if (!d1isa::encode(inst, bytes, &error))
      return op.emitOpError("cannot be encoded: ") << error;
    pc += inst.bytes;
  }
  return success();
}
