//===- GpuLayouts.cpp - How tensors lie on a GPU ---------------------------------------------===//
//
// A product of images and weights goes along the channels of a pixel, and its results are the
// channels of another one. Channels-last, four of them are one access, of products (16 bytes are
// copied to shared memory at a time) as of everything else.
//
// Costs are counted in words of 4 bytes that memory delivers: an access to a word of its own takes
// a sector of 8.
//
//===----------------------------------------------------------------------------------------===//

#include "compiler/schedule/GpuLayouts.h"
#include "compiler/schedule/BatchAnalysis.h"
#include "compiler/schedule/Factor.h"
#include "compiler/schedule/Results.h"
#include "compiler/schedule/Strides.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::cnn;

/// Neighbours of one access; channels in smaller numbers, or in others than multiples, do not gain.
static constexpr int64_t lanes = 4;
/// Words that an access to one of them delivers for nothing where its neighbours are not wanted.
static constexpr int64_t wasted = 7;

namespace {
class ChannelsLast {
public:
  ChannelsLast(func::FuncOp entry, bool always, double precision)
      : entry(entry), always(always), precision(precision), batch(entry),
        extent(getBatchExtent(entry)) {}

  void findImages();
  LogicalResult count();
  LogicalResult setLayouts();
  bool isWorthIt() const { return always ? !images.empty() : saved > spent; }
  std::string getReason() const;

private:
  bool isImage(Value value) const { return images.contains(value); }
  bool hasManyChannels(ArrayRef<int64_t> shape) const;
  Value getWeight(GroupOp group, const GpuScheduleSpace &space) const;
  void setWeight(GroupOp group, Value weight);
  void setGradient(GroupOp group, const GpuScheduleSpace &space);

  func::FuncOp entry;
  bool always;
  double precision;
  BatchAnalysis batch;
  int64_t extent;
  llvm::SetVector<Value> images;
  /// Weights and their copies.
  llvm::MapVector<Value, Value> weights;
  int64_t numGradients = 0;
  double saved = 0, spent = 0;
};
} // namespace

/// Lets a tensor [..., N, C, H, W] lie channels-last.
static void setLast(Value value) {
  RankedTensorType type = getTensor(value);
  LayoutAttr layout =
      getChannelsLast(type.getContext(), type.getRank(), /*channels=*/type.getRank() - 3);
  value.setType(RankedTensorType::get(type.getShape(), type.getElementType(), layout));
}

static bool isLast(Value value) { return !getLayoutOf(getTensor(value)).isPlain(); }

/// Whether a tensor [..., N, C, H, W] lies differently channels-last, and gains by it.
bool ChannelsLast::hasManyChannels(ArrayRef<int64_t> shape) const {
  int64_t channels = shape[shape.size() - 3];
  return shape[shape.size() - 2] * shape.back() > 1 && channels > 1 &&
         (always || channels % lanes == 0);
}

/// Whether groups alone give and take the value: others ask for row-major order.
static bool staysInside(Value value) {
  return value.getDefiningOp<GroupOp>() && llvm::all_of(value.getUsers(), llvm::IsaPred<GroupOp>);
}

void ChannelsLast::findImages() {
  for (auto group : entry.getOps<GroupOp>())
    for (Value result : group.getResults()) {
      RankedTensorType type = getTensor(result);
      if (type.getRank() == 4 && type.getDimSize(0) == extent && batch.isBatched(result) &&
          hasManyChannels(type.getShape()) && staysInside(result))
        images.insert(result);
    }
}

/// The inputs of the group that the operands of its anchor are, or are computed from, element by
/// element.
static SmallVector<Value> getFactors(GroupOp group, const GroupInfo &info) {
  SmallVector<Value> factors;
  NestOpInterface anchor = info.anchor;
  for (Value operand : anchor->getOperands())
    for (const Factor::Input &input : Factor::get(operand).inputs)
      if (input.isLarge)
        factors.push_back(group.getInputs()[input.argument.getArgNumber()]);
  return factors;
}

/// The weight that the group sums products of and images, where it should lie as these; else null.
Value ChannelsLast::getWeight(GroupOp group, const GpuScheduleSpace &space) const {
  Value weight;
  bool ofImages = false;
  for (Value factor : getFactors(group, space.getInfo())) {
    RankedTensorType type = getTensor(factor);
    ofImages |= isImage(factor);
    if (type.getRank() == 4 && !batch.isBatched(factor) && hasManyChannels(type.getShape()))
      weight = factor;
  }
  return ofImages && space.getNumReduced() > 1 ? weight : Value();
}

LogicalResult ChannelsLast::count() {
  llvm::SetVector<Value> copied;
  for (auto group : entry.getOps<GroupOp>()) {
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(group);
    if (failed(space))
      return failure();
    if (Value weight = getWeight(group, *space); weight && copied.insert(weight))
      spent += double(wasted) * getTensor(weight).getNumElements();
    std::string why;
    GpuSchedule schedule = space->choose(why, precision);
    if (schedule.algorithm == "contraction") {
      const Contraction &product = *space->getContraction();
      // Each block brings its rows and columns of the whole depth.
      double steps = double(space->getNumBlocks(schedule)) * product.depth;
      NestOpInterface anchor = space->getInfo().anchor;
      for (auto [operand, tile] : {std::pair(product.rowOperand, schedule.tile[0]),
                                   std::pair(product.columnOperand, schedule.tile[1])})
        if (llvm::any_of(
                Factor::get(anchor->getOperand(operand)).inputs, [&](const Factor::Input &input) {
                  return input.isLarge && isImage(group.getInputs()[input.argument.getArgNumber()]);
                }))
          saved += steps * double(tile) * (lanes - 1) / lanes;
      continue;
    }
    // Between an image in the one order and one in the other, one of the two is accessed apart.
    int64_t here = std::numeric_limits<int64_t>::max(), there = here;
    for (ValueRange values : {ValueRange(group.getInputs()), ValueRange(group.getResults())})
      for (Value value : values) {
        RankedTensorType type = getTensor(value);
        if (type.getRank() == 4 && batch.isBatched(value) && hasManyChannels(type.getShape())) {
          int64_t &smallest = isImage(value) ? here : there;
          smallest = std::min(smallest, type.getNumElements());
        }
      }
    if (std::max(here, there) != std::numeric_limits<int64_t>::max())
      spent += double(wasted) * std::min(here, there);
  }
  return success();
}

