// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Conversion/ImageWriter.h"

#include "ConstantData.h"
#include "ProgramTables.h"
#include "Programs.h"
#include "VerifyMesh.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Conversion/Machine.h"
#include "dojo/Image/Builder.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include <map>

using namespace mlir;
using namespace mlir::dojo;
namespace image = ::dojo::image;

namespace {
class ImageWriter {
public:
  ImageWriter(ModuleOp module, ::dojo::Target target)
      : module(module), machine(target), builder(std::move(target)) {}

  LogicalResult run(image::Image &out, ::dojo::verify::Intent *intent, int64_t *codeNeeded);

private:
  uint32_t nodeSet(ArrayRef<int32_t> nodes) {
    std::vector<int64_t> wide(nodes.begin(), nodes.end());
    return builder.addNodeSet(wide);
  }
  LogicalResult placeConstants();
  LogicalResult placePrograms(int64_t *codeNeeded);
  void listCode(::dojo::verify::Intent &intent);
  std::vector<::dojo::verify::PlannedBox> plannedBoxes();
  void declareSegments();
  LogicalResult describePorts();
  void describeLayers();
  void describeBuffers();
  LogicalResult describeRoutes();

  ModuleOp module;
  ::dojo::Target machine;
  image::Builder builder;
  llvm::StringMap<int64_t> addresses;
  uint32_t everyone = 0;
  Programs programs;
};

std::string typeName(Type element) {
  if (element.isInteger(1))
    return "bool";
  std::string text;
  llvm::raw_string_ostream os(text);
  os << element;
  return StringRef(text).lower();
}

std::vector<int64_t> toVector(ArrayRef<int64_t> values) { return values.vec(); }
} // namespace

LogicalResult ImageWriter::placeConstants() {
  ConstantCache constants;
  for (PlaceOp place : module.getOps<PlaceOp>()) {
    std::vector<uint8_t> bytes;
    if (failed(constants.slice(place, bytes)))
      return failure();
    uint32_t blob = builder.addBlob(bytes, /*code=*/false);
    builder.addLoad(blob, addresses.lookup(place.getBuffer()), nodeSet(place.getNodes()));
  }
  return success();
}

LogicalResult ImageWriter::placePrograms(int64_t *codeNeeded) {
  if (failed(buildPrograms(module, machine, programs)))
    return failure();
  if (programs.missing > 0 && codeNeeded) {
    *codeNeeded = programs.codeBytes;
    return failure();
  }
  if (programs.missing > 0)
    return mlir::emitError(module.getLoc(), "code and tables need ")
           << programs.missing
           << " bytes more than the SRAM has left; keep more with code-bytes of "
              "dojo-allocate-sram (--code-bytes of dojo-compile)";
  for (const auto &[node, program] : programs.nodes) {
    builder.place(node, programs.tableAddress, program.tables, /*code=*/false);
    for (const PlacedCode &code : program.kernels)
      builder.place(node, code.address, programs.kernelBytes[code.kernel], /*code=*/true);
  }
  for (const MainText &text : programs.texts) {
    uint32_t blob = builder.addBlob(text.bytes, /*code=*/true);
    builder.addLoad(blob, text.address, everyone);
    uint32_t symbol = builder.addSymbol(text.name);
    for (const MainText::Mark &mark : text.marks)
      builder.image().pcRanges.push_back(
          {everyone, mark.begin, mark.end, int32_t(mark.layer), symbol});
  }
  image::Entry entry;
  entry.nodeSet = everyone;
  for (auto [i, text] : llvm::enumerate(programs.texts))
    entry.pc[i] = text.address;
  builder.image().entries.push_back(entry);

  // Kernels, each range once for all nodes that have it at one address.
  std::map<std::pair<uint32_t, uint32_t>, std::vector<int64_t>> placed;
  for (const auto &[node, program] : programs.nodes)
    for (const PlacedCode &code : program.kernels)
      placed[{code.address, code.kernel}].push_back(node);
  for (const auto &[where, nodes] : placed) {
    auto [address, kernel] = where;
    builder.image().pcRanges.push_back({builder.addNodeSet(nodes), address,
                                        uint32_t(address + programs.kernelBytes[kernel].size()),
                                        image::PcRange::callers,
                                        builder.addSymbol(programs.kernelNames[kernel])});
  }
  return success();
}

void ImageWriter::listCode(::dojo::verify::Intent &intent) {
  for (MainText &text : programs.texts)
    intent.listings.push_back({{{everyone, text.address}}, std::move(text.lines)});
  size_t first = intent.listings.size();
  for (std::vector<std::string> &lines : programs.kernelLines)
    intent.listings.push_back({{}, std::move(lines)});
  std::map<std::pair<uint32_t, uint32_t>, std::vector<int64_t>> placed;
  for (const auto &[node, program] : programs.nodes)
    for (const PlacedCode &code : program.kernels)
      placed[{code.kernel, code.address}].push_back(node);
  for (const auto &[where, nodes] : placed)
    intent.listings[first + where.first].places.push_back(
        {builder.addNodeSet(nodes), where.second});
}

