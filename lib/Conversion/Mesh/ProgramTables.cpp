// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProgramTables.h"

#include "TransferRecord.h"
#include "dialects/Dojo/DojoDialect.h"
#include "dojo/Planning/BarrierTree.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::dojo;
using ::dojo::isa::Descriptor;
namespace planning = ::dojo::planning;

namespace {
/// Layers after which a barrier stands, ascending.
SmallVector<int64_t> barriersOf(ModuleOp module) {
  SmallVector<int64_t> after;
  for (BarrierOp barrier : module.getOps<BarrierOp>())
    after.push_back(barrier.getAfter());
  llvm::sort(after);
  return after;
}

int64_t epochOf(ArrayRef<int64_t> barriers, int64_t layer) {
  return llvm::lower_bound(barriers, layer) - barriers.begin();
}

Descriptor waitFor(uint8_t semaphore, uint16_t amount) {
  Descriptor d;
  d.kind = Descriptor::Kind::Wait;
  d.hasOwnSemaphore = true;
  d.ownSemaphore = semaphore;
  d.amount = amount;
  return d;
}

Descriptor signalOwn(uint8_t semaphore) {
  Descriptor d;
  d.kind = Descriptor::Kind::Signal;
  d.hasOwnSemaphore = true;
  d.ownSemaphore = semaphore;
  d.amount = 1;
  return d;
}

Descriptor signalRemote(int32_t node, uint8_t semaphore, uint16_t route) {
  Descriptor d;
  d.kind = Descriptor::Kind::Signal;
  d.hasFarSemaphore = true;
  d.node = node;
  d.farSemaphore = semaphore;
  d.amount = 1;
  d.route = route;
  return d;
}

/// Explicit routes of signals between nodes, by (from, to).
std::map<std::pair<int32_t, int32_t>, uint16_t> signalRoutes(ModuleOp module) {
  std::map<std::pair<int32_t, int32_t>, uint16_t> routes;
  for (RoutesOp op : module.getOps<RoutesOp>())
    for (ArrayRef<int32_t> s = op.getSignals(); !s.empty(); s = s.drop_front(3))
      routes[{s[0], s[1]}] = s[2];
  return routes;
}

Descriptor push(const TransferRecord &r, int64_t srcAddress, int64_t dstAddress,
                uint8_t semaphore) {
  Descriptor d;
  d.kind = Descriptor::Kind::Push;
  d.localAddress = srcAddress + r.srcOffset;
  d.remoteAddress = dstAddress + r.dstOffset;
  d.runBytes = r.runBytes;
  for (int i = 0; i < 3; ++i) {
    d.count[i] = r.count[i];
    d.localStride[i] = r.srcStride[i];
    d.remoteStride[i] = r.dstStride[i];
  }
  d.hasFarSemaphore = true;
  d.farSemaphore = semaphore;
  d.route = r.route;
  if (r.kind == 0 || r.kind == 3) {
    // A push to the own node is a copy within it.
    d.node = r.kind == 0 ? r.to[0] : r.srcNode;
    return d;
  }
  d.multicast = true;
  if (r.kind == 1) {
    d.run = Descriptor::Run::Row;
    d.first = r.to[0];
    d.last = r.to[1];
  } else {
    d.run = Descriptor::Run::Column;
    d.column = r.to[0];
    d.first = r.to[1];
    d.last = r.to[2];
  }
  return d;
}
} // namespace

int64_t mlir::dojo::numLayersOf(ModuleOp module) {
  return llvm::range_size(module.getOps<LayerInfoOp>());
}

SmallVector<int64_t> mlir::dojo::listParts(ModuleOp module) {
  SmallVector<int64_t> begins{0, numLayersOf(module)};
  for (RepeatOp repeat : module.getOps<RepeatOp>())
    begins.append({int64_t(repeat.getFirst()), int64_t(repeat.getLast()) + 1});
  llvm::sort(begins);
  begins.erase(llvm::unique(begins), begins.end());
  return begins;
}

SmallVector<RepeatedLayers> mlir::dojo::repeatedLayers(ModuleOp module) {
  llvm::StringMap<int64_t> address;
  for (BufferOp buffer : module.getOps<BufferOp>())
    address[buffer.getSymName()] = buffer.getAddress().value_or(0);
  SmallVector<int64_t> parts = listParts(module);
  SmallVector<RepeatedLayers> ranges;
  for (RepeatOp repeat : module.getOps<RepeatOp>()) {
    RepeatedLayers range{int64_t(repeat.getFirst()), int64_t(repeat.getLast()),
                         address.lookup(repeat.getCondition())};
    range.firstPart = llvm::lower_bound(parts, range.first) - parts.begin();
    range.endPart = llvm::lower_bound(parts, range.last + 1) - parts.begin();
    ranges.push_back(range);
  }
  llvm::sort(ranges, [](auto &a, auto &b) { return a.first < b.first; });
  return ranges;
}