/// Lets the group read a copy of `weight` that lies channels-last.
void ChannelsLast::setWeight(GroupOp group, Value weight) {
  Value &copy = weights[weight];
  if (!copy) {
    auto read = weight.getDefiningOp<ReadOp>();
    copy = makeCopy(weight, (read ? read.getParam() : group.getName()).str() + ".channels_last");
    setLast(copy);
  }
  for (OpOperand &operand : group->getOpOperands())
    if (operand.get() == weight)
      operand.set(copy);
}

/// Lets what the group gives lie channels-last where it is a gradient of a weight: a product of two
/// images, or made of gradients that lie so.
void ChannelsLast::setGradient(GroupOp group, const GpuScheduleSpace &space) {
  SmallVector<Value> factors = getFactors(group, space.getInfo());
  bool isProduct = space.getContraction() && factors.size() >= 2 &&
                   llvm::all_of(factors, [&](Value factor) { return isImage(factor); });
  auto isWeight = [&](Value value) {
    return getTensor(value).getRank() == 4 && !batch.isBatched(value) &&
           hasManyChannels(getTensor(value).getShape());
  };
  bool follows = false;
  for (Value input : group.getInputs())
    if (isWeight(input)) {
      follows = isLast(input);
      if (!follows)
        break;
    }
  if (isProduct || follows)
    for (Value result : group.getResults())
      if (isWeight(result) && staysInside(result)) {
        setLast(result);
        ++numGradients;
      }
}

LogicalResult ChannelsLast::setLayouts() {
  for (Value image : images)
    setLast(image);
  for (auto group : llvm::to_vector(entry.getOps<GroupOp>())) {
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(group);
    if (failed(space))
      return failure();
    if (Value weight = getWeight(group, *space))
      setWeight(group, weight);
    setGradient(group, *space);
  }
  for (auto group : entry.getOps<GroupOp>())
    group.adoptTypes();
  return success();
}

std::string ChannelsLast::getReason() const {
  if (images.empty())
    return "no images between groups, of several pixels and channels in fours";
  std::string sums = llvm::formatv("{0} million words fewer for products in accesses of 16 bytes, "
                                   "{1} more where the order changes",
                                   int64_t(saved / 1e6), int64_t(spent / 1e6));
  if (always)
    sums = "asked for";
  else if (!isWorthIt())
    return "row-major: channels-last would take " + sums;
  return llvm::formatv("channels-last: {0}; images: {1}, weights: {2}, gradients of weights: {3}",
                       sums, images.size(), weights.size(), numGradients);
}

/// Whether the group multiplies two images that lie channels-last: weights that do are copies.
static bool isProductOfImages(GroupOp group, const GpuScheduleSpace &space) {
  SmallVector<Value> factors = getFactors(group, space.getInfo());
  return space.getContraction() && factors.size() >= 2 && llvm::all_of(factors, [](Value factor) {
           auto maker = factor.getDefiningOp<GroupOp>();
           return maker && isLast(factor) && getTensor(factor).getRank() == 4 &&
                  maker.getBody().front().getOps<ConvertLayoutOp>().empty();
         });
}

/// Whether `parts` are added up to something of their shape that lies channels-last.
static bool becomesLast(Value parts) {
  ArrayRef<int64_t> shape = getTensor(parts).getShape().drop_front();
  return llvm::any_of(parts.getUsers(), [&](Operation *user) {
    return llvm::any_of(user->getResults(), [&](Value result) {
      return getTensor(result).getShape() == shape && isLast(result);
    });
  });
}

LogicalResult mlir::cnn::followGpuLayouts(func::FuncOp entry) {
  for (auto group : entry.getOps<GroupOp>()) {
    FailureOr<GpuScheduleSpace> space = GpuScheduleSpace::get(group);
    if (failed(space))
      return failure();
    for (Value result : group.getResults())
      if (ArrayRef<int64_t> shape = getTensor(result).getShape();
          shape.size() == 5 && shape[2] > 1 && shape[3] * shape[4] > 1 && staysInside(result) &&
          (becomesLast(result) || isProductOfImages(group, *space)))
        setLast(result);
  }
  for (auto group : entry.getOps<GroupOp>())
    group.adoptTypes();
  return success();
}

LogicalResult mlir::cnn::chooseGpuLayouts(func::FuncOp entry, StringRef asked, double precision) {
  std::string reason = "row-major: asked for";
  if (asked != "plain") {
    ChannelsLast choice(entry, asked == "channels", precision);
    choice.findImages();
    if (failed(choice.count()) || (choice.isWorthIt() && failed(choice.setLayouts())))
      return failure();
    reason = choice.getReason();
  }
  entry->setAttr("cnn.layout_reason", StringAttr::get(entry.getContext(), reason));
  return success();
}
