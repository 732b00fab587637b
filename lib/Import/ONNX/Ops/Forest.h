// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decision trees as tables. A row of features walks down every tree at the same time as other rows
// walk; each step reads the tables at the node it is at, a leaf leads to itself.

#ifndef DOJO_LIB_IMPORT_ONNX_OPS_FOREST_H
#define DOJO_LIB_IMPORT_ONNX_OPS_FOREST_H

#include "../Lowering.h"

namespace mlir::dojo::onnximport {

struct Forest {
  /// In the order of ai.onnx.ml's TreeEnsemble. Member is none of a node here: a set becomes a
  /// chain of Equal.
  enum Mode { LessEqual, Less, GreaterEqual, Greater, Equal, NotEqual, Member };
  struct Branch {
    int64_t feature = 0;
    double split = 0;
    Mode mode = Equal;
    bool missingTakesTrue = false;
    int64_t taken = 0, other = 0; ///< nodes; the node itself for a leaf
  };
  struct Weight {
    int64_t target;
    double value;
  };
  enum Aggregate { Average, Sum, Min, Max };

  std::vector<Branch> nodes;
  std::vector<llvm::SmallVector<Weight, 1>> weights; ///< of each node, none for those inside
  llvm::SmallVector<int64_t> roots;
  int64_t targets = 0;
  Aggregate aggregate = Sum;
  /// Of the features, splits and weights: FLOAT or DOUBLE.
  int32_t elem = onnx::TensorProto::FLOAT;
  bool missingIsUnequal = false; ///< what NotEqual says of NaN

  /// Adds a leaf and returns its number.
  int64_t addLeaf();
  /// Why the tables are not trees over `features` features, or an empty string.
  std::string check(int64_t features);
  /// The sums (or greatest values and so on) of the leaves' weights: [rows, targets], from
  /// x [rows, features]. Only after check.
  Value lower(Lowering &l, Value x) const;

private:
  int64_t depth = 0; ///< steps from a root to the farthest leaf
  Value walk(Lowering &l, Value x) const;
};

} // namespace mlir::dojo::onnximport

#endif // DOJO_LIB_IMPORT_ONNX_OPS_FOREST_H
