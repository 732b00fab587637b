// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Routes, and the proof that they cannot block each other for ever.
//
// By default a transfer goes along the row, then the column. Where that meets a router that does
// not forward, a single-node transfer gets an explicit route. A channel is one link in one
// direction, numbered 4 * node + direction of the node it leaves. A transfer that holds a channel
// while it waits for the next makes the second depend on the first; as long as these dependences
// have no cycle, the network cannot deadlock (Dally and Seitz, 1987). The certificate is a number
// for each channel in use such that every route's numbers ascend.
//
// Where a router does not forward (a silent one), some turns from east to north are given up and
// some turns from columns into rows beside such routers become possible, which gives the traffic
// between any two nodes a way round single dead routers and blocks of them (the idea of turn
// models: Glass and Ni, 1992). Multicast runs that need a turn given up are to be split. Where
// blocks of dead routers leave no such way, all transfers take up*/down* routes (Schroeder et al.,
// Autonet, 1991), which exist on every connected mesh, provided that none of them is a multicast.
#ifndef DOJO_PLANNING_ROUTER_H
#define DOJO_PLANNING_ROUTER_H

#include "dojo/Planning/Exchange.h"

#include <string>
#include <vector>

namespace dojo::planning {

enum class Direction : uint8_t { East, West, South, North };
inline constexpr Direction allDirections[] = {Direction::East, Direction::West, Direction::South,
                                              Direction::North};
using RoutePath = std::vector<Direction>;

/// The position beyond a link, or -1 outside the mesh.
int32_t neighbour(const Mesh &mesh, int32_t node, Direction direction);

/// One transfer or signal.
struct RouteDemand {
  int32_t source = 0;
  Destination to;
  int64_t packets = 1;
  int32_t layer = 0; ///< for the loads
};

/// What reaches the same nodes as \p to without a run that crosses a router that does not forward:
/// itself, or shorter runs and single nodes. Only single nodes if \p copies.
std::vector<Destination> splitRun(const Mesh &mesh, int32_t source, const Destination &to,
                                  bool copies);

/// The demands of an exchange, in the order of its transfers.
std::vector<RouteDemand> demandsOf(const Exchange &exchange, int32_t layer,
                                   int64_t packetBytes = 64);

struct Routing {
  static constexpr int32_t rowThenColumn = -1;
  std::vector<int32_t> route;            ///< per demand: index into `paths`, or rowThenColumn
  std::vector<RoutePath> paths;          ///< distinct, each at most RouterOptions::maxLinks long
  std::vector<int32_t> certificate;      ///< per channel: its number, or -1 if no route uses it
  int64_t channels = 0, dependences = 0; ///< in use
  /// On failure: demands whose multicast runs leave no way for others. If there are any, it helps
  /// to split these into copies and try again.
  std::vector<int32_t> split;
};

struct RouterOptions {
  size_t maxLinks = 64;    ///< of an explicit route
  size_t maxPaths = 65535; ///< in the table of explicit routes
};

/// False, with a message that names the nodes, if some demand cannot be routed; see Routing::split.
[[nodiscard]] bool solveRouting(const Mesh &mesh, const std::vector<RouteDemand> &demands,
                                Routing &out, std::string &error,
                                const RouterOptions &options = {});

/// Packets over links in one layer.
struct LinkLoad {
  int32_t layer = 0;
  int64_t total = 0, busiest = 0;
  int32_t channel = 0; ///< the first of the busiest
};

/// By layer, ascending.
std::vector<LinkLoad> linkLoads(const Mesh &mesh, const std::vector<RouteDemand> &demands,
                                const Routing &routing);

/// Follows every route link by link: it stays on the mesh, passes forwarding routers only, ends at
/// its destination, takes no link twice, and its channels' numbers ascend. Empty, or the first
/// fault.
std::string verifyRouting(const Mesh &mesh, const std::vector<RouteDemand> &demands,
                          const Routing &routing, const RouterOptions &options = {});

} // namespace dojo::planning

#endif
