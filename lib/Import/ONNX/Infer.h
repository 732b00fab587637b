// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types of values: those the user binds for the inputs, and inference node by node.

#ifndef DOJO_LIB_IMPORT_ONNX_INFER_H
#define DOJO_LIB_IMPORT_ONNX_INFER_H

#include "Model.h"
#include "Node.h"
#include "onnx/defs/shape_inference.h"

namespace mlir::dojo::onnximport {

/// The static types of the graph's inputs, by position; an input that has an initialiser or a
/// bound constant gets the type of that. Errors: an unknown name in `options`, a dimension that is
/// not bound, or bound to two values, or to another than the model states.
std::optional<std::vector<TensorType>> bindInputs(const Model &model, const ImportOptions &options,
                                                  llvm::StringMap<Constant> &constants,
                                                  ImportReport &report);

/// How reasons end that say which kind of limit is met.
inline constexpr llvm::StringLiteral
    kDependsOnValues = "has a shape that depends on values known only at run time",
    kNotATensor = "is not a tensor";

/// Sets `proto` to the tensor type `type`.
void setType(const TensorType &type, onnx::TypeProto &proto);

/// Fills node.outputs by the ONNX library's inference function of the op, which sees the contents
/// of small constant operands. Outputs that are not used stay undefined. Returns an empty string,
/// or why the types of the outputs are not known.
std::string inferOutputs(const Model &model, const onnx::NodeProto &proto, Node &node);

/// Why the equation of an Einsum does not fit its operands, or an empty string. The library's
/// inference is not safe from one with two ellipses in a term.
std::string checkEquation(const Node &node);

/// Sets the shapes of results of an op of ai.onnx.ml that the library leaves open.
void fillMachineLearningShapes(const Node &node, onnx::InferenceContext &context);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_INFER_H
