// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layers of a model on the host: what each of them should give.

#ifndef DOJO_TOOLS_DOJOGOLDEN_HOSTLAYERS_H
#define DOJO_TOOLS_DOJOGOLDEN_HOSTLAYERS_H

#include "dojo/Golden/Golden.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace dojo::golden {

/// A dojo.layer of @main, by its name. `value` is the ONNX value that its result is, if it is one.
struct HostLayer {
  std::string name, value;
};

class HostLayers {
public:
  /// Compiles the layers of `module` (layer or placed form, not changed) for the host. Isolated,
  /// each layer takes the results of earlier layers from outside; else from the layers themselves.
  static llvm::Expected<HostLayers> compile(mlir::ModuleOp module, bool isolated);

  /// In the order of the module.
  const std::vector<HostLayer> &layers() const { return all; }
  /// Type and shape of each layer's result as it lies in memory, then of each output of @main.
  const std::vector<mlir::dojo::HostTensorInfo> &results() const { return program->getOutputs(); }

  /// Tensor of a graph input by name (`layer` is -1), or the result of a layer.
  using Source = llvm::function_ref<llvm::Expected<mlir::dojo::HostTensor>(
      const mlir::dojo::HostTensorInfo &, int64_t layer)>;
  /// The results of all layers, then the outputs of @main; isolated, those are made of the layers'
  /// results that came from outside.
  llvm::Expected<std::vector<mlir::dojo::HostTensor>> run(Source source);

private:
  std::vector<HostLayer> all;
  std::vector<int64_t> taken; ///< of each input: the layer it is the result of, or -1
  std::unique_ptr<mlir::dojo::GoldenProgram> program;
};

} // namespace dojo::golden

#endif // DOJO_TOOLS_DOJOGOLDEN_HOSTLAYERS_H
