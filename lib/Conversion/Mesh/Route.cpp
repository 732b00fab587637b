// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adapter between the IR and the router.

#include "Connected.h"
#include "TransferRecord.h"
#include "VerifyMesh.h"
#include "dojo/Conversion/Machine.h"
#include "dojo/Conversion/MeshPasses.h"
#include "dojo/Planning/BarrierTree.h"
#include "dojo/Planning/Router.h"
#include <map>
#include <set>

namespace mlir::dojo {
#define GEN_PASS_DEF_ROUTE
#include "dojo/Conversion/MeshPasses.h.inc"
} // namespace mlir::dojo

using namespace mlir;
using namespace mlir::dojo;

namespace {
using Demand = std::pair<int32_t, planning::Destination>;

struct RoutePass : public mlir::dojo::impl::RouteBase<RoutePass> {
  using RouteBase::RouteBase;

  void runOnOperation() override {
    if (failed(route(getOperation())))
      signalPassFailure();
  }

  LogicalResult route(ModuleOp module) {
    FailureOr<::dojo::Target> machine = getMachine(module);
    if (failed(machine))
      return failure();
    planning::Mesh mesh = planning::Mesh::fromTarget(*machine);
    if (failed(verifyMesh(module, *machine)) || failed(checkConnected(module.getLoc(), mesh)))
      return failure();
    planning::RouterOptions options;
    options.maxLinks = machine->routeLinks;
    planning::BarrierTree tree = planning::buildBarrierTree(mesh);
    if (std::string fault = planning::verifyBarrierTree(tree, mesh); !fault.empty())
      return mlir::emitError(module.getLoc(), "has an unsound barrier tree: ") << fault;
    planning::Routing routing;
    std::vector<planning::RouteDemand> demands;
    std::string error;
    splitRuns(module, mesh, {});
    collectDemands(module, tree, demands);
    while (!planning::solveRouting(mesh, demands, routing, error, options)) {
      if (routing.split.empty())
        return mlir::emitError(module.getLoc(), "cannot route its transfers: ") << error;
      std::set<Demand> runs;
      for (int32_t i : routing.split)
        runs.insert({demands[i].source, demands[i].to});
      splitRuns(module, mesh, runs);
      collectDemands(module, tree, demands);
    }
    if (std::string fault = planning::verifyRouting(mesh, demands, routing, options);
        !fault.empty())
      return mlir::emitError(module.getLoc(), "has unsound routes: ") << fault;
    record(module, tree, demands, routing);
    return success();
  }

private:
  /// Splits runs that cross a silent router, and `inTheWay` into copies.
  static void splitRuns(ModuleOp module, const planning::Mesh &mesh,
                        const std::set<Demand> &inTheWay) {
    for (ExchangeOp exchange : module.getOps<ExchangeOp>()) {
      SmallVector<int64_t> records;
      bool changed = false;
      for (unsigned i = 0; i < exchange.getNumTransfers(); ++i) {
        TransferRecord r = TransferRecord::read(exchange, i);
        planning::Destination run = r.destination();
        if (r.isCopy() || run.kind == planning::Destination::Kind::Node) {
          if (changed)
            r.append(records);
          continue;
        }
        std::vector<planning::Destination> parts = planning::splitRun(
            mesh, r.srcNode, run, /*copies=*/inTheWay.contains({int32_t(r.srcNode), run}));
        if (!changed && parts != std::vector{run}) {
          changed = true;
          records.append(exchange.getTransfers().begin(),
                         exchange.getTransfers().begin() + i * ExchangeOp::recordSize);
        }
        for (const planning::Destination &to : parts)
          if (changed) {
            r.setDestination(to);
            r.append(records);
          }
      }
      if (changed)
        exchange.setTransfers(records);
    }
  }

  /// Each once; what stays within a node needs no route.
  static void collectDemands(ModuleOp module, const planning::BarrierTree &tree,
                             std::vector<planning::RouteDemand> &demands) {
    std::vector<Demand> distinct;
    for (ExchangeOp exchange : module.getOps<ExchangeOp>())
      for (unsigned i = 0; i < exchange.getNumTransfers(); ++i) {
        TransferRecord r = TransferRecord::read(exchange, i);
        if (needsRoute(r))
          distinct.push_back({r.srcNode, r.destination()});
      }
    for (const planning::BarrierNode &node : tree.nodes)
      if (node.parent >= 0) {
        distinct.push_back({node.node, planning::Destination::toNode(node.parent)});
        distinct.push_back({node.parent, planning::Destination::toNode(node.node)});
      }
    llvm::sort(distinct);
    distinct.erase(llvm::unique(distinct), distinct.end());
    demands.clear();
    for (const auto &[source, to] : distinct)
      demands.push_back({source, to});
  }

  static bool needsRoute(const TransferRecord &r) {
    return !r.isCopy() && !(r.kind == 0 && r.to[0] == r.srcNode);
  }

  static void record(ModuleOp module, const planning::BarrierTree &tree,
                     ArrayRef<planning::RouteDemand> demands, const planning::Routing &routing) {
    std::map<std::pair<int32_t, planning::Destination>, int32_t> explicitRoutes;
    for (auto [demand, route] : llvm::zip_equal(demands, routing.route))
      if (route != planning::Routing::rowThenColumn)
        explicitRoutes[{demand.source, demand.to}] = route;
    auto routeOf = [&](int32_t source, const planning::Destination &to) {
      auto found = explicitRoutes.find({source, to});
      return found == explicitRoutes.end() ? defaultRoute : found->second;
    };
    for (ExchangeOp exchange : module.getOps<ExchangeOp>()) {
      SmallVector<int64_t> records(exchange.getTransfers());
      bool changed = false;
      for (unsigned i = 0; i < exchange.getNumTransfers(); ++i) {
        TransferRecord r = TransferRecord::read(exchange, i);
        int64_t route = needsRoute(r) ? routeOf(r.srcNode, r.destination()) : defaultRoute;
        int64_t &written = records[(i + 1) * ExchangeOp::recordSize - 1];
        changed |= written != route;
        written = route;
      }
      if (changed)
        exchange.setTransfers(records);
    }
    for (RoutesOp old : llvm::make_early_inc_range(module.getOps<RoutesOp>()))
      old.erase();
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    SmallVector<Attribute> paths;
    for (const planning::RoutePath &path : routing.paths) {
      std::string letters;
      for (planning::Direction step : path)
        letters += "EWSN"[int(step)];
      paths.push_back(builder.getStringAttr(letters));
    }
    SmallVector<int32_t> signals;
    auto signal = [&](int32_t from, int32_t to) {
      if (int32_t route = routeOf(from, planning::Destination::toNode(to)); route != defaultRoute)
        signals.append({from, to, route});
    };
    for (const planning::BarrierNode &node : tree.nodes)
      if (node.parent >= 0) {
        signal(node.node, node.parent);
        signal(node.parent, node.node);
      }
    RoutesOp::create(builder, module.getLoc(), builder.getArrayAttr(paths), signals,
                     routing.certificate);
  }

  static constexpr int32_t defaultRoute = 0xFFFF;
};
} // namespace
