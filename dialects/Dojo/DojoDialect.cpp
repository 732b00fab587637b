// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Dojo/DojoDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "dialects/Dojo/DojoDialect.cpp.inc"

using namespace mlir;
using ::dojo::ElementType;

void mlir::dojo::DojoDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/Dojo/DojoOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Dojo/DojoMeshOps.cpp.inc"
      >();
}

std::optional<ElementType> mlir::dojo::getElementType(Type type) {
  if (type.isBF16())
    return ElementType::BF16;
  if (type.isF16())
    return ElementType::F16;
  if (type.isF32())
    return ElementType::F32;
  if (type.isF64())
    return ElementType::F64;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return std::nullopt;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return ElementType::I1;
  case 8:
    return isUnsigned ? ElementType::U8 : ElementType::I8;
  case 16:
    return isUnsigned ? ElementType::U16 : ElementType::I16;
  case 32:
    return isUnsigned ? ElementType::U32 : ElementType::I32;
  case 64:
    return isUnsigned ? ElementType::U64 : ElementType::I64;
  default:
    return std::nullopt;
  }
}

Type mlir::dojo::getType(MLIRContext *context, ElementType type) {
  auto integer = [&](unsigned width, bool isUnsigned) {
    return IntegerType::get(context, width,
                            isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
  };
  switch (type) {
  case ElementType::BF16:
    return BFloat16Type::get(context);
  case ElementType::F16:
    return Float16Type::get(context);
  case ElementType::F32:
    return Float32Type::get(context);
  case ElementType::F64:
    return Float64Type::get(context);
  case ElementType::I1:
    return integer(1, false);
  case ElementType::I8:
  case ElementType::U8:
    return integer(8, type == ElementType::U8);
  case ElementType::I16:
  case ElementType::U16:
    return integer(16, type == ElementType::U16);
  case ElementType::I32:
  case ElementType::U32:
    return integer(32, type == ElementType::U32);
  case ElementType::I64:
  case ElementType::U64:
    return integer(64, type == ElementType::U64);
  }
  llvm_unreachable("element type");
}

std::optional<::dojo::ArrayType> mlir::dojo::getArrayType(RankedTensorType type) {
  std::optional<ElementType> element = getElementType(type.getElementType());
  if (!element || !type.hasStaticShape())
    return std::nullopt;
  return ::dojo::ArrayType{*element, type.getShape().vec()};
}
