// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the models of ai.onnx.ml have in common: rows of features, scores of classes and targets.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_SCORES_H
#define DOJO_LIB_IMPORT_ONNX_OPS_SCORES_H

#include "../Lowering.h"

namespace mlir::dojo::onnximport {

inline constexpr llvm::StringLiteral kMachineLearning = "ai.onnx.ml";

/// The numbers of a repeated attribute; empty if the node lacks it.
llvm::SmallVector<float> floatsAttr(const Node &node, StringRef name);
llvm::SmallVector<int64_t> intsOf(const Node &node, StringRef name);

/// Operand 0 as [rows, features] of a float type; null after l.fail. A vector is one row.
Value featureRows(Lowering &l, int32_t elem = onnx::TensorProto::FLOAT);

/// x [rows, features] times `weights` [features, columns], plus `shifts`, one for each column,
/// where there are any. Null after l.fail.
Value weightedSums(Lowering &l, Value x, const Constant &weights, ArrayRef<float> shifts);

/// What `transform` makes of each row of scores: NONE, LOGISTIC, SOFTMAX, SOFTMAX_ZERO or PROBIT.
/// Null after l.fail.
Value postTransformed(Lowering &l, Value scores, StringRef transform);

/// The place of the greatest score of each row, of equal ones the first; i32.
Value greatestPlace(TensorBuilder &b, Value scores);

/// The number of classes of a classifier whose labels are the attribute `integers`, or strings.
int64_t classCount(const Node &node, StringRef integers);

/// Sets result 0, labels[place], if it is to be made; `places` are i32. Strings are never made.
void setLabels(Lowering &l, Value places, StringRef integers);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_SCORES_H