std::vector<::dojo::verify::PlannedBox> ImageWriter::plannedBoxes() {
  std::vector<::dojo::verify::PlannedBox> boxes;
  for (PortOp port : module.getOps<PortOp>()) {
    size_t rank = port.getStrides().size();
    for (auto [i, node] : llvm::enumerate(port.getNodes())) {
      ::dojo::verify::PlannedBox &planned = boxes.emplace_back();
      planned.tensor = port.getName().str();
      planned.node = uint32_t(node);
      planned.box.address = uint32_t(addresses.lookup(port.getBuffer()));
      planned.box.lo = toVector(port.getLos().slice(i * rank, rank));
      planned.box.size = toVector(port.getSizes().slice(i * rank, rank));
      planned.box.strides = toVector(port.getStrides());
    }
  }
  return boxes;
}

void ImageWriter::declareSegments() {
  int64_t stackAddress = 0, stackBytes = 0;
  for (BufferOp buffer : module.getOps<BufferOp>())
    if (buffer.getKind() == "stack") {
      stackAddress = *buffer.getAddress();
      stackBytes = buffer.getBytes();
    }
  for (LaunchOp launch : module.getOps<LaunchOp>()) {
    std::vector<image::Region> regions[2][3]; // [phase][read, write, ignored]
    ArrayRef<int64_t> records = launch.getAccesses();
    for (size_t i = 0; i < records.size(); i += LaunchOp::accessSize) {
      ArrayRef<int64_t> r = records.slice(i, LaunchOp::accessSize);
      auto name = cast<FlatSymbolRefAttr>(launch.getBuffers()[r[2]]).getValue();
      image::Region region;
      region.address = addresses.lookup(name) + launch.getOffsets()[r[2]] + r[3];
      region.bytes = r[4];
      for (int d = 0; d < 3; ++d) {
        region.count[d] = r[5 + d];
        region.stride[d] = r[8 + d];
      }
      regions[r[0]][r[1]].push_back(region);
    }
    auto declare = [&](StringRef kernel, int phase, int thread) {
      auto index = programs.kernelIndex.find(kernel.str());
      if (index == programs.kernelIndex.end())
        return;
      std::map<uint32_t, std::vector<int64_t>> byAddress;
      for (int32_t node : launch.getNodes())
        for (const PlacedCode &code : programs.nodes.at(node).kernels)
          if (code.kernel == index->second)
            byAddress[code.address].push_back(node);
      image::Segment segment;
      segment.layer = launch.getLayer();
      segment.reads = regions[phase][0];
      segment.writes = regions[phase][1];
      segment.ignored = regions[phase][2];
      if (stackBytes > 0) {
        // Registers that did not fit: loaded only where the same code stored.
        image::Region half{uint32_t(stackAddress + thread * stackBytes / 2),
                           uint32_t(stackBytes / 2)};
        segment.writes.push_back(half);
        segment.ignored.push_back(half);
      }
      for (const auto &[address, nodes] : byAddress) {
        segment.nodeSet = builder.addNodeSet(nodes);
        segment.begin = address;
        segment.end = address + programs.kernelBytes[index->second].size();
        builder.image().segments.push_back(segment);
      }
    };
    declare((launch.getKernel() + ".t0").str(), 1, 0);
    declare((launch.getKernel() + ".t1").str(), 1, 1);
    if (auto prologue = launch.getPrologue())
      declare((*prologue + ".t0").str(), 0, 0);
  }
}

LogicalResult ImageWriter::describePorts() {
  for (PortOp port : module.getOps<PortOp>()) {
    image::TensorRef tensor;
    auto type = cast<RankedTensorType>(port.getType());
    tensor.name = port.getName().str();
    tensor.type = port.getElement() ? port.getElement()->str() : typeName(type.getElementType());
    tensor.shape = toVector(type.getShape());
    tensor.logicalShape = toVector(cast<RankedTensorType>(port.getLogical()).getShape());
    tensor.blockDim = port.getBlockDim();
    tensor.blockSize = port.getBlock();
    tensor.firstLayer = port.getFirst();
    tensor.lastLayer = port.getLast();
    size_t rank = type.getRank();
    for (auto [i, node] : llvm::enumerate(port.getNodes())) {
      image::Box box;
      box.nodeSet = nodeSet({node});
      box.address = addresses.lookup(port.getBuffer());
      box.lo = toVector(port.getLos().slice(i * rank, rank));
      box.size = toVector(port.getSizes().slice(i * rank, rank));
      box.strides = toVector(port.getStrides());
      tensor.boxes.push_back(std::move(box));
    }
    image::Image &image = builder.image();
    (port.getKind() == "input"    ? image.inputs
     : port.getKind() == "output" ? image.outputs
                                  : image.tensors)
        .push_back(std::move(tensor));
  }
  return success();
}

