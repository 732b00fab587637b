// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Dojo/DojoDialect.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using ::dojo::TransformStep;
using Kind = TransformStep::Kind;

#define GET_ATTRDEF_CLASSES
#include "dialects/Dojo/DojoAttrs.cpp.inc"

void mlir::dojo::DojoDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Dojo/DojoAttrs.cpp.inc"
      >();
}

// Each step is kind, element type, number of values, values.
mlir::dojo::TransformAttr mlir::dojo::TransformAttr::get(MLIRContext *context,
                                                         ArrayRef<TransformStep> steps) {
  SmallVector<int64_t> encoded;
  for (const TransformStep &step : steps) {
    encoded.append({int64_t(step.kind), int64_t(step.element), int64_t(step.values.size())});
    encoded.append(step.values.begin(), step.values.end());
  }
  return get(context, ArrayRef<int64_t>(encoded));
}

SmallVector<TransformStep> mlir::dojo::TransformAttr::getSteps() const {
  SmallVector<TransformStep> steps;
  ArrayRef<int64_t> rest = getEncoded();
  while (!rest.empty()) {
    ArrayRef<int64_t> values = rest.slice(3, rest[2]);
    steps.push_back({Kind(rest[0]), values.vec(), ::dojo::ElementType(rest[1])});
    rest = rest.drop_front(3 + values.size());
  }
  return steps;
}

static ParseResult parseStep(AsmParser &parser, TransformStep &step) {
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword) || parser.parseEqual())
    return failure();
  if (keyword == "cast") {
    Type type;
    if (parser.parseType(type))
      return failure();
    std::optional<::dojo::ElementType> element = mlir::dojo::getElementType(type);
    if (!element)
      return parser.emitError(loc) << "cannot cast to " << type;
    step = TransformStep::cast(*element);
    return success();
  }
  if (keyword == "pad")
    step.kind = Kind::Pad;
  else if (keyword == "reshape")
    step.kind = Kind::Reshape;
  else if (keyword == "transpose")
    step.kind = Kind::Transpose;
  else if (keyword == "slice")
    step.kind = Kind::Slice;
  else
    return parser.emitError(loc) << "expected a step: pad, reshape, transpose, slice or cast";
  step.element = {};
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() -> ParseResult {
    if (parser.parseInteger(step.values.emplace_back()))
      return failure();
    if (step.kind != Kind::Slice)
      return success();
    return failure(parser.parseColon() || parser.parseInteger(step.values.emplace_back()));
  });
}

Attribute mlir::dojo::TransformAttr::parse(AsmParser &parser, Type) {
  SmallVector<TransformStep> steps;
  if (parser.parseLess() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     [&] { return parseStep(parser, steps.emplace_back()); }) ||
      parser.parseGreater())
    return {};
  return get(parser.getContext(), steps);
}

void mlir::dojo::TransformAttr::print(AsmPrinter &printer) const {
  static constexpr StringLiteral names[] = {"pad", "reshape", "transpose", "slice", "cast"};
  printer << "<[";
  llvm::interleaveComma(getSteps(), printer, [&](const TransformStep &step) {
    printer << names[unsigned(step.kind)] << " = ";
    if (step.kind == Kind::Cast) {
      printer << getType(getContext(), step.element);
      return;
    }
    printer << "[";
    if (step.kind == Kind::Slice) {
      for (size_t i = 0; i + 1 < step.values.size(); i += 2)
        printer << (i ? ", " : "") << step.values[i] << ":" << step.values[i + 1];
    } else {
      llvm::interleaveComma(step.values, printer);
    }
    printer << "]";
  });
  printer << "]>";
}
