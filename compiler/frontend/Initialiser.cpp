// The formulas are those of torch.nn.init (Glorot and Bengio 2010, He et al. 2015). Called without
// arguments, a kind is one that the runtime draws from the shape; another gain or fan is given to
// it as the numbers of a uniform or normal distribution.
#include "compiler/frontend/Initialiser.h"

#include "dialect/Optimizer.h"

#include <cmath>

using namespace cnn;
using mlir::cnn::ArgKind;
using mlir::cnn::LayerArgs;
using mlir::cnn::LayerProblem;

namespace {

using Problems = llvm::SmallVectorImpl<LayerProblem>;

bool isPositive(double value) { return value > 0; }

/// The gain of a kind of activation, as torch.nn.init.calculate_gain has it; 0 where there is none.
double getGain(llvm::StringRef nonlinearity, double slope) {
  if (nonlinearity == "linear" || nonlinearity == "sigmoid")
    return 1;
  if (nonlinearity == "tanh")
    return 5.0 / 3;
  if (nonlinearity == "relu")
    return std::sqrt(2.0);
  if (nonlinearity == "leaky_relu")
    return std::sqrt(2 / (1 + slope * slope));
  if (nonlinearity == "selu")
    return 0.75;
  return 0;
}

/// Values of this standard deviation.
ParamInit spread(bool uniform, double deviation) {
  double bound = std::sqrt(3.0) * deviation;
  return uniform ? ParamInit{"uniform", -bound, bound} : ParamInit{"normal", 0, deviation};
}

InitialiserDef makeXavier(llvm::StringRef name, bool uniform) {
  InitialiserDef def;
  def.name = def.example = name;
  def.args = {{"gain", ArgKind::Float, 1.0, "factor of all values"}};
  def.check = [](const LayerArgs &args, Problems &problems) {
    mlir::cnn::checkRange(args, "gain", isPositive, "positive", problems);
  };
  def.start = [name, uniform](const LayerArgs &args, int64_t fanIn, int64_t fanOut) {
    double gain = args.getFloat("gain");
    if (gain == 1)
      return ParamInit{name.str()};
    return spread(uniform, gain * std::sqrt(2.0 / (double(fanIn) + double(fanOut))));
  };
  return def;
}

InitialiserDef makeKaiming(llvm::StringRef name, bool uniform) {
  InitialiserDef def;
  def.name = def.example = name;
  def.args = {{"mode", ArgKind::String, std::string("fan_in"), "\"fan_in\" or \"fan_out\""},
              {"nonlinearity", ArgKind::String, std::string("relu"), "what follows the layer"},
              {"slope", ArgKind::Float, 0.0, "that of a leaky_relu"}};
  def.check = [](const LayerArgs &args, Problems &problems) {
    if (const std::string &mode = args.getString("mode"); mode != "fan_in" && mode != "fan_out") {
      LayerProblem &problem = problems.emplace_back();
      problem.arg = "mode";
      problem.message = "'mode' is \"fan_in\" or \"fan_out\", not \"" + mode + "\"";
    }
    if (const std::string &follows = args.getString("nonlinearity"); getGain(follows, 0) == 0) {
      LayerProblem &problem = problems.emplace_back();
      problem.arg = "nonlinearity";
      problem.message = "'nonlinearity' cannot be \"" + follows + "\"";
      problem.hint =
          "it is \"relu\", \"leaky_relu\", \"tanh\", \"sigmoid\", \"selu\" or \"linear\"";
    }
  };
  def.start = [name, uniform](const LayerArgs &args, int64_t fanIn, int64_t fanOut) {
    bool out = args.getString("mode") == "fan_out";
    if (!out && args.getString("nonlinearity") == "relu")
      return ParamInit{name.str()};
    double gain = getGain(args.getString("nonlinearity"), args.getFloat("slope"));
    return spread(uniform, gain / std::sqrt(double(out ? fanOut : fanIn)));
  };
  return def;
}

InitialiserDef makeDefault() {
  InitialiserDef def;
  def.name = def.example = "pytorch_default";
  def.check = [](const LayerArgs &, Problems &) {};
  def.start = [](const LayerArgs &, int64_t, int64_t) { return ParamInit{"pytorch_default"}; };
  return def;
}

InitialiserDef makeConstant() {
  InitialiserDef def = makeDefault();
  def.name = "constant";
  def.example = "constant(0.01)";
  def.args = {{"value", ArgKind::Float, std::nullopt, "of every weight"}};
  def.start = [](const LayerArgs &args, int64_t, int64_t) {
    return ParamInit{"constant", args.getFloat("value")};
  };
  return def;
}

} // namespace

llvm::ArrayRef<InitialiserDef> cnn::getInitialisers() {
  static const std::vector<InitialiserDef> all = {
      makeDefault(),
      makeXavier("xavier_uniform", true),
      makeXavier("xavier_normal", false),
      makeKaiming("kaiming_uniform", true),
      makeKaiming("kaiming_normal", false),
      makeConstant(),
  };
  return all;
}
