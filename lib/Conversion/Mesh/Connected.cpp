// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Connected.h"

#include "dojo/Planning/Router.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include <set>

using namespace mlir;
namespace planning = ::dojo::planning;

LogicalResult mlir::dojo::checkConnected(Location loc, const planning::Mesh &mesh) {
  std::vector<std::vector<int32_t>> parts = planning::connectedParts(mesh);
  if (parts.size() < 2)
    return success();
  constexpr size_t most = 8;
  auto position = [&](int32_t node) {
    return std::to_string(mesh.row(node)) + "," + std::to_string(mesh.column(node));
  };
  auto list = [&](ArrayRef<int32_t> nodes, StringRef before) {
    std::string text;
    for (int32_t node : nodes.take_front(most))
      text += (text.empty() ? "" : " ") + before.str() + position(node);
    return text + (nodes.size() > most ? " ..." : "");
  };
  std::vector<int32_t> off, silent;
  for (const std::vector<int32_t> &part : llvm::drop_begin(parts))
    off.insert(off.end(), part.begin(), part.end());
  llvm::sort(off);
  // A silent router matters if it is beside a node that is cut off, or beside another such.
  std::set<int32_t> seen(off.begin(), off.end());
  std::vector<int32_t> open = off;
  while (!open.empty()) {
    int32_t at = open.back();
    open.pop_back();
    for (planning::Direction d : planning::allDirections) {
      int32_t n = planning::neighbour(mesh, at, d);
      if (n >= 0 && !mesh.usable[n] && seen.insert(n).second)
        (mesh.forwards[n] ? open : silent).push_back(n);
    }
  }
  llvm::sort(silent);
  InFlightDiagnostic diag = emitError(loc, "the mesh falls apart: ");
  diag << off.size() << " of " << off.size() + parts[0].size()
       << " nodes cannot be reached from the others (row,column: " << list(off, "")
       << "), as routers that do not forward stand between";
  diag.attachNote() << "these routers do not forward, or lie outside of the partition: "
                    << list(silent, "");
  diag.attachNote() << "give the smaller part up with " << list(off, "--dead ")
                    << ", or take another partition with --nodes";
  return diag;
}
