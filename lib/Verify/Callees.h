// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls of declared segments: which segment is meant, what it does, where it goes on.
#ifndef DOJO_LIB_VERIFY_CALLEES_H
#define DOJO_LIB_VERIFY_CALLEES_H

#include "Program.h"
#include "Scalar.h"
#include "SegmentCode.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dojo::verify {

struct CallOutcome {
  enum class Kind { Step, Call, Problem } kind = Kind::Step;
  uint32_t call = 0;  ///< Call: index into Program::calls
  int32_t layer = -1; ///< Call
  int64_t next = 0;   ///< Call: where it goes on
  Verdict verdict = Verdict::Undecided;
  std::string problem;
};

class Callees {
public:
  explicit Callees(Program &program)
      : program(program), index(program.index), scratch(index.sram) {}

  /// A thread reaches `pc`, coming from text of `callerLayer`. Step: no segment, or one that is
  /// followed like any text. Call: `x` is then as it is behind it.
  CallOutcome enter(int64_t node, int64_t pc, int32_t callerLayer, ScalarRegisters &x);

  /// Do the segments at `pc` declare an access to bytes [lo, hi)? Text outside of segments may
  /// touch anything.
  bool declares(int64_t node, int64_t pc, bool write, int64_t lo, int64_t hi);

private:
  uint32_t callOf(const Call &call, int64_t node);
  void checkDeclared(const Call &call, int64_t node);

  Program &program;
  const ImageIndex &index;
  SegmentCodeCache cache;
  std::vector<uint32_t> candidates;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> known; // segment, footprint
  std::set<uint32_t> trusted;                              // segments taken at their word
  Bitmap scratch;
};

} // namespace dojo::verify

#endif
