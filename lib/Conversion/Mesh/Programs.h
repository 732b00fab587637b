// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Encoded programs and where they lie. A node's memory from the end of data upwards: tables, its
// transfer list, main texts (the same on every node), kernels (those the node uses).

#ifndef DOJO_CONVERSION_MESH_PROGRAMS_H
#define DOJO_CONVERSION_MESH_PROGRAMS_H

#include "dojo/Target/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include <map>
#include <string>
#include <vector>

namespace mlir::dojo {

/// One thread's main program.
struct MainText {
  /// Instructions [begin, end) belong to a layer.
  struct Mark {
    uint32_t begin, end;
    int64_t layer;
  };
  std::string name;
  uint32_t address = 0;
  std::vector<uint8_t> bytes;
  std::vector<std::string> lines; ///< of assembly, as if at address 0
  std::vector<Mark> marks;
  /// Thread 0: by layer, the instruction that says that the layer is done.
  std::map<int64_t, uint32_t> ends;
};

struct PlacedCode {
  uint32_t kernel; ///< index into Programs::kernelBytes
  uint32_t address;
};

struct NodeProgram {
  std::vector<uint8_t> tables; ///< tables and transfer list, from tableAddress on
  std::vector<PlacedCode> kernels;
};

struct Programs {
  std::vector<MainText> texts; ///< by thread
  std::vector<std::vector<uint8_t>> kernelBytes;
  std::vector<std::vector<std::string>> kernelLines; ///< of assembly, as if at address 0
  std::vector<std::string> kernelNames;
  std::map<std::string, uint32_t> kernelIndex; ///< by the name of the d1.func; equal code is shared
  std::map<int32_t, NodeProgram> nodes;
  uint32_t tableAddress = 0;
  uint32_t codeBytes = 0, tableBytes = 0; ///< of the node that has most
  uint32_t end = 0;                       ///< first free byte of the fullest node
  int64_t missing = 0;                    ///< by how many bytes that exceeds the SRAM
};

/// Encodes kernels and main texts, fills tables and lists.
LogicalResult buildPrograms(ModuleOp module, const ::dojo::Target &machine, Programs &out);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_PROGRAMS_H
