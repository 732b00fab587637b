// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The image against what the compiler meant to put there.

#include "Program.h"
#include "dojo/ISA/ISA.h"

#include <array>
#include <map>
#include <set>

namespace dojo::verify {
namespace {

using isa::Descriptor;

/// Node, then the bytes of a descriptor that says the same thing in one way.
using Key = std::pair<uint32_t, std::array<uint8_t, Descriptor::bytes>>;

Key keyOf(uint32_t node, Descriptor d) {
  bool toSelf = d.kind == Descriptor::Kind::Push && !d.multicast && d.node == node && d.die == 0;
  if (toSelf || d.kind == Descriptor::Kind::Copy) {
    d.kind = Descriptor::Kind::Copy;
    d.node = uint16_t(node);
    d.route = Descriptor::rowThenColumn;
  }
  d.addressFromRegister = d.countFromRegister = d.hasFarSemaphore = d.hasOwnSemaphore = false;
  d.addressRegister = d.countRegister = d.farSemaphore = d.ownSemaphore = 0;
  d.amount = 0;
  for (int i = 0; i < 3; ++i)
    if (d.count[i] == 1)
      d.localStride[i] = d.remoteStride[i] = 0;
  Key key{node, {}};
  d.encode(key.second.data());
  return key;
}

} // namespace

void checkPlanned(const image::Image &image, const std::vector<PlannedTransfer> &planned,
                  Report &report) {
  ImageIndex index(image);
  Program program = followImage(index);
  if (!program.complete())
    report.add(Check::Transfers, Verdict::Undecided,
               "not every thread could be followed to its end");
  std::map<Key, int64_t> missing;
  for (const PlannedTransfer &p : planned)
    ++missing[keyOf(p.node, p.descriptor)];
  for (const Transfer &t : program.transfers)
    if (--missing[keyOf(t.node, t.d)] < 0)
      report.add(Check::Transfers, Verdict::Error,
                 program.transferName(t) + ", was not planned, or not as often");
  for (const auto &[key, count] : missing) {
    if (count <= 0)
      continue;
    Transfer t;
    t.node = key.first;
    Descriptor::decode(key.second.data(), t.d, nullptr);
    report.add(Check::Transfers, Verdict::Error,
               index.nodeName(t.node) + " was planned to send " +
                   ImageIndex::bytesName(t.d.localAddress, t.d.localAddress + t.d.runBytes) +
                   (t.d.multicast ? " by multicast" : " to " + index.nodeName(t.d.node)) +
                   ", address " + std::to_string(t.d.remoteAddress) + ", but does not");
  }
}

void checkListings(const image::Image &image, const std::vector<Listing> &listings,
                   Report &report) {
  ImageIndex index(image);
  for (const Listing &listing : listings) {
    if (listing.nodeSet >= image.nodeSets.size()) {
      report.add(Check::Instructions, Verdict::Error, "a listing names no node set");
      continue;
    }
    std::set<std::pair<uint32_t, uint32_t>> done;
    for (int64_t node : image.nodeSets[listing.nodeSet].nodes()) {
      // Nodes that hold the same load read the same instructions.
      const Placed *load = index.placedAt(node, listing.address);
      if (load && !done.insert({load->blob, load->begin}).second)
        continue;
      int64_t pc = listing.address;
      for (const std::string &line : listing.lines) {
        std::span<const uint8_t> code = index.bytesAt(node, pc);
        isa::Inst inst;
        bool defined = isa::decode(code.data(), code.size(), inst);
        std::string text = defined ? isa::disassemble(inst, uint64_t(pc)) : "undefined";
        if (text != line) {
          report.add(Check::Instructions, Verdict::Error,
                     index.nodeName(node) + " at " + ImageIndex::hex(uint64_t(pc)) + ": \"" + text +
                         "\" was placed where \"" + line + "\" was emitted");
          break;
        }
        pc += inst.bytes;
      }
    }
  }
}

} // namespace dojo::verify
