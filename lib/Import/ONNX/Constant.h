// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element types, tensor types and tensors known at compile time.

#ifndef DOJO_LIB_IMPORT_ONNX_CONSTANT_H
#define DOJO_LIB_IMPORT_ONNX_CONSTANT_H

#include "Files.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <memory>
#include <optional>

namespace mlir::dojo::onnximport {

using Dims = llvm::SmallVector<int64_t, 6>;

enum class ElemClass { Float, Signed, Unsigned, Bool, Other };

/// What the importer knows of an ONNX element type.
struct ElemInfo {
  llvm::StringLiteral name;      ///< ONNX's: "float", "int64", "bool"
  llvm::StringLiteral shortName; ///< that of images and .npy files: "f32", "i64", "bool"
  ElemClass kind;
  unsigned bytes;            ///< in a Constant, an image and a .npy file; 0: not fixed
  llvm::StringLiteral numpy; ///< NumPy's type without byte order: "f4"; empty if it has none
  /// Of types of class Other that have one byte an element: the bits of a code, in the low bits of
  /// the byte. 0 for all others.
  unsigned codeBits = 0;

  /// Bits of an element, 0 if they are not fixed.
  unsigned bits() const { return codeBits ? codeBits : 8 * bytes; }
};
ElemInfo elemInfo(int32_t elem);

/// An ONNX element type and static dimensions.
struct TensorType {
  int32_t elem = onnx::TensorProto::UNDEFINED;
  Dims dims;

  /// "float[1,3,224,224]"
  std::string str() const;
  bool operator==(const TensorType &other) const {
    return elem == other.elem && dims == other.dims;
  }
};

/// The product of `dims`, or nothing if one is negative or the product exceeds 2^32.
std::optional<int64_t> elementCount(llvm::ArrayRef<int64_t> dims);

/// The product of `factors`, none negative, or the largest int64 if it is greater.
int64_t saturatedProduct(llvm::ArrayRef<int64_t> factors);

/// A tensor of known contents, row-major and little-endian, bool as bytes 0 and 1, and one byte an
/// element where ONNX packs several into one. Copies share
/// the contents.
class Constant {
public:
  /// Takes over `bytes`, the contents of a tensor of type `type`.
  Constant(TensorType type, std::string bytes);
  /// A 1-D tensor of int64, or a scalar.
  static Constant ofInts(llvm::ArrayRef<int64_t> values, bool scalar = false);
  static Constant ofFloats(llvm::ArrayRef<float> values, Dims dims);
  /// The data of `tensor`: its fields, or bytes of a file. The file of kModelFileLocation is
  /// `modelPath`; other locations are relative to that file's directory and may not leave it.
  static llvm::Expected<Constant> fromTensor(const onnx::TensorProto &tensor, FileStore &files,
                                             llvm::StringRef modelPath);

  const TensorType &getType() const { return type; }
  int32_t elem() const { return type.elem; }
  llvm::ArrayRef<int64_t> dims() const { return type.dims; }
  int64_t count() const { return elements; }
  llvm::StringRef bytes() const { return view; }

  /// Where the bytes lie in a file that was given to the importer; the path is empty if they do
  /// not.
  llvm::StringRef filePath() const { return path; }
  uint64_t fileOffset() const { return offset; }

  /// The same elements with other dimensions of the same product.
  Constant reshaped(llvm::ArrayRef<int64_t> dims) const;

  /// Element `i` in row-major order; of a float type for asDouble's result to be exact, of an
  /// integer type or bool for asInt (uint64 by its bits).
  double asDouble(int64_t i) const;
  int64_t asInt(int64_t i) const;
  /// All elements of an integer or bool tensor.
  llvm::SmallVector<int64_t> ints() const;
  /// True if all elements have the same bits and there is at least one.
  bool isSplat() const;
  /// A TensorProto with the contents in raw_data.
  onnx::TensorProto toTensor() const;

private:
  Constant() = default;

  TensorType type;
  int64_t elements = 0;
  std::shared_ptr<const std::string> owned;
  llvm::StringRef view;
  std::string path;
  uint64_t offset = 0;
};

/// Appends `value` to `bytes` as an element of type `elem`, converted as a C cast would; values
/// out of an integer type's range saturate. `elem` is a Float, Signed, Unsigned or Bool type.
void appendElement(std::string &bytes, int32_t elem, double value);
void appendElement(std::string &bytes, int32_t elem, int64_t value);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_CONSTANT_H
