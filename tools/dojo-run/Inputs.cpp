// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Inputs.h"

#include "dojo/Npy/Elements.h"
#include "dojo/Npy/Npy.h"

#include <algorithm>
#include <charconv>

namespace dojo::run {

using image::ElementKind;
using image::ElementType;
using image::tensorBytes;
using image::TensorRef;

static std::string quote(const std::string &text) { return "'" + text + "'"; }

std::string showShape(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

static const TensorRef *find(const std::vector<TensorRef> &list, const char *kind,
                             const std::string &name, std::string &error) {
  std::string names;
  for (const TensorRef &tensor : list) {
    if (tensor.name == name)
      return &tensor;
    names += (names.empty() ? "" : ", ") + quote(tensor.name);
  }
  error = std::string("the model has no ") + kind + " " + quote(name) + "; it has " +
          (names.empty() ? "none" : names);
  return nullptr;
}

static bool bindFile(const std::string &path, BoundInput &input, std::string &error) {
  NpyArray array;
  if (!readNpy(path, array, error))
    return false;
  const TensorRef &tensor = *input.tensor;
  const ElementType &type = *image::findElementType(tensor.type);
  if (!npy::descrFits(array.descr, type)) {
    error = quote(path) + " holds elements of the type '" + array.descr + "'; input " +
            quote(tensor.name) + " is " + tensor.type + ", in .npy files '" + type.numpy + "'";
    return false;
  }
  bool batched = array.shape.size() == tensor.shape.size() + 1 &&
                 std::equal(tensor.shape.begin(), tensor.shape.end(), array.shape.begin() + 1);
  if (!batched && array.shape != tensor.shape) {
    error = quote(path) + " has the shape " + showShape(array.shape) + "; input " +
            quote(tensor.name) + " has " + showShape(tensor.shape) +
            ", or one more leading dimension";
    return false;
  }
  if (batched && array.shape[0] == 0) {
    error = quote(path) + " has no slice to run: its shape is " + showShape(array.shape);
    return false;
  }
  input.slices = batched ? array.shape[0] : -1;
  input.bytes = std::move(array.bytes);
  return true;
}

bool bindInputs(const image::Image &image, const std::vector<Binding> &bindings, BoundInputs &out,
                std::string &error) {
  for (const Binding &binding : bindings) {
    BoundInput input;
    input.tensor = find(image.inputs, "input", binding.name, error);
    if (!input.tensor)
      return false;
    if (binding.value.starts_with("random:")) {
      std::string text = binding.value.substr(7);
      uint64_t seed = 0;
      auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seed);
      if (code != std::errc() || end != text.data() + text.size()) {
        error = "the seed in " + quote(binding.value) + " is not a number";
        return false;
      }
      const ElementType &type = *image::findElementType(input.tensor->type);
      input.bytes =
          npy::randomElements(seed, binding.name, type, tensorBytes(*input.tensor) / type.bytes);
    } else if (!bindFile(binding.value, input, error)) {
      return false;
    }
    if (input.slices >= 0 && out.slices >= 0 && input.slices != out.slices) {
      error = "input " + quote(binding.name) + " has " + std::to_string(input.slices) +
              " slices, another input " + std::to_string(out.slices);
      return false;
    }
    out.slices = std::max(out.slices, input.slices);
    out.inputs.push_back(std::move(input));
  }
  for (const TensorRef &tensor : image.inputs)
    if (std::none_of(out.inputs.begin(), out.inputs.end(),
                     [&](const BoundInput &input) { return input.tensor == &tensor; })) {
      error = "input " + quote(tensor.name) + " (" + tensor.type + " " + showShape(tensor.shape) +
              ") has no --input";
      return false;
    }
  return true;
}

std::vector<int64_t> stackedShape(const TensorRef &output, const BoundInputs &inputs) {
  std::vector<int64_t> shape = output.shape;
  if (inputs.slices >= 0)
    shape.insert(shape.begin(), inputs.slices);
  return shape;
}

// The type in which to read a file that is compared with an output.
static const ElementType *expectedType(const std::string &descr, const ElementType &output) {
  if (npy::descrFits(descr, output))
    return &output;
  if (output.kind == ElementKind::Float)
    for (const char *name : {"f16", "f32", "f64"})
      if (const ElementType *type = image::findElementType(name); descr == type->numpy)
        return type;
  return nullptr;
}

bool readExpected(const image::Image &image, const std::vector<Binding> &bindings,
                  const BoundInputs &inputs, std::vector<Expected> &out, std::string &error) {
  for (const Binding &binding : bindings) {
    Expected expected;
    expected.tensor = find(image.outputs, "output", binding.name, error);
    NpyArray array;
    if (!expected.tensor || !readNpy(binding.value, array, error))
      return false;
    const TensorRef &tensor = *expected.tensor;
    const ElementType *type = expectedType(array.descr, *image::findElementType(tensor.type));
    if (!type) {
      error = quote(binding.value) + " holds elements of the type '" + array.descr + "'; output " +
              quote(tensor.name) + " is " + tensor.type;
      return false;
    }
    if (std::vector<int64_t> shape = stackedShape(tensor, inputs); array.shape != shape) {
      error = quote(binding.value) + " has the shape " + showShape(array.shape) + "; output " +
              quote(tensor.name) + " has " + showShape(shape);
      return false;
    }
    for (size_t at = 0; at < array.bytes.size(); at += type->bytes)
      expected.values.push_back(npy::elementValue(array.bytes.data() + at, *type));
    out.push_back(std::move(expected));
  }
  return true;
}

} // namespace dojo::run
