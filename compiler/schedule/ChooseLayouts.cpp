//===- ChooseLayouts.cpp - Give every tensor between groups a layout -------------------------===//
//
// In: groups on logical tensors. Out: the same, their tensors with `#cnn.layout` encodings where
// they are not plain, reductions over the batch split, conversions where a group needs plain rows.
// Next: SliceBatch.cpp.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/schedule/BatchAnalysis.h"
#include "compiler/schedule/ChannelBlocks.h"
#include "compiler/schedule/GroupInfo.h"
#include "compiler/schedule/Machine.h"
#include "compiler/schedule/Overrides.h"
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Prepare.h"
#include "compiler/schedule/Results.h"
#include "compiler/schedule/Schedules.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

#include <cmath>
#include <map>
#include <numeric>

namespace mlir::cnn {
#define GEN_PASS_DEF_CHOOSELAYOUTSPASS
#include "compiler/schedule/Passes.h.inc"
} // namespace mlir::cnn

using namespace mlir;
using namespace mlir::cnn;

/// Points of all nests on images below which what is gained is not worth another layout, and
/// weights packed for it: LeNet has 400,000.
static constexpr double fewestPoints = 1 << 20;

/// Products of each element of a gradient above which a copy of it in another layout, at 2 or 3
/// cycles an element, costs less than sums over lanes.
static constexpr int64_t fewestProducts = 128;
/// Pixels behind which a sum over lanes takes little of the time.
static constexpr int64_t mostPixels = 32;

