// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What dojo-golden prints.

#ifndef DOJO_TOOLS_DOJOGOLDEN_REPORT_H
#define DOJO_TOOLS_DOJOGOLDEN_REPORT_H

#include "Comparison.h"
#include "llvm/Support/raw_ostream.h"

namespace dojo::golden {

/// One compared tensor, a layer's result or, at the end of the run, an output of the model.
struct Row {
  int64_t layer = 0; ///< that makes it, by the image
  bool output = false;
  const image::TensorRef *tensor = nullptr;
  std::string value; ///< the ONNX value it is; empty: none
  Tolerance tolerance;
  Comparison comparison;
};

/// A line for each row; the columns that only elementwise tolerances have with `elementwise`.
void printTable(llvm::raw_ostream &os, const image::Image &image, const std::vector<Row> &rows,
                bool elementwise);

/// All about the row that differs first.
void printDifference(llvm::raw_ostream &os, const image::Image &image, const Row &row);

} // namespace dojo::golden

#endif // DOJO_TOOLS_DOJOGOLDEN_REPORT_H
