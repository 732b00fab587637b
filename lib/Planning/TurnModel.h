// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Detours round routers that do not forward (private to the library).
#ifndef DOJO_PLANNING_TURNMODEL_H
#define DOJO_PLANNING_TURNMODEL_H

#include "ChannelGraph.h"
#include "dojo/Planning/Router.h"

#include <vector>

namespace dojo::planning {

/// Which link may follow which, and shortest routes within that.
///
/// A circle of links has turns from rows into columns and turns from columns into rows. The model
/// gives up turns from east to north: where one is missing, a route can go north first. So it has
/// room for the turns out of a column beside silent routers, without which these cannot be passed:
/// north to west at the north-east corner, south to east at the south-west corner, and where the
/// edge of the mesh or another silent router takes one of these, south to west at the south-east
/// corner. North to east is free everywhere. Then come turns from east to north, most wanted first,
/// and whatever else closes no cycle.
class TurnModel {
public:
  /// \p wanted: per channel, how much speaks for the turn from east to north at its end.
  TurnModel(const Mesh &mesh, const std::vector<int64_t> &wanted);

  /// Each channel may follow the one before.
  bool allows(const std::vector<int32_t> &channels) const;

  /// The channels of a shortest route; false if there is none.
  bool route(int32_t source, int32_t target, std::vector<int32_t> &channels);

private:
  struct Block {
    int32_t top, left, bottom, right;
  };
  template <typename Fn> void eachDependence(Fn fn) const;
  Block region() const;
  std::vector<Block> silentBlocks() const;
  void turnsRound(const Block &block);
  bool addTurn(int32_t row, int32_t column, Direction in, Direction out);
  void search(int32_t source);

  const Mesh &mesh;
  ChannelGraph graph;
  int32_t root = -1;                    // of the search kept
  std::vector<int32_t> before, arrival; // per channel, per position
};

} // namespace dojo::planning

#endif