void ImageWriter::describeLayers() {
  for (LayerInfoOp info : module.getOps<LayerInfoOp>()) {
    image::Layer layer;
    layer.name = info.getName().str();
    for (Attribute name : info.getOnnx())
      layer.onnxNames.push_back(cast<StringAttr>(name).getValue().str());
    layer.op = info.getOp().str();
    layer.plan = info.getPlan().str();
    layer.macs = info.getMacs();
    layer.estimatedCycles = info.getCycles();
    const std::map<int64_t, uint32_t> &ends = programs.texts.front().ends;
    if (auto end = ends.find(info.getLayer()); end != ends.end())
      layer.endPc = int32_t(end->second);
    builder.image().modelMacs += layer.macs;
    builder.image().layers.push_back(std::move(layer));
  }
}

void ImageWriter::describeBuffers() {
  for (BufferOp buffer : module.getOps<BufferOp>())
    builder.image().buffers.push_back({buffer.getSymName().str(), buffer.getKind().str(), everyone,
                                       uint32_t(addresses.lookup(buffer.getSymName())),
                                       uint32_t(buffer.getBytes()), int32_t(buffer.getFirst()),
                                       int32_t(buffer.getLast())});
}

LogicalResult ImageWriter::describeRoutes() {
  image::Image &image = builder.image();
  // Transfer lists send behind the barrier that may follow a layer.
  image.certificate["sends_belong_to_next_layer"] = true;
  image.certificate["cycle_free"] = true;
  auto ops = module.getOps<RoutesOp>();
  if (ops.empty()) {
    for (ExchangeOp exchange : module.getOps<ExchangeOp>())
      return exchange.emitError("has no routes; run dojo-route first");
    for (BarrierOp barrier : module.getOps<BarrierOp>())
      return barrier.emitError("has no routes; run dojo-route first");
    image.certificate["numbers"] = std::vector<int32_t>(4 * machine.positions(), -1);
    return success();
  }
  RoutesOp routes = *ops.begin();
  for (Attribute path : routes.getPaths()) {
    image::Route &route = image.routes.emplace_back();
    for (char step : cast<StringAttr>(path).getValue())
      route.push_back(image::Step(StringRef("EWSN").find(step)));
  }
  image.certificate["numbers"] = std::vector<int32_t>(routes.getChannels());
  return success();
}

LogicalResult ImageWriter::run(image::Image &out, ::dojo::verify::Intent *intent,
                               int64_t *codeNeeded) {
  for (BufferOp buffer : module.getOps<BufferOp>()) {
    if (!buffer.getAddress())
      return buffer.emitError("has no address; run dojo-allocate-sram first");
    addresses[buffer.getSymName()] = *buffer.getAddress();
  }
  everyone = builder.addNodeSet(machine.usableNodes());
  if (failed(placeConstants()) || failed(placePrograms(codeNeeded)) || failed(describePorts()) ||
      failed(describeRoutes()))
    return failure();
  if (intent) {
    listCode(*intent);
    intent->transfers = plannedTransfers(module);
    intent->boxes = plannedBoxes();
  }
  declareSegments();
  describeLayers();
  describeBuffers();
  image::Image &image = builder.image();
  image.producer = "dojo-compile";
  image.sramPeak = programs.end;
  auto sram = module->getAttrOfType<DictionaryAttr>("dojo.sram");
  int64_t bound = sram ? cast<IntegerAttr>(sram.get("lower_bound")).getInt() : 0;
  image.sramLowerBound = bound + programs.codeBytes + programs.tableBytes;
  image.codeBytes = programs.codeBytes;
  image.tableBytes = programs.tableBytes;
  out = builder.take();
  if (std::string fault = image::validate(out); !fault.empty())
    return mlir::emitError(module.getLoc(), "the image is unsound: ") << fault;
  return success();
}

LogicalResult mlir::dojo::buildImage(ModuleOp module, image::Image &image,
                                     ::dojo::verify::Intent *intent, int64_t *codeNeeded) {
  FailureOr<::dojo::Target> machine = getMachine(module);
  if (failed(machine) || failed(verifyMesh(module, *machine)))
    return failure();
  return ImageWriter(module, *machine).run(image, intent, codeNeeded);
}
