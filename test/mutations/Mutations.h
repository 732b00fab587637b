// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ways to spoil an image, each with the check it tries.
#ifndef DOJO_TEST_MUTATIONS_MUTATIONS_H
#define DOJO_TEST_MUTATIONS_MUTATIONS_H

#include "Mutant.h"
#include "dojo/Verify/Verify.h"

namespace dojo::mutations {

struct Mutation {
  const char *name;
  verify::Check tries;
  /// Changes one thing that the seed picks and says what; an empty text: nothing there to change.
  std::string (*apply)(Mutant &, Random &);
};

const std::vector<Mutation> &layoutMutations();
const std::vector<Mutation> &transferMutations();
const std::vector<Mutation> &instructionMutations();
const std::vector<Mutation> &orderMutations();

} // namespace dojo::mutations

#endif // DOJO_TEST_MUTATIONS_MUTATIONS_H
