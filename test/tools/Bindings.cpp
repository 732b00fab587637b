// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Bindings.h"
#include "llvm/ADT/SmallVector.h"

using namespace llvm;

namespace mlir::dojo {

bool splitBinding(StringRef text, std::string &name, std::string &value) {
  auto [left, right] = text.rsplit('=');
  if (left.empty() || !text.contains('='))
    return false;
  name = left.str();
  value = right.str();
  return true;
}

bool parseBindings(ArrayRef<std::string> shapes, ArrayRef<std::string> dims,
                   ArrayRef<std::string> constants, ImportOptions &options, std::string &error) {
  for (const std::string &text : shapes) {
    std::string name, value;
    std::vector<int64_t> dims;
    bool ok = splitBinding(text, name, value);
    SmallVector<StringRef> parts;
    if (ok && !value.empty())
      StringRef(value).split(parts, 'x');
    for (StringRef part : parts) {
      int64_t d;
      ok &= !part.getAsInteger(10, d) && d >= 0;
      dims.push_back(ok ? d : 0);
    }
    if (!ok) {
      error = "--shape " + text + ": expected NAME=AxBx..., such as x=1x3x224x224";
      return false;
    }
    options.shapes.push_back({name, dims});
  }
  for (const std::string &text : dims) {
    std::string name, value;
    int64_t number;
    if (!splitBinding(text, name, value) || StringRef(value).getAsInteger(10, number) ||
        number < 0) {
      error = "--dim " + text + ": expected NAME=N";
      return false;
    }
    options.dims.push_back({name, number});
  }
  for (const std::string &text : constants) {
    std::string name, value;
    if (!splitBinding(text, name, value) || value.empty()) {
      error = "--const " + text + ": expected NAME=FILE.npy";
      return false;
    }
    options.constants.push_back({name, value});
  }
  return true;
}

} // namespace mlir::dojo
