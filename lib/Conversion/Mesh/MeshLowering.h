// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// State of the lowering from the placed form to the mesh form. Layers are numbered in program
// order; a value is a layer's result, a graph input, a constant, or a view of such.

#ifndef DOJO_CONVERSION_MESH_MESHLOWERING_H
#define DOJO_CONVERSION_MESH_MESHLOWERING_H

#include "KernelBuilder.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Planning/Exchange.h"
#include "dojo/Planning/Layout.h"
#include "dojo/Transforms/LayerAccess.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::dojo {

namespace planning = ::dojo::planning;

/// A tensor that lies in SRAM: a graph input or a layer's result.
struct Resident {
  std::string buffer;
  int64_t layer;                          ///< that makes it; -1: there from the start
  llvm::SmallVector<int64_t> strides;     ///< bytes
  std::vector<planning::LocalPiece> held; ///< disjoint boxes
  RankedTensorType type;
};

/// A buffer before it has an address.
struct BufferSpec {
  int64_t bytes = 0, first = 0, last = 0;
  llvm::StringRef kind;
};

/// One layer with its division between nodes.
struct PlacedLayer {
  LayerOp op;
  int64_t index;
  LayerAccess access;
  std::vector<KernelTile> tiles;          ///< per cell of the plan's grid
  llvm::SmallVector<int32_t> nodes;       ///< per cell
  llvm::SmallVector<std::string> buffers; ///< per slot, then the output
  llvm::SmallVector<int64_t> offsets;     ///< bytes, same order

  /// Whether the body reads elements of the slot's tensor at places that it computes.
  bool isCaptured(unsigned slot) const {
    return llvm::any_of(access.inputs, [&](const LayerAccess::Operand &in) {
      return in.captured && in.slot == slot;
    });
  }
};

class MeshLowering {
public:
  MeshLowering(ModuleOp module, const planning::Mesh &mesh) : module(module), mesh(mesh) {}

  /// Replaces @main by the mesh form. Errors are reported on the layer at fault.
  LogicalResult run();

private:
  LogicalResult placeInputs(func::FuncOp main);
  /// A tensor cut into contiguous boxes, at most one a node; adds its buffer.
  Resident spreadTensor(const llvm::Twine &buffer, StringRef kind, RankedTensorType type,
                        int64_t layer, int64_t last);
  LogicalResult lowerBlock(Block &block);
  LogicalResult lowerLayer(LayerOp op);
  LogicalResult lowerLoop(LoopOp op);
  LogicalResult lowerLoopBody(LoopOp op, func::FuncOp body, ArrayRef<Resident> states,
                              const std::string &condition);
  LogicalResult lowerOutputs(func::FuncOp main);
  /// A layer without code, only there to be brought tensors to, or to be waited for.
  int64_t addWaypoint(Location loc, StringRef kind);
  /// Brings `value` to where `needs` says, for layer `layer`, after layer `after`. `what` names it
  /// in errors.
  LogicalResult gather(Location loc, Value value, const std::vector<planning::LocalPiece> &needs,
                       int64_t layer, int64_t after, const std::string &buffer, const Twine &what);
  /// Looks through what stands for a value of the function that calls a loop.
  Value resolve(Value value) const;
  /// Tiles, output buffer and output strides of a layer.
  LogicalResult divide(PlacedLayer &layer);
  LogicalResult placeConstant(PlacedLayer &layer, const LayerAccess::Operand &in, WeightOp weight);
  LogicalResult bringOperand(PlacedLayer &layer, const LayerAccess::Operand &in, Value value);
  void createKernels(PlacedLayer &layer);

  /// The exchange that brings `value` to `needs`; without `needs` only sources and view are set.
  LogicalResult describeSources(Location loc, Value value, planning::ExchangeProblem &problem,
                                llvm::SmallVectorImpl<Value> &roots,
                                llvm::DenseMap<int32_t, TypedAttr> &fillValues);
  FailureOr<int32_t> buildView(Location loc, Value value, planning::ExchangeProblem &problem,
                               llvm::SmallVectorImpl<Value> &roots,
                               llvm::DenseMap<int32_t, TypedAttr> &fillValues);
  /// Sent after layer `after` or the one that makes the source, whichever is later.
  LogicalResult emitExchange(Location loc, const planning::ExchangeProblem &problem,
                             ArrayRef<Value> roots, int64_t layer, int64_t after,
                             const std::string &dstBuffer, planning::Exchange &exchange);
  std::string addBuffer(const llvm::Twine &name, StringRef kind, int64_t bytes, int64_t first,
                        int64_t last);
  /// `name`, or the first of name.1, name.2, ... that no symbol has, also not with a suffix.
  StringRef uniqueSymbol(const llvm::Twine &name, ArrayRef<StringRef> suffixes = {});
  void useBuffer(StringRef name, int64_t layer);
  void addPort(StringRef kind, StringRef name, Type logical, int64_t blockDim, int64_t block,
               const Resident &resident, int64_t last, StringAttr element = {});
  void emitBuffers();

  ModuleOp module;
  const planning::Mesh &mesh;
  OpBuilder builder{module.getContext()};
  llvm::DenseMap<Value, Resident> residents;
  llvm::DenseMap<Value, Value> bound; ///< arguments of the bodies of loops that are only read
  /// A loop whose body is being lowered: the layer that brings what it begins with, and the one
  /// that each step begins with, behind which what the body reads is sent.
  struct OpenLoop {
    func::FuncOp body;
    int64_t enter, first;
  };
  llvm::SmallVector<OpenLoop> loops; ///< outermost first
  int64_t firstOfStep() const { return loops.empty() ? -1 : loops.back().first; }
  llvm::MapVector<StringRef, BufferSpec> buffers; ///< keys live in symbols
  /// Names given so far, and those of the programs. Layers are named by the model, as it likes.
  llvm::StringSet<> symbols{"main", "main.0", "main.1", "main.2"};
  /// Given so far, and those of @main, which keep theirs: layers are named in each function alone.
  llvm::StringSet<> layerNames;
  int64_t numLayers = 0;
  Operation *insertKernelsBefore = nullptr;
};

/// Bytes that may be read (never used) or written behind the last element of a tensor: matrix
/// kernels work on whole blocks of eight pixels.
inline constexpr int64_t tensorSlack = 256;
/// The same behind constants that gathers read, in granules of 8 bytes.
inline constexpr int64_t gatherSlack = 8;

/// Bytes of one element in SRAM: booleans take one. The type is storable.
int64_t storageBytes(Type type);

/// The loop box of each node of a plan, in the order of the plan's cells.
std::vector<std::pair<int32_t, IndexBox>> cellsOf(const LayerAccess &access, PlanAttr plan);

planning::Coord toCoord(ArrayRef<int64_t> values);
planning::Box toBox(const IndexBox &box);
IndexBox toIndexBox(const planning::Box &box);

/// Row-major strides, in elements, that fit every one of the boxes; `elements` is their room.
llvm::SmallVector<int64_t> commonStrides(ArrayRef<const IndexBox *> boxes, unsigned rank,
                                         int64_t &elements);

} // namespace mlir::dojo

#endif // DOJO_CONVERSION_MESH_MESHLOWERING_H
