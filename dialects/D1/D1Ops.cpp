// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/D1/D1Ops.h"
#include "mlir/IR/Builders.h"

namespace isa = ::dojo::isa;

namespace mlir::d1 {

std::optional<isa::Opcode> getOpcode(Operation *op) {
  if (!op->hasTrait<InstTrait>())
    return std::nullopt;
  return isa::findMnemonic(op->getName().stripDialect());
}

//===----------------------------------------------------------------------===//
// Memory operands
//===----------------------------------------------------------------------===//

ParseResult parseMemOperand(OpAsmParser &parser, OpAsmParser::UnresolvedOperand &base,
                            IntegerAttr &off, UnitAttr &postinc) {
  int64_t offset = 0;
  SMLoc loc = parser.getCurrentLocation();
  OptionalParseResult before = parser.parseOptionalInteger(offset);
  if ((before.has_value() && failed(*before)) || parser.parseLParen() ||
      parser.parseOperand(base) || parser.parseRParen())
    return failure();
  if (!before.has_value()) {
    // A minus sign belongs to the integer.
    bool hasPlus = succeeded(parser.parseOptionalPlus());
    loc = parser.getCurrentLocation();
    OptionalParseResult after = parser.parseOptionalInteger(offset);
    if (!after.has_value())
      return parser.emitError(loc, "expected a post-increment as in '(%base)+8'");
    if (failed(*after))
      return failure();
    if (hasPlus && offset < 0)
      return parser.emitError(loc, "two signs");
    postinc = parser.getBuilder().getUnitAttr();
  }
  if (!llvm::isInt<32>(offset))
    return parser.emitError(loc, "offset does not fit 32 bits");
  off = parser.getBuilder().getI32IntegerAttr(int32_t(offset));
  return success();
}

void printMemOperand(OpAsmPrinter &printer, Operation *op, Value base, IntegerAttr off,
                     UnitAttr postinc) {
  int64_t offset = off.getInt();
  if (!postinc)
    printer << offset << "(" << base << ")";
  else
    printer << "(" << base << ")" << (offset < 0 ? "" : "+") << offset;
}

} // namespace mlir::d1
