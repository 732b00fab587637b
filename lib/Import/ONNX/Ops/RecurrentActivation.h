// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The activation functions that RNN, GRU and LSTM name by attributes.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_RECURRENTACTIVATION_H
#define DOJO_LIB_IMPORT_ONNX_OPS_RECURRENTACTIVATION_H

#include "../Build.h"

namespace mlir::dojo::onnximport {

struct Activation {
  std::string name; ///< in lower case
  double alpha = 0, beta = 0;
};

/// The functions of each direction in turn, `count` each; by default Sigmoid and then Tanh (an RNN
/// has Tanh alone). Values of activation_alpha and activation_beta go to the functions that take
/// them, in order. `error` says what is wrong.
llvm::SmallVector<Activation> readActivations(const Node &node, int64_t directions, unsigned count,
                                              std::string &error);

/// `activation` of x, which is first brought into -clip..clip.
Value applyActivation(Scalars &s, const Activation &activation, std::optional<double> clip,
                      Value x);

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_RECURRENTACTIVATION_H
