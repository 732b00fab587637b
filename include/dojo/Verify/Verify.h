// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of a finished image, made from its bytes alone. No code is shared with what made the
// image: neither planning, conversion nor the encoder.
//
//   Layouts       boxes cover each tensor; buffers and tensors that live at the same time are apart
//   Transfers     descriptors, routes, channel dependences; each transfer is met: announced, and
//                 every semaphore gets as many signals as are waited for
//   Instructions  everything reachable decodes; branches stay inside code
//   Order         every two conflicting accesses to the same bytes are ordered by control flow,
//                 semaphores and arrivals; every read finds bytes written for it; no deadlock
//
// The checks follow the control text of every thread (scalar constants, tables that the loader
// placed, counted loops, calls). Code of declared segments is followed too, once for each set of
// arguments: which bytes it reads and writes, and which results depend on bytes nobody wrote. Code
// that cannot be followed because its addresses or branches depend on data counts as one access to
// all the bytes the image declares for it; that leaves the order undecided unless the code was
// compared with the compiler's. Loops of the program that a byte ends which data decide (of a
// buffer of kind "condition") are followed for two steps and for none; that byte must come to all
// nodes from the same places. Code that depends on registers nobody has set is an error. Timing
// plays no part.
//
// The image's certificate of the routes, as far as it is there: "cycle_free", a boolean; "numbers",
// for each link 4 * node + step its number (-1: not in use), ascending along every route of every
// transfer and signal; "sends_belong_to_next_layer", a boolean: what is sent once a layer is done
// uses buffers that live in the layer behind it.
#ifndef DOJO_VERIFY_VERIFY_H
#define DOJO_VERIFY_VERIFY_H

#include "dojo/ISA/Descriptor.h"
#include "dojo/Image/Image.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace dojo::verify {

/// Undecided: the check could not follow the program. Never a proof, so not Accept.
enum class Verdict : uint8_t { Accept, Undecided, Error };

enum class Check : uint8_t { Layouts, Transfers, Instructions, Order };
inline constexpr unsigned numChecks = 4;

const char *name(Verdict verdict);
const char *name(Check check);

struct Finding {
  Check check;
  Verdict verdict; ///< Undecided or Error
  std::string text;
};

/// What was looked at, for reports and for tests that a check had something to do.
struct Statistics {
  uint64_t threads = 0;    ///< followed, over all nodes
  uint64_t steps = 0;      ///< control instructions followed
  uint64_t calls = 0;      ///< of declared segments
  uint64_t transfers = 0;  ///< descriptors that move data
  uint64_t deliveries = 0; ///< transfers counted once for each receiver
  uint64_t signals = 0, waits = 0;
  uint64_t accesses = 0;     ///< regions whose order was checked
  uint64_t instructions = 0; ///< decoded, each placed blob once
  unsigned rounds = 0;       ///< passes over the happens-before graph

  /// One line.
  std::string toString() const;
};

class Report {
public:
  /// Findings kept for each check; more are counted only.
  static constexpr size_t maxFindings = 20;

  void add(Check check, Verdict verdict, std::string text);

  /// In the order of the checks, within a check in the order in which they were found.
  const std::vector<Finding> &findings() const { return kept; }
  uint64_t count(Check check) const { return counts[unsigned(check)]; }
  Verdict verdict(Check check) const { return verdicts[unsigned(check)]; }
  /// The worst of all checks.
  Verdict verdict() const;

  /// One line for each check, then the findings.
  std::string toString() const;

  Statistics statistics;
  /// For each graph input whether any instruction or transfer reads bytes of its buffers, by the
  /// code as it was followed. Empty if the order was not checked to the end or the image declares
  /// no buffers. Inputs without elements count as read.
  std::vector<bool> inputsRead;

private:
  std::vector<Finding> kept;
  std::array<uint64_t, numChecks> counts{};
  std::array<Verdict, numChecks> verdicts{};
};

/// Runs all checks. \p image must be sound in the sense of image::validate, as every image read
/// from a file is; an unsound one is reported as an error of Layouts and nothing else is looked at.
void verifyImage(const image::Image &image, Report &report);

/// A transfer as the compiler planned it: which node sends (or asks) and its descriptor, of which
/// semaphores and registers play no part. A push to the own node is a copy.
struct PlannedTransfer {
  uint32_t node = 0;
  isa::Descriptor descriptor;
};

/// Reads all lists back and compares them with the plan: each planned transfer is there as often as
/// it was planned, and no other. Findings go to Check::Transfers.
void checkPlanned(const image::Image &image, const std::vector<PlannedTransfer> &planned,
                  Report &report);

/// Code as the compiler emitted it: one line of assembly for each instruction, as isa::disassemble
/// prints it if the first one has address 0. It lies at one or more places.
struct Listing {
  struct Place {
    uint32_t nodeSet = 0, address = 0;
  };
  std::vector<Place> places;
  std::vector<std::string> lines;
};

/// Decodes what the image places at each listing's places, on each of their nodes, and compares it
/// with the lines. Findings go to Check::Instructions.
void checkListings(const image::Image &image, const std::vector<Listing> &listings, Report &report);

/// Where a node holds a part of a graph input, an output or a layer's result. Box::nodeSet plays
/// no part.
struct PlannedBox {
  std::string tensor;
  uint32_t node = 0;
  image::Box box;
};

/// What a compiler meant to put into an image.
struct Intent {
  std::vector<PlannedTransfer> transfers;
  std::vector<Listing> listings;
  std::vector<PlannedBox> boxes;
};

/// verifyImage, checkPlanned, checkListings and the same for boxes in one, and the image must have
/// a certificate of its routes. The image alone tells that every value is whole and in time where
/// it is used; only the intent tells whether it is the right one: two boxes of a tensor that
/// changed places, say, or an add that became a subtraction.
void verifyCompiled(const image::Image &image, const Intent &intent, Report &report);

} // namespace dojo::verify

#endif
