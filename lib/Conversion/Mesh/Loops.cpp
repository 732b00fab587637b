// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops whose steps the whole mesh takes together. Their layers have numbers of their own, once:
//
//   enter       brings the operands to what the loop carries, the condition to all nodes, and
//               what the body reads from outside to where it does
//   first       each step begins with it; what the body reads of its own is sent behind it
//   ...         the body
//   last        brings what the body returns to what the loop carries, the next condition to all
//   exit        the results are what the loop carries now
//
// What is carried is spread over the nodes like an input of the model. It is written in `last`
// only, behind a barrier, so a body may read it in place.

#include "MeshLowering.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::dojo;

/// One byte on every node.
static std::vector<planning::LocalPiece> everywhere(const planning::Mesh &mesh) {
  return {{planning::Box{}, planning::Coord{}, 0, mesh.nodesByColumn()}};
}

LogicalResult MeshLowering::lowerLoop(LoopOp op) {
  auto body = module.lookupSymbol<func::FuncOp>(op.getBody());
  if (llvm::any_of(loops, [&](const OpenLoop &loop) { return loop.body == body; }))
    return op.emitError("is reached from its own body @") << op.getBody();
  Location loc = op.getLoc();
  int64_t enter = addWaypoint(loc, "Loop");
  SmallVector<Resident> states;
  for (auto [i, init] : llvm::enumerate(op.getInits())) {
    auto type = cast<RankedTensorType>(init.getType());
    states.push_back(
        spreadTensor(op.getBody() + ".carried" + Twine(i), "tensor", type, enter, enter));
    if (type.getNumElements() != 0 && failed(gather(loc, init, states.back().held, enter, enter - 1,
                                                    states.back().buffer, "operand " + Twine(i))))
      return failure();
  }
  // Each thread looks at the condition when it comes to it, behind the barrier: nothing else has
  // its place.
  std::string condition = addBuffer(op.getBody() + ".while", "condition", 1, 0, INT64_MAX);
  if (failed(gather(loc, op.getCondition(), everywhere(mesh), enter, enter - 1, condition,
                    "the condition")))
    return failure();

  loops.push_back({body, enter, addWaypoint(loc, "Loop")});
  if (failed(lowerLoopBody(op, body, states, condition)))
    return failure();
  loops.pop_back();

  int64_t exit = addWaypoint(loc, "Loop");
  for (auto [result, state] : llvm::zip_equal(op.getResults(), states)) {
    state.layer = exit;
    useBuffer(state.buffer, exit);
    residents[result] = std::move(state);
  }
  return success();
}

LogicalResult MeshLowering::lowerLoopBody(LoopOp op, func::FuncOp body, ArrayRef<Resident> states,
                                          const std::string &condition) {
  const int64_t first = loops.back().first;
  Block &block = body.getBody().front();
  for (auto [argument, state] : llvm::zip(block.getArguments(), states)) {
    residents[argument] = state;
    residents[argument].layer = first;
  }
  for (auto [argument, value] :
       llvm::zip_equal(block.getArguments().drop_front(states.size()), op.getInvariants()))
    bound[argument] = value;
  if (failed(lowerBlock(block)))
    return failure();

  // Behind a barrier: until then the nodes may still read what is carried.
  int64_t last = addWaypoint(op.getLoc(), "Loop");
  auto results = cast<func::ReturnOp>(block.getTerminator()).getOperands();
  for (auto [i, value] : llvm::enumerate(results)) {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getNumElements() == 0)
      continue;
    if (!value.getDefiningOp<LayerOp>())
      return body.emitError("result ")
             << i << " is made by no layer; give it to one that copies it";
    const std::string &to = i == 0 ? condition : states[i - 1].buffer;
    if (failed(gather(op.getLoc(), value, i == 0 ? everywhere(mesh) : states[i - 1].held, last,
                      last - 1, to, "result " + Twine(i))))
      return failure();
  }
  // What the next step reads again lives as long as the loop.
  for (auto &[name, buffer] : buffers)
    if (buffer.first < first && buffer.last >= first)
      buffer.last = std::max(buffer.last, last);
  RepeatOp::create(builder, op.getLoc(), first, last, condition);
  return success();
}
