// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where packets go: paths of descriptors over links, their receivers, channel dependences.
#ifndef DOJO_LIB_VERIFY_NETWORK_H
#define DOJO_LIB_VERIFY_NETWORK_H

#include "dojo/ISA/Descriptor.h"
#include "dojo/Image/Image.h"

#include <string>
#include <vector>

namespace dojo::verify {

/// A link: four times the position it leaves, plus the step.
using Channel = uint32_t;

struct Path {
  std::vector<Channel> channels;   ///< in order; none within a node
  std::vector<uint32_t> receivers; ///< node numbers, in the order of the path
};

/// The path of what a descriptor of node `from` sends: data, a pull's request, a remote signal.
/// False with what is wrong if the destination cannot be reached that way.
[[nodiscard]] bool pathOf(const image::Image &image, int64_t from, const isa::Descriptor &d,
                          Path &path, std::string &problem);

/// Along the row, then the column; false if a router on the way does not forward.
[[nodiscard]] bool plainPath(const Target &target, int64_t from, int64_t to,
                             std::vector<Channel> &channels, std::string &problem);

/// Which link waits for which: a packet in one that goes on to the next.
class ChannelGraph {
public:
  explicit ChannelGraph(const Target &target)
      : target(target), next(4 * target.positions(), 0), used(4 * target.positions(), false) {}

  void add(const std::vector<Channel> &path);
  template <typename Fn> void eachChannel(Fn fn) const {
    for (Channel c = 0; c < used.size(); ++c)
      if (used[c])
        fn(c);
  }
  template <typename Fn> void eachDependence(Fn fn) const {
    for (Channel c = 0; c < next.size(); ++c)
      for (unsigned step = 0; step < 4; ++step)
        if (next[c] >> step & 1)
          fn(c, Channel(4 * target.node(endOf(target, c)) + step));
  }
  /// Links of a cycle in order, empty if there is none.
  std::vector<Channel> cycle() const;
  /// "row 2, column 5 east"
  std::string channelName(Channel channel) const;
  /// The position a link leads to.
  static Position endOf(const Target &target, Channel channel);

private:
  const Target &target;
  std::vector<uint8_t> next; // per link: bit s set if some path goes on with step s
  std::vector<bool> used;
};

} // namespace dojo::verify

#endif
