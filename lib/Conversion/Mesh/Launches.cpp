// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of a layer, the nodes that launch them, and what they touch.

#include "MeshLowering.h"

#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace mlir;
using namespace mlir::dojo;

/// Appends the record of dojo.launch for runs of a box; boxes of more dimensions than a record has
/// counts take several.
static void declareBox(SmallVectorImpl<int64_t> &out, int64_t phase, int64_t write, int64_t buffer,
                       int64_t offset, const IndexBox &box, ArrayRef<int64_t> strides,
                       int64_t bytes) {
  int64_t run = bytes;
  unsigned rank = box.size.size(), d = rank;
  for (unsigned i = 0; i < rank; ++i)
    offset += box.lo[i] * strides[i] * bytes;
  while (d > 0 && (strides[d - 1] * bytes == run || box.size[d - 1] == 1)) {
    run = box.size[d - 1] == 1 ? run : run * box.size[d - 1];
    --d;
  }
  SmallVector<int64_t> counts, steps;
  for (; d > 0; --d)
    if (box.size[d - 1] != 1) {
      counts.push_back(box.size[d - 1]);
      steps.push_back(strides[d - 1] * bytes);
    }
  counts.resize(std::max<size_t>(counts.size(), 3), 1);
  steps.resize(counts.size(), 0);
  int64_t outer = 1;
  for (int64_t count : ArrayRef(counts).drop_front(3))
    outer *= count;
  for (int64_t o = 0; o < outer; ++o) {
    int64_t at = offset, rest = o;
    for (size_t i = 3; i < counts.size(); ++i) {
      at += rest % counts[i] * steps[i];
      rest /= counts[i];
    }
    out.append({phase, write, buffer, at, run, counts[0], counts[1], counts[2], steps[0], steps[1],
                steps[2]});
  }
}

/// What the tile's prologue and kernel touch. Kernels may load whole spans of their operands, with
/// the slack behind tensors, but only the box counts.
static SmallVector<int64_t> declareAccesses(const PlacedLayer &layer, const KernelTile &tile) {
  SmallVector<int64_t> out;
  auto span = [](const KernelOperand &operand) {
    int64_t elements = 1;
    for (auto [size, stride] : llvm::zip_equal(operand.box.size, operand.strides))
      elements += (size - 1) * stride;
    return elements * storageBytes(operand.elementType);
  };
  bool slack = layer.access.isStructured();
  for (auto [i, in] : llvm::enumerate(tile.inputs)) {
    if (layer.buffers[i].empty())
      continue;
    int64_t bytes = storageBytes(in.elementType);
    for (const KernelFill &fill : in.fills)
      declareBox(out, 0, 1, i, fill.offset * bytes,
                 {SmallVector<int64_t>(fill.size.size(), 0), fill.size}, fill.strides, bytes);
    IndexBox all = in.box;
    all.lo.assign(all.lo.size(), 0);
    declareBox(out, 1, 0, i, 0, all, in.strides, storageBytes(in.elementType));
    // Gathers load granules that begin at the elements.
    int64_t behind = slack ? tensorSlack : layer.isCaptured(i) ? gatherSlack : 0;
    out.append({1, 2, int64_t(i), 0, span(in) + behind, 1, 1, 1, 0, 0, 0});
  }
  int64_t output = tile.inputs.size();
  int64_t bytes = span(tile.output) + (slack ? tensorSlack : 0);
  out.append({1, 1, output, 0, bytes, 1, 1, 1, 0, 0, 0});
  // Sums may be kept in the result while they grow: loads of what the kernel itself wrote.
  out.append({1, 2, output, 0, bytes, 1, 1, 1, 0, 0, 0});
  return out;
}

void MeshLowering::createKernels(PlacedLayer &layer) {
  std::map<std::string, FlatSymbolRefAttr> kernels, prologues;
  // Launches in the order in which their first tile appears.
  struct Launch {
    SmallVector<int32_t> nodes;
    const KernelTile *tile;
  };
  llvm::MapVector<std::pair<Attribute, Attribute>, Launch> launches;
  auto mark = [&](func::FuncOp func) {
    if (!func)
      return FlatSymbolRefAttr();
    func->setAttr("dojo.layer", builder.getI64IntegerAttr(layer.index));
    return FlatSymbolRefAttr::get(func);
  };
  for (auto [tile, node] : llvm::zip_equal(layer.tiles, layer.nodes)) {
    std::string key = kernelKey(layer.access, tile);
    auto kernel = kernels.find(key);
    if (kernel == kernels.end()) {
      StringRef name =
          uniqueSymbol(layer.op.getName() + ".kernel" + Twine(kernels.size()), {".t0", ".t1"});
      kernel = kernels.insert({key, mark(buildKernel(builder, name, layer.access, tile))}).first;
    }
    key += prologueKey(tile);
    auto prologue = prologues.find(key);
    if (prologue == prologues.end()) {
      StringRef name =
          uniqueSymbol(layer.op.getName() + ".fill" + Twine(prologues.size()), {".t0"});
      prologue =
          prologues.insert({key, mark(buildPrologue(builder, name, layer.access, tile))}).first;
    }
    Launch &launch = launches[{kernel->second, prologue->second}];
    launch.nodes.push_back(node);
    launch.tile = &tile;
  }
  SmallVector<Attribute> symbols;
  for (const std::string &buffer : layer.buffers)
    symbols.push_back(buffer.empty() ? Attribute(builder.getUnitAttr())
                                     : FlatSymbolRefAttr::get(builder.getContext(), buffer));
  for (auto &[names, launch] : launches) {
    llvm::sort(launch.nodes);
    LaunchOp::create(builder, layer.op.getLoc(), builder.getI64IntegerAttr(layer.index),
                     cast<FlatSymbolRefAttr>(names.first),
                     cast_or_null<FlatSymbolRefAttr>(names.second), builder.getArrayAttr(symbols),
                     builder.getDenseI64ArrayAttr(layer.offsets),
                     builder.getDenseI64ArrayAttr(declareAccesses(layer, *launch.tile)),
                     builder.getDenseI32ArrayAttr(launch.nodes));
  }
}