int64_t mlir::dojo::tableBytesOf(ModuleOp module) {
  // Each part of the lists is as long as it is on the node with most to send.
  int64_t most = 0, layers = numLayersOf(module);
  SmallVector<int64_t> parts = listParts(module);
  std::vector<std::map<int64_t, int64_t>> sends(parts.size());
  for (ExchangeOp exchange : module.getOps<ExchangeOp>()) {
    size_t part = llvm::upper_bound(parts, int64_t(exchange.getAfter())) - parts.begin();
    for (unsigned i = 0; i < exchange.getNumTransfers(); ++i)
      ++sends[part][TransferRecord::read(exchange, i).srcNode];
  }
  for (const std::map<int64_t, int64_t> &part : sends)
    if (!part.empty())
      most += llvm::max_element(part, llvm::less_second())->second;
  // A wait a layer, the end, and eight barriers of up to ten descriptors; a loop has three
  // barriers, and divides the list in two more parts.
  int64_t loops = llvm::range_size(module.getOps<RepeatOp>());
  int64_t descriptors = most + layers + 1 + 80 + loops * 32;
  return layers * tableBytesPerLayer + descriptors * int64_t(Descriptor::bytes) + 128 + loops * 8;
}

SmallVector<uint8_t> mlir::dojo::arrivalSemaphores(ModuleOp module, int64_t semaphores) {
  int64_t layers = numLayersOf(module);
  SmallVector<int64_t> barriers = barriersOf(module);
  SmallVector<int64_t> first(layers);
  for (int64_t l = 0; l < layers; ++l)
    first[l] = epochOf(barriers, l);
  for (ExchangeOp exchange : module.getOps<ExchangeOp>()) {
    int64_t l = exchange.getLayer();
    first[l] = std::min(first[l], epochOf(barriers, int64_t(exchange.getAfter()) + 1));
  }
  // Interval colouring: by first epoch, a semaphore is free again after its last epoch.
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, layers));
  llvm::stable_sort(order, [&](int64_t a, int64_t b) { return first[a] < first[b]; });
  SmallVector<int64_t> busyUntil(std::max<int64_t>(semaphores, firstArrivalSemaphore), -1);
  SmallVector<uint8_t> result(layers, 0);
  for (int64_t l : order) {
    auto free = llvm::find_if(ArrayRef(busyUntil).drop_front(firstArrivalSemaphore),
                              [&](int64_t until) { return until < first[l]; });
    int64_t s = free - busyUntil.begin();
    if (s >= semaphores)
      return {};
    busyUntil[s] = epochOf(barriers, l);
    result[l] = s;
  }
  return result;
}

std::vector<std::vector<uint32_t>> mlir::dojo::arrivalCounts(ModuleOp module,
                                                             const ::dojo::Target &machine) {
  planning::Mesh mesh = planning::Mesh::fromTarget(machine);
  std::vector<std::vector<uint32_t>> counts(numLayersOf(module),
                                            std::vector<uint32_t>(mesh.positions(), 0));
  for (ExchangeOp exchange : module.getOps<ExchangeOp>())
    for (unsigned i = 0; i < exchange.getNumTransfers(); ++i) {
      TransferRecord r = TransferRecord::read(exchange, i);
      if (r.kind == 3 || r.kind == 0)
        ++counts[exchange.getLayer()][r.kind == 3 ? r.srcNode : r.to[0]];
      else
        for (int32_t node : planning::receivers(mesh, r.srcNode, r.destination()))
          ++counts[exchange.getLayer()][node];
    }
  return counts;
}

