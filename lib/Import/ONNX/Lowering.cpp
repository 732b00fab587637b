// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lowering.h"
#include "dialects/Dojo/DojoDialect.h"

using namespace llvm;

namespace mlir::dojo::onnximport {

// Constants of up to this many elements are written in place.
static constexpr int64_t kInPlaceElements = 16;

static DenseElementsAttr inPlace(RankedTensorType type, const Constant &constant) {
  if (!type.getElementType().isInteger(1))
    return DenseElementsAttr::getFromRawBuffer(
        type, ArrayRef(constant.bytes().data(), constant.bytes().size()));
  SmallVector<bool> bits;
  for (char c : constant.bytes())
    bits.push_back(c);
  return DenseElementsAttr::get(type, bits);
}

Value ConstantPool::get(const Constant &constant, Location loc) {
  auto type =
      RankedTensorType::get(constant.dims(), runtimeType(loc.getContext(), constant.elem()));
  const bool small = constant.count() <= kInPlaceElements;
  std::string key = constant.getType().str();
  if (small)
    key += constant.bytes().str();
  else if (!constant.filePath().empty())
    key += constant.filePath().str() + '\0' + std::to_string(constant.fileOffset());
  else
    key += '\0' + std::to_string(sideFile.add(constant.bytes()));
  auto [it, isNew] = made.try_emplace(key);
  if (!isNew)
    return it->second;

  OpBuilder b(loc.getContext());
  if (last)
    b.setInsertionPointAfter(last);
  else
    b.setInsertionPointToStart(entry);
  if (constant.count() == 0) {
    it->second = tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  } else if (small) {
    it->second = arith::ConstantOp::create(b, loc, inPlace(type, constant));
  } else {
    const bool inFile = !constant.filePath().empty();
    auto blob = FileBlobAttr::get(
        b.getContext(), inFile ? constant.filePath() : StringRef(sideFile.getPath()),
        inFile ? constant.fileOffset() : sideFile.add(constant.bytes()), constant.bytes().size());
    it->second = WeightOp::create(b, loc, type, blob, TypeAttr(), TransformAttr());
  }
  last = it->second.getDefiningOp();
  return it->second;
}

ValueInfo scalarOf(TensorBuilder &b, ConstantPool &pool, int32_t elem,
                   MutableArrayRef<ValueInfo> operands, BodyFn body) {
  SmallVector<Operand> list;
  for (ValueInfo &operand : operands)
    list.push_back(b.along(b.reshape(pool.materialise(operand, b.getLoc()), {}), {}, 0));
  return info(b.elementwise({}, runtimeType(b.getContext(), elem), list, body), elem);
}

Value Lowering::in(unsigned i) {
  ValueInfo &info = *node.inputs[i];
  if (!info.value)
    info.value = pool.get(*info.constant, operandLoc(i));
  return info.value;
}

Operand Lowering::operand(unsigned i, ArrayRef<int64_t> dims) {
  const Constant *constant = node.constant(i);
  if (!constant)
    return b.broadcast(in(i), dims);
  return constantOperand(*constant, dims, int64_t(dims.size() - constant->dims().size()),
                         operandLoc(i));
}

Location Lowering::operandLoc(unsigned i) {
  return NameLoc::get(b.getStringAttr(node.proto.input(int(i))));
}

Operand Lowering::constantOperand(const Constant &constant, ArrayRef<int64_t> dims,
                                  int64_t firstLoop, std::optional<Location> loc) {
  if (constant.isSplat())
    return {{}, {}, storedAttr(b.getContext(), constant, 0)};
  Dims kept, loops;
  for (auto [d, extent] : enumerate(constant.dims()))
    if (extent != 1 || dims[firstLoop + d] == 1) {
      kept.push_back(extent);
      loops.push_back(firstLoop + int64_t(d));
    }
  return b.along(pool.get(constant.reshaped(kept), loc.value_or(b.getLoc())), loops, dims.size());
}

ArrayRef<OpEntry> allLowerings() {
  static const std::vector<OpEntry> entries = [] {
    std::vector<OpEntry> all;
#define DOJO_ONNX_FAMILY(name) llvm::append_range(all, name());
#include "Families.def"
    llvm::sort(all, [](const OpEntry &a, const OpEntry &b) {
      return std::tie(a.op, a.domain, a.first) < std::tie(b.op, b.domain, b.first);
    });
    return all;
  }();
  return entries;
}

const OpEntry *findLowering(StringRef domain, StringRef op, int since) {
  for (const OpEntry &entry : allLowerings())
    if (entry.op == op && entry.domain == domain && since >= entry.first && since <= entry.last)
      return &entry;
  return nullptr;
}

} // namespace mlir::dojo::onnximport

std::vector<mlir::dojo::ReadOp> mlir::dojo::readOps() {
  std::vector<ReadOp> ops;
  for (const onnximport::OpEntry &entry : onnximport::allLowerings())
    ops.push_back({entry.domain.empty() ? "ai.onnx" : entry.domain.str(), entry.op.str(),
                   entry.first, entry.last});
  return ops;
}