namespace {
struct ChooseLayouts : mlir::cnn::impl::ChooseLayoutsPassBase<ChooseLayouts> {
  using ChooseLayoutsPassBase::ChooseLayoutsPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkLayout(&getContext(), layout, {"auto", "plain", "batch", "channels"})))
      return signalPassFailure();
    FailureOr<Machine> machine =
        Machine::get(cpu, [&]() -> InFlightDiagnostic { return module.emitError(); });
    if (failed(machine))
      return signalPassFailure();
    machine->record(module);
    const std::string asked = layout;
    for (auto entry : module.getOps<func::FuncOp>()) {
      if (!entry.isPublic() || entry.isDeclaration())
        continue;
      // What was measured to be best (Tuned.h), where nobody asks for a layout.
      std::string because;
      if (auto measured = entry->getAttrOfType<ArrayAttr>("cnn.tuned_layout");
          measured && measured.size() == 2 && asked == "auto") {
        auto choice = dyn_cast<StringAttr>(measured[0]), why = dyn_cast<StringAttr>(measured[1]);
        layout = choice ? choice.str() : asked;
        because = why ? why.str() + "; " : "";
      }
      if (failed(runOnEntry(entry, *machine)))
        return signalPassFailure();
      auto reason = entry->getAttrOfType<StringAttr>("cnn.layout_reason");
      entry->setAttr("cnn.layout_reason",
                     StringAttr::get(&getContext(), because + reason.getValue()));
      layout = asked;
    }
  }

  LogicalResult runOnEntry(func::FuncOp entry, const Machine &machine) {
    int64_t batch = getBatchExtent(entry), lanes = getLanes(entry, machine);
    bool fills = batch > 0 && lanes > 1 && batch % lanes == 0;
    bool isStep = !entry.getOps<WriteOp>().empty();
    std::string reason = "the batch does not fill whole vectors of " + machine.cpu;
    if (layout == "auto" && fills && !isStep && readsLargeImages(entry, machine, lanes)) {
      reason = "most convolutions read " + std::to_string(lanes) +
               " images that take more than twice the second cache";
      fills = false;
    }
    block = fills && (layout == "auto" || layout == "batch") ? lanes : 1;
    plain.clear();
    noHalo.clear();
    if (block > 1) {
      reason = "batch of " + std::to_string(batch) + " is " + std::to_string(batch / block) +
               " blocks of " + std::to_string(block) + " images, one vector each";
      convertInputs(entry, [](BlockArgument input) { return getTensor(input).getRank() >= 2; });
      if (failed(splitReductions(entry)) || failed(setLayouts(entry)))
        return failure();
    } else if (layout == "plain") {
      reason = "plain layouts were asked for";
    } else if (layout == "channels" || layout == "auto") {
      if (failed(setChannelBlocks(entry, machine, lanes, reason)))
        return failure();
    }
    entry->setAttr("cnn.layout_reason", StringAttr::get(&getContext(), reason));
    numConversions += copyResults(entry);
    return success();
  }

  /// Whether most products of the convolutions are with images so large that windows of `count` of
  /// them, next to each other in the lanes, are short runs far apart, which no cache keeps and no
  /// prefetcher follows. With channels in the lanes the runs are `count` times as long.
  static bool readsLargeImages(func::FuncOp entry, const Machine &machine, int64_t count) {
    constexpr double large = 2; // times the second cache
    double products = 0, ofLarge = 0;
    for (GroupOp group : entry.getOps<GroupOp>())
      group.walk([&](ConvOp conv) {
        RankedTensorType input = getTensor(conv.getInput());
        double bytes = static_cast<double>(input.getNumElements()) / input.getDimSize(0) * count *
                       input.getElementTypeBitWidth() / 8;
        double here = static_cast<double>(getTensor(conv.getResult()).getNumElements()) *
                      getTensor(conv.getWeight()).getNumElements() /
                      getTensor(conv.getWeight()).getDimSize(0);
        products += here;
        if (bytes > large * machine.level2)
          ofLarge += here;
      });
    return 2 * ofLarge > products;
  }

  /// Elements of the widest float type in use in a vector; 1 where there is none.
  int64_t getLanes(func::FuncOp entry, const Machine &machine) {
    int64_t bits = 0;
    for (Type type : entry.getArgumentTypes())
      if (auto element = dyn_cast<FloatType>(cast<RankedTensorType>(type).getElementType()))
        bits = std::max<int64_t>(bits, element.getWidth());
    return bits == 0 ? 1 : machine.vectorBits / bits;
  }

  /// Inputs come plain, one image after another: converts each of those `wanted` once, masking the
  /// unused rows on the way where its readers do. Returns inputs and their copies.
  SmallVector<std::pair<Value, Value>> convertInputs(func::FuncOp entry,
                                                     function_ref<bool(BlockArgument)> wanted) {
    llvm::MapVector<Value, Value> converted;
    llvm::MapVector<std::pair<Value, Value>, Value> masked;
    BatchAnalysis batch(entry);
    OpBuilder b = OpBuilder::atBlockBegin(&entry.getBody().front());
    for (GroupOp group : llvm::to_vector(entry.getOps<GroupOp>())) {
      Block &body = group.getBody().front();
      for (int64_t i = group.getInputs().size() - 1; i >= 0; --i) {
        Value input = group.getInputs()[i];
        if (!isa<BlockArgument>(input) || !batch.isBatched(input) ||
            !wanted(cast<BlockArgument>(input)))
          continue;
        BlockArgument argument = body.getArgument(i);
        std::string name = "input" + std::to_string(cast<BlockArgument>(input).getArgNumber());
        if (auto attr = entry.getArgAttrOfType<StringAttr>(
                cast<BlockArgument>(input).getArgNumber(), "cnn.name"))
          name = attr.str();
        // Masks of an input are taken out of the group, the group reads their result.
        for (Operation *user : llvm::to_vector(argument.getUsers())) {
          auto mask = dyn_cast<MaskRowsOp>(user);
          auto rows = mask ? dyn_cast<BlockArgument>(mask.getRows()) : BlockArgument();
          // A group that gives the masked input converts it on its way out.
          if (!rows || llvm::any_of(mask->getUsers(), llvm::IsaPred<YieldOp>))
            continue;
          Value count = group.getInputs()[rows.getArgNumber()];
          Value &value = masked[{input, count}];
          if (!value) {
            value = makeGroup(
                        b, mask.getLoc(), name + ".blocks", {input, count},
                        [&](OpBuilder &inner, ValueRange in) {
                          return MaskRowsOp::create(inner, mask.getLoc(), in[0], in[1]).getResult();
                        })
                        .getResult(0);
            ++numConversions;
          }
          group.getInputsMutable().append(value);
          mask.getResult().replaceAllUsesWith(body.addArgument(value.getType(), mask.getLoc()));
          mask.erase();
        }
        if (!llvm::all_of(argument.getUsers(), llvm::IsaPred<MaskRowsOp>)) {
          Value &value = converted[input];
          if (!value) {
            value = makeGroup(b, input.getLoc(), name + ".blocks", input,
                              [&](OpBuilder &inner, ValueRange in) {
                                return ConvertLayoutOp::create(inner, input.getLoc(),
                                                               in[0].getType(), in[0])
                                    .getResult();
                              })
                        .getResult(0);
            ++numConversions;
          }
          group.setOperand(i, value);
        }
      }
      eraseUnusedInputs(group);
    }
    SmallVector<std::pair<Value, Value>> copies(converted.begin(), converted.end());
    for (auto &[key, copy] : masked)
      copies.push_back({key.first, copy});
    return copies;
  }

  void eraseUnusedInputs(GroupOp group) {
    Block &body = group.getBody().front();
    for (int64_t i = static_cast<int64_t>(body.getNumArguments()) - 1; i >= 0; --i)
      if (body.getArgument(i).use_empty()) {
        body.eraseArgument(i);
        group->eraseOperand(i);
      }
  }

  /// Splits reductions over the batch and everything in an image: first per slice, then over
  /// slices.
  LogicalResult splitReductions(func::FuncOp entry) {
    BatchAnalysis batch(entry);
    for (GroupOp group : llvm::to_vector(entry.getOps<GroupOp>())) {
      FailureOr<GroupInfo> info = GroupInfo::get(group);
      if (failed(info))
        return failure();
      Operation *anchor = info->anchor;
      if (!llvm::all_of(anchor->getOperands(), llvm::IsaPred<BlockArgument>))
        continue;
      SmallVector<Value> inputs;
      bool batched = false;
      for (Value operand : anchor->getOperands()) {
        inputs.push_back(group.getInputs()[cast<BlockArgument>(operand).getArgNumber()]);
        batched |= batch.isBatched(inputs.back());
      }
      if (!batched)
        continue;
      OpBuilder b(group);
      Value partial;
      std::string name = group.getName().str() + ".slices";
      if (auto grad = dyn_cast<ConvWeightGradOp>(anchor)) {
        int64_t slices = getTensor(inputs[0]).getDimSize(0) / block;
        if (grad.getSlices() != 0 || (readsChannels(grad) && !isWorthSlicing(grad, slices)))
          continue;
        SmallVector<int64_t> shape(getTensor(grad.getResult()).getShape());
        shape.insert(shape.begin(), slices);
        auto type = RankedTensorType::get(shape, getTensor(grad.getResult()).getElementType());
        partial = makeGroup(b, group.getLoc(), name, inputs, [&](OpBuilder &inner, ValueRange in) {
                    return ConvWeightGradOp::create(inner, grad.getLoc(), type, in[0], in[1],
                                                    grad.getStride(), grad.getPadding(),
                                                    grad.getDilation(), grad.getGroups(), slices,
                                                    /*winograd=*/0)
                        .getResult();
                  }).getResult(0);
      } else if (auto sum = dyn_cast<ReduceSumOp>(anchor)) {
        if (sum.getKeepDims() || sum.getDims().size() < 2 || sum.getDims().front() != 0)
          continue;
        partial = makeGroup(b, group.getLoc(), name, inputs, [&](OpBuilder &inner, ValueRange in) {
                    return ReduceSumOp::create(inner, sum.getLoc(), in[0],
                                               sum.getDims().drop_front(), false)
                        .getResult();
                  }).getResult(0);
      } else {
        continue;
      }
      replaceAnchor(group, anchor, partial);
    }
    return success();
  }

  /// Lets `group` sum `partial` over its first dimension in place of its anchor.
  void replaceAnchor(GroupOp group, Operation *anchor, Value partial) {
    Block &body = group.getBody().front();
    OpBuilder b(anchor);
    group.getInputsMutable().append(partial);
    Value argument = body.addArgument(partial.getType(), partial.getLoc());
    Value sum = ReduceSumOp::create(b, anchor->getLoc(), argument, ArrayRef<int64_t>{0}, false);
    anchor->getResult(0).replaceAllUsesWith(sum);
    anchor->erase();
    eraseUnusedInputs(group);
  }

  LogicalResult setLayouts(func::FuncOp entry) {
    // Contractions over the batch alone read rows: give them plain copies.
    BatchAnalysis before(entry);
    llvm::DenseMap<Value, Value> rows;
    llvm::MapVector<Value, Value> channels, weights;
    for (GroupOp group : llvm::to_vector(entry.getOps<GroupOp>())) {
      FailureOr<GroupInfo> info = GroupInfo::get(group);
      if (failed(info))
        return failure();
      if (auto grad = dyn_cast<ConvWeightGradOp>(info->anchor.getOperation()))
        blockChannels(group, grad, channels);
      if (auto grad = dyn_cast<ConvDataGradOp>(info->anchor.getOperation()))
        turnWeight(group, grad, weights);
      if (!isa<MatmulOp>(info->anchor))
        continue;
      for (const GroupInfo::Read &read : info->getReads()) {
        Value input = group.getInputs()[read.argument];
        int64_t dim = read.forms.empty() ? -1 : read.forms[0].getSingleDim();
        if (read.pooled || !before.isBatched(input) || dim < 0 || info->nest.isParallel(dim))
          continue;
        Value &copy = rows[input];
        if (!copy && !isa<BlockArgument>(input)) {
          copy = makeCopy(input, group.getName().str() + ".rows" + std::to_string(read.argument));
          plain.insert(copy);
          ++numConversions;
        }
        if (copy)
          group.setOperand(read.argument, copy);
      }
    }

    BatchAnalysis batch(entry);
    llvm::MapVector<Value, LayoutAttr> layouts;
    for (Operation &op : entry.getBody().front()) {
      if (!isa<GroupOp, ReshapeOp>(op))
        continue;
      for (Value result : op.getResults())
        if (batch.isBatched(result) && !plain.contains(result) &&
            getTensor(result).getDimSize(0) == getBatchExtent(entry))
          layouts[result] =
              LayoutAttr::getBatchInnermost(&getContext(), getTensor(result).getRank(), block);
    }
    // A reshape is another view of the same memory: plain if either side is, such as an argument,
    // or a result that takes the batch apart.
    for (bool changed = true; changed;) {
      changed = false;
      for (auto reshape : entry.getOps<ReshapeOp>())
        if (layouts.contains(reshape.getInput()) != layouts.contains(reshape.getResult())) {
          layouts.erase(reshape.getInput());
          layouts.erase(reshape.getResult());
          changed = true;
        }
    }
    for (auto [gradient, copy] : channels)
      layouts[copy] = getBlockedLayout(&getContext(), getTensor(copy).getRank(), 1, block);
    numBatch += layouts.size() - channels.size();
    for (auto [weight, copy] : weights)
      layouts[copy] = LayoutAttr::get(&getContext(), {1, 2, 3, 0, 1}, block, /*halo=*/{});
    return applyLayouts(entry, layouts);
  }

  /// Whether a weight's gradient is to be computed from the outputs' gradient with channels in the
  /// lanes; see `blockChannels`.
  bool readsChannels(ConvWeightGradOp grad) const {
    constexpr int64_t smallestTile = 2;
    ArrayRef<int64_t> weight = getTensor(grad.getResult()).getShape().take_back(4);
    ArrayRef<int64_t> output = getTensor(grad.getGradient()).getShape().take_back(2);
    return grad.getGroups() == 1 && weight[0] % block == 0 &&
           weight[1] * weight[2] * weight[3] >= fewestProducts &&
           output[0] * output[1] <= mostPixels &&
           !WeightGradSpace::whyNot(grad, smallestTile, block).empty();
  }

  /// Whether one gradient per slice, and then their sum, costs less than to read images and
  /// gradient slice by slice for every part of the weight.
  static bool isWorthSlicing(ConvWeightGradOp grad, int64_t slices) {
    return slices > 1 && slices * getTensor(grad.getResult()).getNumElements() <
                             getTensor(grad.getInput()).getNumElements() +
                                 getTensor(grad.getGradient()).getNumElements();
  }

  /// With images in the lanes, the sum over them that a weight's gradient is ends in a sum over
  /// lanes for every element. Lets the group read a copy of the outputs' gradient with channels in
  /// the lanes, where that costs less and Winograd's algorithm, which turns them round itself, does
  /// not apply.
  void blockChannels(GroupOp group, ConvWeightGradOp grad, llvm::MapVector<Value, Value> &copies) {
    auto argument = dyn_cast<BlockArgument>(grad.getGradient());
    if (!argument || !readsChannels(grad))
      return;
    Value gradient = group.getInputs()[argument.getArgNumber()];
    Value &copy = copies[gradient];
    if (!copy) {
      copy = makeCopy(gradient, group.getName().str() + ".channels");
      plain.insert(copy);
      ++numConversions;
    }
    group.setOperand(argument.getArgNumber(), copy);
  }

  /// The gradient of a strided convolution's input sums over the rows of the weight, for each tap
  /// apart: where rows are long, every element would come with a line of its own. Lets the group
  /// read a copy in which lines of input channels follow each other.
  void turnWeight(GroupOp group, ConvDataGradOp grad, llvm::MapVector<Value, Value> &copies) {
    constexpr int64_t longRow = 256; // elements
    auto argument = dyn_cast<BlockArgument>(grad.getWeight());
    RankedTensorType weight = getTensor(grad.getWeight());
    if (!argument || grad.isScatterCheaper() || !isStrided(grad) ||
        weight.getDimSize(1) % block != 0 ||
        weight.getNumElements() / weight.getDimSize(0) < longRow)
      return;
    Value input = group.getInputs()[argument.getArgNumber()];
    Value &copy = copies[input];
    if (!copy) {
      copy = makeCopy(input, group.getName().str() + ".weight");
      noHalo.insert(copy); // which taps lie outside of the kernel is known
      ++numConversions;
    }
    group.setOperand(argument.getArgNumber(), copy);
  }

  static bool isStrided(ConvDataGradOp grad) {
    return llvm::any_of(grad.getStride(), [](int64_t stride) { return stride != 1; });
  }

  /// Adds zeros around what is read with padding, and sets the types.
  LogicalResult applyLayouts(func::FuncOp entry, llvm::MapVector<Value, LayoutAttr> &layouts) {
    for (GroupOp group : entry.getOps<GroupOp>()) {
      ScheduleSpace::chooseForm(group); // The gathered form of a gradient reads outside.
      if (failed(addHalos(group, layouts)))
        return failure();
    }
    for (auto [value, attr] : layouts) {
      if (noHalo.contains(value))
        attr = LayoutAttr::get(&getContext(), attr.getOrder(), attr.getBlock(), {});
      value.setType(RankedTensorType::get(getTensor(value).getShape(),
                                          getTensor(value).getElementType(), attr));
    }
    for (GroupOp group : entry.getOps<GroupOp>())
      group.adoptTypes();
    return success();
  }

  /// Puts the channels of images in blocks of `lanes` where that serves, and with them the
  /// dimension of the weights that vectors run along.
  LogicalResult setChannelBlocks(func::FuncOp entry, const Machine &machine, int64_t lanes,
                                 std::string &reason) {
    ChannelBlocks blocks(entry, machine, lanes, /*always=*/layout == "channels");
    if (blocks.empty())
      return copyInputs(entry);
    llvm::DenseSet<Value> read;
    double points = 0;
    for (GroupOp group : entry.getOps<GroupOp>()) {
      FailureOr<GroupInfo> info = GroupInfo::get(group);
      if (failed(info))
        return failure();
      if (blocks.getVector(group, *info) < 0)
        continue;
      read.insert(group.getInputs().begin(), group.getInputs().end());
      points += std::accumulate(info->nest.sizes.begin(), info->nest.sizes.end(), 1.0,
                                std::multiplies<double>());
    }
    if (layout != "channels" && points < fewestPoints) {
      reason += ", and the network is too small for channels in blocks";
      return copyInputs(entry);
    }
    llvm::MapVector<Value, LayoutAttr> layouts;
    for (auto [argument, copy] : convertInputs(entry, [&](BlockArgument input) {
           return read.contains(input) && getTensor(input).getRank() == 4;
         })) {
      blocks.replace(argument, copy);
      // Few channels: plain, for the zeros around them.
      if (!blocks.contains(copy))
        layouts[copy] = LayoutAttr::getPlain(&getContext(), getTensor(copy).getRank());
    }
    PreparedValues prepared(entry);
    std::map<std::pair<void *, int64_t>, Value> weights;
    for (GroupOp group : llvm::to_vector(entry.getOps<GroupOp>())) {
      for (Value result : group.getResults())
        if (blocks.contains(result)) {
          layouts[result] = getBlockedLayout(&getContext(), getTensor(result).getRank(), 1, lanes);
          ++numChannels;
        }
      FailureOr<GroupInfo> info = GroupInfo::get(group);
      if (failed(info))
        return failure();
      int64_t vector = blocks.getVector(group, *info);
      for (const GroupInfo::Read &read : info->getReads()) {
        Value input = group.getInputs()[read.argument];
        if (vector < 0 || read.pooled || blocks.contains(input) || !prepared.contains(input))
          continue;
        int64_t dim = blocks.getBlockedDim(read.forms, vector);
        if (dim < 0)
          continue;
        Value &weight = weights[{input.getAsOpaquePointer(), dim}];
        if (!weight) {
          weight =
              makeCopy(input, group.getName().str() + ".weight" + std::to_string(read.argument));
          layouts[weight] =
              getBlockedLayout(&getContext(), getTensor(weight).getRank(), dim, lanes);
        }
        group.setOperand(read.argument, weight);
      }
    }
    reason += ": channels in blocks of " + std::to_string(lanes) +
              ", tensors: " + std::to_string(blocks.size());
    if (int64_t batch = getBatchExtent(entry); batch % lanes == 0)
      if (failed(setBatchRows(entry, lanes, layouts)))
        return failure();
    return applyLayouts(entry, layouts);
  }

  /// Where the batch fills whole vectors, what linear layers read and give has images in the lanes,
  /// beside images with channels there: each element of the weights, which lie as the state has
  /// them, is read once for all images.
  LogicalResult setBatchRows(func::FuncOp entry, int64_t lanes,
                             llvm::MapVector<Value, LayoutAttr> &layouts) {
    BatchAnalysis batch(entry);
    LayoutAttr rows = LayoutAttr::getBatchInnermost(&getContext(), 2, lanes);
    auto isRows = [&](Value value) {
      return getTensor(value).getRank() == 2 && batch.isBatched(value);
    };
    llvm::DenseMap<Value, Value> copies;
    for (GroupOp group : llvm::to_vector(entry.getOps<GroupOp>())) {
      FailureOr<GroupInfo> info = GroupInfo::get(group);
      if (failed(info))
        return failure();
      if (!isa<LinearOp>(info->anchor) || !llvm::all_of(group.getResults(), isRows))
        continue;
      for (const GroupInfo::Read &read : info->getReads()) {
        Value input = group.getInputs()[read.argument];
        if (!isRows(input) || layouts.contains(input))
          continue;
        Value &copy = copies[input];
        if (!copy) {
          copy = makeCopy(input, group.getName().str() + ".rows" + std::to_string(read.argument));
          layouts[copy] = rows;
          ++numConversions;
        }
        group.setOperand(read.argument, copy);
      }
      for (Value result : group.getResults())
        if (llvm::all_of(result.getUsers(), llvm::IsaPred<GroupOp>))
          layouts[result] = rows;
    }
    return success();
  }

  /// Copies images that are read with padding, so that there are zeros around them.
  LogicalResult copyInputs(func::FuncOp entry) {
    llvm::DenseSet<Value> padded;
    for (GroupOp group : entry.getOps<GroupOp>()) {
      FailureOr<GroupInfo> info = GroupInfo::get(group);
      if (failed(info))
        return failure();
      for (const GroupInfo::Read &read : info->getReads()) {
        Value input = group.getInputs()[read.argument];
        if (read.padding == 0 && llvm::any_of(info->getReach(read, getTensor(input)), isNotZero))
          padded.insert(input);
      }
    }
    llvm::MapVector<Value, LayoutAttr> layouts;
    for (auto [argument, copy] : convertInputs(entry, [&](BlockArgument input) {
           return padded.contains(input) && getTensor(input).getRank() == 4;
         }))
      layouts[copy] = LayoutAttr::getPlain(&getContext(), getTensor(copy).getRank());
    return applyLayouts(entry, layouts);
  }

  static bool isNotZero(int64_t value) { return value != 0; }

  /// Asks for stored zeros where the group reads outside of an input's bounds and expects zero.
  LogicalResult addHalos(GroupOp group, llvm::MapVector<Value, LayoutAttr> &layouts) {
    FailureOr<GroupInfo> info = GroupInfo::get(group);
    if (failed(info))
      return failure();
    for (const GroupInfo::Read &read : info->getReads()) {
      Value input = group.getInputs()[read.argument];
      auto found = layouts.find(input);
      if (read.pooled || found == layouts.end() || std::isnan(read.padding) ||
          llvm::any_of(input.getUsers(), llvm::IsaPred<ReshapeOp>) ||
          input.getDefiningOp<ReshapeOp>())
        continue;
      LayoutAttr attr = found->second;
      SmallVector<int64_t> halo(attr.getRank(), 0);
      for (auto [dim, zeros] : llvm::enumerate(info->getReach(read, getTensor(input))))
        halo[dim] = std::max(attr.getHaloOf(dim), zeros);
      if (read.padding != 0.0) {
        // Padding that is not zero cannot be stored with what is: this reader checks its bounds.
        if (ArrayRef<int64_t>(halo) != attr.getHalo() && llvm::any_of(halo, isNotZero))
          noHalo.insert(input);
        continue;
      }
      int64_t split = attr.getBlockedDim();
      if (llvm::any_of(halo, isNotZero) && halo[0] == 0 && (split < 0 || halo[split] == 0))
        found->second = LayoutAttr::get(&getContext(), attr.getOrder(), attr.getBlock(), halo);
    }
    return success();
  }

  int64_t block = 1;
  llvm::DenseSet<Value> plain, noHalo;
};
} // namespace