TransferLists mlir::dojo::transferLists(ModuleOp module, const ::dojo::Target &machine) {
  planning::Mesh mesh = planning::Mesh::fromTarget(machine);
  int64_t layers = numLayersOf(module);
  SmallVector<uint8_t> semaphores = arrivalSemaphores(module, machine.semaphores);
  llvm::StringMap<int64_t> address;
  for (BufferOp buffer : module.getOps<BufferOp>())
    address[buffer.getSymName()] = buffer.getAddress().value_or(0);
  SmallVector<int64_t> barriers = barriersOf(module);
  planning::BarrierTree tree = planning::buildBarrierTree(mesh);
  std::map<std::pair<int32_t, int32_t>, uint16_t> routes = signalRoutes(module);
  auto signal = [&](int32_t from, int32_t to, uint8_t semaphore) {
    auto route = routes.find({from, to});
    return signalRemote(to, semaphore,
                        route == routes.end() ? Descriptor::rowThenColumn : route->second);
  };

  // Sends by (producer, consumer), node by node.
  std::map<int32_t, std::vector<std::vector<Descriptor>>> sends;
  std::vector<ExchangeOp> exchanges(module.getOps<ExchangeOp>().begin(),
                                    module.getOps<ExchangeOp>().end());
  llvm::stable_sort(exchanges, [](ExchangeOp a, ExchangeOp b) {
    return int64_t(a.getLayer()) < int64_t(b.getLayer());
  });
  for (int64_t node : machine.usableNodes())
    sends[node].resize(layers + 1);
  for (ExchangeOp exchange : exchanges) {
    auto addressOf = [&](int64_t buffer) {
      return address.lookup(cast<FlatSymbolRefAttr>(exchange.getBuffers()[buffer]).getValue());
    };
    for (unsigned i = 0; i < exchange.getNumTransfers(); ++i) {
      TransferRecord r = TransferRecord::read(exchange, i);
      sends[r.srcNode][int64_t(exchange.getAfter()) + 1].push_back(
          push(r, addressOf(r.srcBuffer), addressOf(r.dstBuffer), semaphores[exchange.getLayer()]));
    }
  }

  SmallVector<int64_t> parts = listParts(module);
  std::map<int32_t, std::vector<std::vector<Descriptor>>> lists;
  for (auto &[node, byProducer] : sends) {
    std::vector<Descriptor> list;
    int64_t waited = 0;
    auto waitUntil = [&](int64_t layersDone) {
      if (layersDone > waited)
        list.push_back(waitFor(doneSemaphore, layersDone - waited));
      waited = std::max(waited, layersDone);
    };
    for (int64_t after = -1; after < layers; ++after) {
      if (llvm::binary_search(barriers, after)) {
        waitUntil(after + 1);
        const planning::BarrierNode &place = tree.nodes[tree.indexOf(node)];
        if (!place.children.empty())
          list.push_back(waitFor(barrierUpSemaphore, place.children.size()));
        if (place.parent >= 0) {
          list.push_back(signal(node, place.parent, barrierUpSemaphore));
          list.push_back(waitFor(barrierDownSemaphore, 1));
        }
        for (int32_t child : place.children)
          list.push_back(signal(node, child, barrierDownSemaphore));
        list.push_back(signalOwn(epochSemaphore));
      }
      // Behind the barrier: what is sent needs room only from the next epoch on.
      const std::vector<Descriptor> &pushes = byProducer[after + 1];
      if (!pushes.empty()) {
        waitUntil(after + 1);
        list.insert(list.end(), pushes.begin(), pushes.end());
      }
      if (after >= 0 && after + 1 == parts[lists[node].size() + 1]) {
        waitUntil(after + 1);
        list.push_back(Descriptor()); // End
        lists[node].push_back(std::exchange(list, {}));
      }
    }
  }
  // The program is the same on all nodes: parts begin at the same places.
  TransferLists result;
  size_t begin = 0;
  for (size_t part = 0; part + 1 < parts.size(); ++part) {
    result.begins.push_back(begin);
    for (auto &[node, divided] : lists)
      begin = std::max(begin, result.begins.back() + divided[part].size());
    for (auto &[node, divided] : lists) {
      result.lists[node].resize(result.begins.back());
      llvm::append_range(result.lists[node], divided[part]);
    }
  }
  return result;
}

std::vector<::dojo::verify::PlannedTransfer> mlir::dojo::plannedTransfers(ModuleOp module) {
  std::vector<::dojo::verify::PlannedTransfer> planned;
  llvm::StringMap<int64_t> address;
  for (BufferOp buffer : module.getOps<BufferOp>())
    address[buffer.getSymName()] = buffer.getAddress().value_or(0);
  for (ExchangeOp exchange : module.getOps<ExchangeOp>()) {
    SmallVector<int64_t> addresses;
    for (Attribute name : exchange.getBuffers())
      addresses.push_back(address.lookup(cast<FlatSymbolRefAttr>(name).getValue()));
    for (unsigned i = 0; i < exchange.getNumTransfers(); ++i) {
      TransferRecord r = TransferRecord::read(exchange, i);
      planned.push_back(
          {uint32_t(r.srcNode), push(r, addresses[r.srcBuffer], addresses[r.dstBuffer], 0)});
    }
  }
  return planned;
}
