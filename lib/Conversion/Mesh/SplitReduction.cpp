// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SplitReduction.h"

#include "dojo/Transforms/LayerAccess.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::dojo;
using utils::IteratorType;

namespace {
class Splitter {
public:
  Splitter(LayerOp layer, unsigned loop, int64_t parts)
      : layer(layer), root(layer.getRoot()), loop(loop), parts(parts), builder(layer) {}

  SplitLayers run() {
    if (auto conv = dyn_cast<ConvOp>(root))
      splitConv(conv);
    else
      splitGeneric(cast<linalg::GenericOp>(root));
    layer->getResult(0).replaceAllUsesWith(split.sum->getResult(0));
    layer.erase();
    return split;
  }

private:
  /// A layer at the builder's place, its block at the builder's new place.
  LayerOp create(const Twine &name, ValueRange inputs, Type result, StringRef op, int64_t macs) {
    auto made = LayerOp::create(builder, layer.getLoc(), TypeRange{result},
                                builder.getStringAttr(name), inputs, builder.getStringAttr(op),
                                layer.getOnnxAttr(), builder.getI64IntegerAttr(macs));
    Block &block = made.getBody().emplaceBlock();
    for (Value input : inputs)
      block.addArgument(input.getType(), input.getLoc());
    return made;
  }

  Value zeros(RankedTensorType type) {
    Value empty = tensor::EmptyOp::create(builder, loc(), type, ValueRange{});
    Value zero =
        arith::ConstantOp::create(builder, loc(), builder.getZeroAttr(type.getElementType()));
    return linalg::FillOp::create(builder, loc(), zero, empty).getResult(0);
  }

  /// The layer's argument that is `value`, as an operand of the layer.
  unsigned argumentOf(Value value) { return cast<BlockArgument>(value).getArgNumber(); }

  void splitConv(ConvOp conv) {
    SmallVector<int64_t> shape(conv.getInitType().getShape());
    int64_t images = shape[0];
    shape[0] *= parts;
    auto type = RankedTensorType::get(shape, builder.getF32Type());
    Value operands[] = {layer.getInputs()[argumentOf(conv.getInput())],
                        layer.getInputs()[argumentOf(conv.getWeight())]};
    split.partial =
        create(layer.getName() + ".part", operands, type, layer.getOp(), layer.getMacs());
    {
      OpBuilder::InsertionGuard guard(builder);
      Block &block = split.partial.getBody().front();
      builder.setInsertionPointToStart(&block);
      Value empty = tensor::EmptyOp::create(builder, loc(), type, ValueRange{});
      auto local =
          ConvOp::create(builder, loc(), block.getArgument(0), block.getArgument(1), ValueRange{},
                         empty, conv.getStrides(), conv.getDilations(), {}, parts);
      Block &epilogue = local.getEpilogue().emplaceBlock();
      Value acc = epilogue.addArgument(builder.getF32Type(), loc());
      YieldOp::create(builder, loc(), local.getResult());
      builder.setInsertionPointToStart(&epilogue);
      YieldOp::create(builder, loc(), acc);
    }
    SmallVector<Value> extras;
    for (Value extra : conv.getExtras())
      extras.push_back(layer.getInputs()[argumentOf(extra)]);
    // [parts * N, ...] as [parts, N, ...]
    shape[0] = images;
    shape.insert(shape.begin(), parts);
    Value sums = ReshapeOp::create(builder, loc(), type.clone(shape), split.partial->getResult(0));
    addParts(sums, conv.getExtraMapValues(), extras, &conv.getEpilogue().front());
    // Cut like the parts: by pairs of channel groups and blocks of eight pixels.
    split.sum->setAttr("dojo.units", builder.getDenseI64ArrayAttr({1, 2, 1, 8, 1}));
  }

  /// An index of the divided loop is one of its share: the part, loop `part`, says where that
  /// begins.
  void shiftIndices(linalg::GenericOp local, unsigned part, int64_t share) {
    SmallVector<linalg::IndexOp> indices;
    local.getRegion().walk([&](linalg::IndexOp index) {
      if (index.getDim() == loop)
        indices.push_back(index);
    });
    OpBuilder::InsertionGuard guard(builder);
    for (linalg::IndexOp index : indices) {
      builder.setInsertionPointAfter(index);
      Value number = linalg::IndexOp::create(builder, loc(), part);
      Value length = arith::ConstantIndexOp::create(builder, loc(), share);
      Value first = arith::MulIOp::create(builder, loc(), number, length);
      auto sum = arith::AddIOp::create(builder, loc(), index.getResult(), first);
      index.getResult().replaceAllUsesExcept(sum.getResult(), sum);
    }
  }

