// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights, views and the terminator. The layer and the convolution have files of their own.

#include "dialects/Dojo/DojoDialect.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::dojo;

//===----------------------------------------------------------------------===//
// WeightOp
//===----------------------------------------------------------------------===//

// Without its prefix, since the parser of a prefixed attribute takes a colon after it, here that of
// the result, as the start of the attribute's own type.
static ParseResult parseWeightData(OpAsmParser &parser, Attribute &data) {
  if (succeeded(parser.parseOptionalKeyword("inline")))
    return parser.parseAttribute(data);
  if (parser.parseKeyword("blob", " or 'inline'"))
    return failure();
  data = FileBlobAttr::parse(parser, {});
  return success(data != nullptr);
}

static void printWeightData(OpAsmPrinter &printer, Operation *, Attribute data) {
  if (auto blob = dyn_cast<FileBlobAttr>(data)) {
    printer << "blob";
    blob.print(printer);
  } else {
    printer << "inline " << data;
  }
}

RankedTensorType WeightOp::getSourceType() {
  if (std::optional<Type> source = getSource())
    return cast<RankedTensorType>(*source);
  return cast<RankedTensorType>(getResult().getType());
}

SmallVector<::dojo::TransformStep> WeightOp::getTransformSteps() {
  if (std::optional<TransformAttr> transform = getTransform())
    return transform->getSteps();
  return {};
}

LogicalResult WeightOp::verify() {
  RankedTensorType sourceType = getSourceType();
  auto resultType = cast<RankedTensorType>(getResult().getType());
  std::optional<::dojo::ArrayType> source = getArrayType(sourceType);
  if (!source || !getArrayType(resultType))
    return emitOpError("cannot hold elements of type ")
           << (source ? resultType : sourceType).getElementType();
  if (!getTransform() && sourceType != resultType)
    return emitOpError("has source ") << sourceType << " but no transform to " << resultType;
  SmallVector<::dojo::TransformStep> steps = getTransformSteps();
  std::string error;
  std::optional<::dojo::ArrayType> result =
      ::dojo::transformedType(*source, {steps.data(), steps.size()}, error);
  if (!result)
    return emitOpError("has a transform that does not fit: ") << error;
  if (*result != *getArrayType(resultType))
    return emitOpError("transforms ")
           << sourceType << " to " << ::dojo::toString(*result) << ", not to " << resultType;
  if (auto blob = dyn_cast<FileBlobAttr>(getData())) {
    if (blob.getBytes() != source->bytes())
      return emitOpError("names ")
             << blob.getBytes() << " bytes, but " << sourceType << " takes " << source->bytes();
    return success();
  }
  if (cast<ElementsAttr>(getData()).getShapedType() != sourceType)
    return emitOpError("has data of another type than ") << sourceType;
  return success();
}

//===----------------------------------------------------------------------===//
// AssembleOp
//===----------------------------------------------------------------------===//

static ParseResult parsePieces(OpAsmParser &parser,
                               SmallVectorImpl<OpAsmParser::UnresolvedOperand> &pieces,
                               ArrayAttr &offsets) {
  SmallVector<Attribute> lists;
  auto parsePiece = [&]() -> ParseResult {
    SmallVector<int64_t> list;
    if (parser.parseOperand(pieces.emplace_back()) || parser.parseKeyword("at") ||
        parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                       [&] { return parser.parseInteger(list.emplace_back()); }))
      return failure();
    lists.push_back(parser.getBuilder().getDenseI64ArrayAttr(list));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, parsePiece))
    return failure();
  offsets = parser.getBuilder().getArrayAttr(lists);
  return success();
}

static void printPieces(OpAsmPrinter &printer, AssembleOp op, OperandRange pieces, ArrayAttr) {
  printer << "(";
  for (unsigned i = 0; i < pieces.size(); ++i) {
    printer << (i ? ", " : "") << pieces[i] << " at [";
    llvm::interleaveComma(op.getOffsetsOf(i), printer);
    printer << "]";
  }
  printer << ")";
}

void AssembleOp::build(OpBuilder &builder, OperationState &state, Type result, TypedAttr fill,
                       ValueRange pieces, ArrayRef<SmallVector<int64_t>> offsets) {
  SmallVector<Attribute> lists;
  for (ArrayRef<int64_t> list : offsets)
    lists.push_back(builder.getDenseI64ArrayAttr(list));
  build(builder, state, result, fill, pieces, builder.getArrayAttr(lists));
}

LogicalResult AssembleOp::verify() {
  auto type = cast<RankedTensorType>(getResult().getType());
  if (getFill().getType() != type.getElementType())
    return emitOpError("fills with ")
           << getFill().getType() << " a tensor of " << type.getElementType();
  if (getOffsets().size() != getPieces().size())
    return emitOpError("has ") << getOffsets().size() << " offsets for " << getPieces().size()
                               << " pieces";
  // The part of each piece within the result, as lower and upper corner.
  SmallVector<std::pair<SmallVector<int64_t>, SmallVector<int64_t>>> boxes;
  for (auto [index, piece] : llvm::enumerate(getPieces())) {
    auto pieceType = cast<RankedTensorType>(piece.getType());
    ArrayRef<int64_t> offsets = getOffsetsOf(index);
    if (pieceType.getElementType() != type.getElementType() ||
        pieceType.getRank() != type.getRank() || int64_t(offsets.size()) != type.getRank())
      return emitOpError("has piece ") << index << " of type " << pieceType << " at "
                                       << offsets.size() << " offsets in " << type;
    auto &[lower, upper] = boxes.emplace_back();
    bool empty = false;
    for (auto [offset, size, limit] :
         llvm::zip_equal(offsets, pieceType.getShape(), type.getShape())) {
      if (std::abs(offset) > (int64_t(1) << 40))
        return emitOpError("has piece ") << index << " at offset " << offset;
      lower.push_back(std::max<int64_t>(offset, 0));
      upper.push_back(std::min(offset + size, limit));
      empty |= lower.back() >= upper.back();
    }
    if (empty) {
      boxes.pop_back();
      continue;
    }
    for (auto &[otherLower, otherUpper] : ArrayRef(boxes).drop_back()) {
      bool apart = false;
      for (unsigned d = 0; d < lower.size(); ++d)
        apart |= lower[d] >= otherUpper[d] || otherLower[d] >= upper[d];
      if (!apart)
        return emitOpError("has piece ") << index << " over an earlier piece";
    }
  }
  return success();
}

OpFoldResult AssembleOp::fold(FoldAdaptor) {
  if (getPieces().size() != 1 || getPieces()[0].getType() != getResult().getType() ||
      llvm::any_of(getOffsetsOf(0), [](int64_t offset) { return offset != 0; }))
    return {};
  return getPieces()[0];
}

//===----------------------------------------------------------------------===//
// ReshapeOp
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  auto from = cast<RankedTensorType>(getInput().getType());
  auto to = cast<RankedTensorType>(getResult().getType());
  if (from.getElementType() != to.getElementType())
    return emitOpError("changes the element type");
  if (from.getNumElements() != to.getNumElements())
    return emitOpError("changes the number of elements from ")
           << from.getNumElements() << " to " << to.getNumElements();
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getInput().getType() == getResult().getType())
    return getInput();
  if (auto producer = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(producer.getInput());
    return getResult();
  }
  return {};
}

#define GET_OP_CLASSES
#include "dialects/Dojo/DojoOps.cpp.inc"
