// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transfers made of descriptors, and what they may not ask for.
#include "Node.h"

namespace dojo::emu {

using isa::Descriptor;
using Kind = isa::Descriptor::Kind;

// Turns the push, pull, copy or remote signal at `address` into a transfer.
bool Node::prepareTransfer(const Thread &t, const Descriptor &d, uint32_t address, Transfer &x,
                           Unsendable &problem) const {
  auto bad = [&problem](FaultClass faultClass, std::string text) {
    problem = {faultClass, std::move(text)};
    return false;
  };
  x.from = number;
  x.to = d.kind == Kind::Copy ? number : d.node;
  x.followed = x.dataless = false;
  x.kind = d.kind == Kind::Pull ? Transfer::Kind::Ask : Transfer::Kind::Push;
  x.packetsSent = 0;
  x.signalsFar = d.hasFarSemaphore;
  x.farSemaphore = d.farSemaphore;
  x.signalsOwn = d.kind != Kind::Signal && d.hasOwnSemaphore;
  x.ownSemaphore = d.ownSemaphore;
  x.asker = number;
  x.askerThread = static_cast<uint8_t>(t.index);
  x.farAmount = 1;
  x.pause = x.signalsOwn ? std::min(p.listNext, p.signalLatency) : p.listNext;
  x.runs = Runs();
  x.listPc = t.listPc;
  x.descriptorAddress = address;
  x.layer = t.layer;

  if (d.kind == Kind::Copy) {
    if (d.multicast)
      return bad(FaultClass::BadDescriptor, "a copy within the node cannot be a multicast");
    x.path = Path();
    x.path.from = static_cast<uint16_t>(number);
  } else {
    if (d.kind == Kind::Pull && (d.multicast || d.route != Descriptor::rowThenColumn))
      return bad(FaultClass::BadDescriptor,
                 "a pull takes neither a multicast run nor a route index");
    std::string error;
    if (!topology.path(number, d, x.path, error))
      return bad(FaultClass::BadDestination, error);
  }

  if (d.kind == Kind::Signal) {
    x.farAmount =
        d.countFromRegister ? static_cast<uint32_t>(t.registers.x[d.countRegister]) : d.amount;
    x.dataless = true;
    x.packetsLeft = 1;
    return true;
  }
  if (!checkTransfer(t, d, x, problem))
    return false;
  uint64_t packets = countPackets(x.runs, p.packetBytes);
  x.dataless = packets == 0;
  if (packets == 0 && d.hasFarSemaphore)
    packets = 1;
  x.packetsLeft = packets;
  if (x.kind == Transfer::Kind::Ask && packets)
    x.packetsLeft = 1; // the request; the answer counts its own
  return true;
}

// Fills in the runs of a data transfer and checks where they lie.
bool Node::checkTransfer(const Thread &t, const Descriptor &d, Transfer &x,
                         Unsendable &problem) const {
  auto bad = [&problem](FaultClass faultClass, std::string text) {
    problem = {faultClass, std::move(text)};
    return false;
  };
  bool pull = d.kind == Kind::Pull;
  uint64_t local = d.addressFromRegister ? t.registers.x[d.addressRegister] : d.localAddress;
  uint64_t first = d.countFromRegister ? t.registers.x[d.countRegister] : d.count[0];
  if (first > maxTransferCount || d.count[1] > maxTransferCount || d.count[2] > maxTransferCount)
    return bad(FaultClass::BadDescriptor, "a count exceeds " + std::to_string(maxTransferCount));
  Runs &r = x.runs;
  r.runBytes = d.runBytes;
  r.count[0] = static_cast<uint32_t>(first);
  r.count[1] = d.count[1];
  r.count[2] = d.count[2];
  if (r.empty())
    return true;
  if (local > p.sramBytes || d.remoteAddress > p.sramBytes || d.runBytes > p.sramBytes)
    return bad(FaultClass::OutOfRange, "an address or the run exceeds the SRAM");
  double total =
      double(r.count[0]) * r.count[1] * r.count[2] * (double(r.runBytes) / p.packetBytes + 1);
  if (total > double(maxTransferPackets))
    return bad(FaultClass::BadDescriptor, "more than 2^32 packets");
  r.source = pull ? d.remoteAddress : static_cast<uint32_t>(local);
  r.destination = pull ? static_cast<uint32_t>(local) : d.remoteAddress;
  for (unsigned i = 0; i < 3; ++i) {
    r.sourceStride[i] = pull ? d.remoteStride[i] : d.localStride[i];
    r.destinationStride[i] = pull ? d.localStride[i] : d.remoteStride[i];
  }
  for (bool source : {true, false}) {
    Reach e = reachOf(r, source ? r.source : r.destination,
                      source ? r.sourceStride : r.destinationStride);
    if (e.low < 0 || e.high > int64_t(p.sramBytes))
      return bad(FaultClass::OutOfRange, std::string(source ? "reads" : "writes") + " bytes " +
                                             std::to_string(e.low) + " to " +
                                             std::to_string(e.high - 1) + "; the SRAM has " +
                                             std::to_string(p.sramBytes));
    (source ? x.reads : x.writes) = {static_cast<uint32_t>(e.low), static_cast<uint32_t>(e.high)};
  }
  return true;
}

} // namespace dojo::emu
