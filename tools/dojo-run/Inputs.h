// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors that come from files: inputs, and outputs to expect.
#ifndef DOJO_TOOLS_DOJORUN_INPUTS_H
#define DOJO_TOOLS_DOJORUN_INPUTS_H

#include "Options.h"

#include "dojo/Image/Image.h"

namespace dojo::run {

/// One graph input's elements. With slices >= 0 there are that many arrays of the input's shape one
/// after the other, else one, used in every run.
struct BoundInput {
  const image::TensorRef *tensor = nullptr;
  std::vector<uint8_t> bytes;
  int64_t slices = -1;
};

struct BoundInputs {
  std::vector<BoundInput> inputs;
  int64_t slices = -1; // of the inputs that have any; -1: none has

  int64_t runs() const { return slices < 0 ? 1 : slices; }
};

/// Reads or makes every input of the image. False with \p error: a name that is no input, an input
/// without a value, a file of the wrong type or shape, different numbers of slices, no slice.
[[nodiscard]] bool bindInputs(const image::Image &image, const std::vector<Binding> &bindings,
                              BoundInputs &out, std::string &error);

/// An output's expected elements as numbers.
struct Expected {
  const image::TensorRef *tensor = nullptr;
  std::vector<double> values;
};

/// Reads expected outputs of a run of \p inputs. A float output may be compared with a file of
/// another float type.
[[nodiscard]] bool readExpected(const image::Image &image, const std::vector<Binding> &bindings,
                                const BoundInputs &inputs, std::vector<Expected> &out,
                                std::string &error);

/// The shape of an output when all slices are stacked.
std::vector<int64_t> stackedShape(const image::TensorRef &output, const BoundInputs &inputs);

/// "[1, 3]".
std::string showShape(const std::vector<int64_t> &shape);

} // namespace dojo::run

#endif