  void splitGeneric(linalg::GenericOp generic) {
    FailureOr<LayerAccess> access = analyzeLayer(layer);
    bool fine = succeeded(access) && access->reducesAlongMemory();
    auto result = cast<RankedTensorType>(generic.getResult(0).getType());
    SmallVector<int64_t> shape(result.getShape());
    shape.insert(shape.begin(), parts);
    auto type = RankedTensorType::get(shape, builder.getF32Type());
    int64_t share = generic.getStaticLoopRanges()[loop] / parts;
    split.partial =
        create(layer.getName() + ".part", layer.getInputs(), type, layer.getOp(), layer.getMacs());
    {
      OpBuilder::InsertionGuard guard(builder);
      Block &block = split.partial.getBody().front();
      builder.setInsertionPointToStart(&block);
      IRMapping mapping;
      mapping.map(layer.getBody().front().getArguments(), block.getArguments());
      for (Operation &op : layer.getBody().front())
        if (isa<arith::ConstantOp, tensor::EmptyOp>(op))
          builder.clone(op, mapping);
      unsigned loops = generic.getNumLoops();
      AffineExpr part = builder.getAffineDimExpr(loops), inner = builder.getAffineDimExpr(loop);
      auto divided = [&](AffineMap map) {
        SmallVector<AffineExpr> results;
        for (AffineExpr expr : map.getResults())
          results.push_back(expr.replace(inner, part * share + inner));
        return AffineMap::get(loops + 1, 0, results, builder.getContext());
      };
      SmallVector<AffineMap> maps = llvm::map_to_vector(generic.getIndexingMapsArray(), divided);
      SmallVector<AffineExpr> outputs(maps.pop_back_val().getResults());
      outputs.insert(outputs.begin(), part);
      SmallVector<Value> operands;
      for (Value operand : generic.getDpsInputs())
        operands.push_back(mapping.lookup(operand));
      // The length of a share, which no other operand tells alone.
      operands.push_back(tensor::EmptyOp::create(
          builder, loc(), RankedTensorType::get({share}, builder.getF32Type()), ValueRange{}));
      maps.push_back(AffineMap::get(loops + 1, 0, {inner}, builder.getContext()));
      maps.push_back(AffineMap::get(loops + 1, 0, outputs, builder.getContext()));
      SmallVector<IteratorType> kinds = generic.getIteratorTypesArray();
      kinds.push_back(IteratorType::parallel);
      Value init = zeros(type);
      auto local = linalg::GenericOp::create(builder, loc(), TypeRange{type}, operands,
                                             ValueRange{init}, maps, kinds);
      generic.getRegion().cloneInto(&local.getRegion(), mapping);
      Block &body = local.getRegion().front();
      shiftIndices(local, loops, share);
      body.insertArgument(operands.size() - 1, builder.getF32Type(), loc());
      YieldOp::create(builder, loc(), local.getResults());
    }
    addParts(split.partial->getResult(0), {}, {}, nullptr);
    // Both layers are cut as the whole was, whatever they would be cut by alone: the shares may be
    // too short for vectors along them.
    if (fine)
      for (LayerOp part : {split.partial, split.sum})
        part->setAttr("dojo.fine", builder.getUnitAttr());
  }

  /// The layer that adds the partial sums [parts, ...], in order, and gives the sum with the
  /// elements of `extras` to `epilogue`; null: the sum is the result.
  void addParts(Value sums, ArrayRef<AffineMap> extraMaps, ValueRange extras, Block *epilogue) {
    auto type = cast<RankedTensorType>(layer->getResult(0).getType());
    SmallVector<Value> inputs{sums};
    SmallVector<AffineMap> maps;
    for (int64_t p = 0; p < parts; ++p)
      maps.push_back(builder.getMultiDimIdentityMap(type.getRank())
                         .insertResult(builder.getAffineConstantExpr(p), 0));
    llvm::append_range(maps, extraMaps);
    llvm::append_range(inputs, extras);
    split.sum = create(layer.getName(), inputs, type, "Sum", 0);
    for (NamedAttribute attr : layer->getDiscardableAttrs())
      split.sum->setAttr(attr.getName(), attr.getValue());
    OpBuilder::InsertionGuard guard(builder);
    Block &block = split.sum.getBody().front();
    builder.setInsertionPointToStart(&block);
    IRMapping mapping;
    for (Operation &op : layer.getBody().front())
      if (isa<arith::ConstantOp>(op))
        builder.clone(op, mapping);
    Value empty = tensor::EmptyOp::create(builder, loc(), type, ValueRange{});
    SmallVector<Value> operands(parts, block.getArgument(0));
    llvm::append_range(operands, block.getArguments().drop_front());
    maps.push_back(builder.getMultiDimIdentityMap(type.getRank()));
    auto generic = linalg::GenericOp::create(
        builder, loc(), TypeRange{type}, operands, ValueRange{empty}, maps,
        SmallVector<IteratorType>(type.getRank(), IteratorType::parallel),
        [&](OpBuilder &nested, Location loc, ValueRange args) {
          Value sum = args[0];
          for (Value part : args.slice(1, parts - 1))
            sum = arith::AddFOp::create(nested, loc, sum, part);
          if (epilogue) {
            mapping.map(epilogue->getArgument(0), sum);
            mapping.map(epilogue->getArguments().drop_front(), args.slice(parts, extras.size()));
            for (Operation &op : epilogue->without_terminator())
              nested.clone(op, mapping);
            sum = mapping.lookupOrDefault(epilogue->getTerminator()->getOperand(0));
          }
          linalg::YieldOp::create(nested, loc, sum);
        });
    YieldOp::create(builder, loc(), generic.getResults());
  }

  Location loc() { return root->getLoc(); }

  LayerOp layer;
  Operation *root;
  unsigned loop;
  int64_t parts;
  OpBuilder builder;
  SplitLayers split;
};
} // namespace

SplitLayers mlir::dojo::splitReduction(LayerOp layer, unsigned loop, int64_t parts) {
  return Splitter(layer, loop, parts).run();
}
