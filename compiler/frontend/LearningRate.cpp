// The schedules' formulas; sources: PyTorch's documentation of torch.optim.lr_scheduler, and Smith
// and Topin, "Super-convergence" (2019), for one_cycle.
#include "compiler/frontend/LearningRate.h"

#include "dialect/Optimizer.h"
#include "llvm/ADT/Twine.h"

#include <cmath>
#include <numbers>

using namespace cnn;
using mlir::cnn::ArgKind;
using mlir::cnn::LayerArg;
using mlir::cnn::LayerArgs;
using mlir::cnn::LayerProblem;

namespace {

using Problems = llvm::SmallVectorImpl<LayerProblem>;

void report(Problems &problems, llvm::StringRef arg, const llvm::Twine &message) {
  LayerProblem &problem = problems.emplace_back();
  problem.arg = arg;
  problem.message = ("'" + arg + "' " + message).str();
}

void checkLeast(const LayerArgs &args, llvm::StringRef name, int64_t least, Problems &problems) {
  if (int64_t value = args.getInt(name); value < least)
    report(problems, name, "is at least " + llvm::Twine(least) + ", not " + llvm::Twine(value));
}

bool isPositive(double value) { return value > 0; }
bool isNotNegative(double value) { return value >= 0; }

/// Between `from` at 0 and `to` at 1, along half a cosine.
double anneal(double from, double to, double share) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

/// A schedule in units of epochs or steps behind a linear warm-up. `rateAt` gets the units since
/// the warm-up and how many there are in all.
ScheduleDef makeUnits(llvm::StringRef name, llvm::StringRef doc, llvm::StringRef example,
                      std::vector<LayerArg> args,
                      std::function<void(const LayerArgs &, Problems &)> check,
                      std::function<double(const LayerArgs &, double, double, double)> rateAt) {
  ScheduleDef def;
  def.name = name;
  def.doc = doc;
  def.example = example;
  def.args.assign(args.begin(), args.end());
  def.args.push_back({"warmup", ArgKind::Int, int64_t(0), "epochs (or steps) of linear warm-up"});
  def.args.push_back({"per_step", ArgKind::Bool, false, "count steps instead of epochs"});
  def.check = [check](const LayerArgs &given, Problems &problems) {
    if (check)
      check(given, problems);
    checkLeast(given, "warmup", 0, problems);
  };
  def.rateAt = [rateAt](const LayerArgs &given, double rate, StepPosition at) {
    bool perStep = given.getBool("per_step");
    int64_t unit = perStep ? at.step : at.step / at.stepsPerEpoch;
    int64_t units = perStep ? at.epochs * at.stepsPerEpoch : at.epochs;
    int64_t warmup = given.getInt("warmup");
    if (unit < warmup)
      return rate * double(unit + 1) / double(warmup + 1);
    return rateAt(given, rate, double(unit - warmup), double(units - warmup));
  };
  return def;
}

ScheduleDef makeConstant() {
  return makeUnits("constant", "the same rate throughout", "constant", {}, nullptr,
                   [](const LayerArgs &, double rate, double, double) { return rate; });
}

ScheduleDef makeStep() {
  return makeUnits(
      "step", "times gamma after every `size` epochs, as StepLR", "step(size = 30)",
      {{"size", ArgKind::Int, std::nullopt, "epochs of one rate"},
       {"gamma", ArgKind::Float, 0.1, "factor from one rate to the next"}},
      [](const LayerArgs &args, Problems &problems) { checkLeast(args, "size", 1, problems); },
      [](const LayerArgs &args, double rate, double unit, double) {
        return rate * std::pow(args.getFloat("gamma"),
                               std::floor(unit / static_cast<double>(args.getInt("size"))));
      });
}

ScheduleDef makeMilestones() {
  return makeUnits(
      "milestones", "times gamma at each of the epochs `at`, as MultiStepLR",
      "milestones(at = [30, 60])",
      {{"at", ArgKind::Ints, std::nullopt, "epochs at which the rate changes"},
       {"gamma", ArgKind::Float, 0.1, "factor from one rate to the next"}},
      [](const LayerArgs &args, Problems &problems) {
        for (int64_t unit : args.getList("at"))
          if (unit < 0)
            report(problems, "at", "has numbers of at least 0, not " + llvm::Twine(unit));
      },
      [](const LayerArgs &args, double rate, double unit, double) {
        int64_t passed = 0;
        for (int64_t milestone : args.getList("at"))
          passed += static_cast<double>(milestone) <= unit;
        return rate * std::pow(args.getFloat("gamma"), static_cast<double>(passed));
      });
}

ScheduleDef makeCosine() {
  return makeUnits(
      "cosine", "down to `min` along half a cosine, as CosineAnnealingLR", "cosine",
      {{"min", ArgKind::Float, 0.0, "the rate at the end"},
       {"length", ArgKind::Int, std::nullopt, "epochs to the end (default: all)", true}},
      [](const LayerArgs &args, Problems &problems) {
        mlir::cnn::checkRange(args, "min", isNotNegative, "at least 0", problems);
        if (args.has("length"))
          checkLeast(args, "length", 1, problems);
      },
      [](const LayerArgs &args, double rate, double unit, double units) {
        double length = args.has("length") ? static_cast<double>(args.getInt("length")) : units;
        return anneal(rate, args.getFloat("min"), length > 0 ? unit / length : 0);
      });
}

ScheduleDef makeOneCycle() {
  ScheduleDef def;
  def.name = "one_cycle";
  def.example = "one_cycle";
  def.doc = "up to `max` and down again, step by step, as OneCycleLR without cycle_momentum";
  def.args = {
      {"max", ArgKind::Float, std::nullopt, "the largest rate (default: the optimizer's)", true},
      {"pct_start", ArgKind::Float, 0.3, "share of the steps on the way up"},
      {"div", ArgKind::Float, 25.0, "the first rate is max / div"},
      {"final_div", ArgKind::Float, 1e4, "the last rate is the first one / final_div"},
      {"linear", ArgKind::Bool, false, "along straight lines instead of cosines"}};
  def.check = [](const LayerArgs &args, Problems &problems) {
    for (llvm::StringRef name : {"max", "div", "final_div"})
      if (args.has(name))
        mlir::cnn::checkRange(args, name, isPositive, "positive", problems);
    mlir::cnn::checkRange(
        args, "pct_start", [](double share) { return share >= 0 && share <= 1; }, "between 0 and 1",
        problems);
  };
  def.rateAt = [](const LayerArgs &args, double rate, StepPosition at) {
    double most = args.has("max") ? args.getFloat("max") : rate;
    double first = most / args.getFloat("div"), last = first / args.getFloat("final_div");
    double steps = static_cast<double>(at.epochs) * static_cast<double>(at.stepsPerEpoch);
    double step = static_cast<double>(at.step), peak = args.getFloat("pct_start") * steps - 1;
    bool up = step <= peak;
    double from = up ? first : most, to = up ? most : last;
    double begin = up ? 0 : peak, length = up ? peak : steps - 1 - peak;
    double share = length > 0 ? (step - begin) / length : 1;
    return args.getBool("linear") ? from + (to - from) * share : anneal(from, to, share);
  };
  return def;
}

} // namespace

llvm::ArrayRef<ScheduleDef> cnn::getSchedules() {
  static const std::vector<ScheduleDef> schedules = {makeConstant(), makeStep(), makeMilestones(),
                                                     makeCosine(), makeOneCycle()};
  return schedules;
}
