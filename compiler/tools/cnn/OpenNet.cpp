// Device, code, buffers, weights: in the order in which mistakes cost least.
#include "compiler/tools/cnn/OpenNet.h"

#include "compiler/tools/cnn/Options.h"

#include <algorithm>

namespace cnn::tool {

/// `refusal`: why the device does not take the net, which is not printed; with nothing in it, what
/// went wrong was printed.
static std::optional<OpenNet> openOn(Program &program, CompileRequest request, OpenDevice device,
                                     Status &refusal) {
  OpenNet net;
  net.chosen = std::move(device);
  request.arch = net.chosen.device->arch();
  std::string why;
  if (net.chosen.isAutomatic)
    request.refusal = &why;
  std::optional<Compilation> compiled = program.compile(request);
  if (!why.empty())
    refusal = Status::failure(why);
  if (!compiled)
    return std::nullopt;
  net.compileSeconds = compiled->seconds;
  net.fromCache = compiled->fromCache;
  Result<std::unique_ptr<Session>> session =
      Session::create(std::move(compiled->net), *net.chosen.device);
  if (session.failed()) {
    refusal = session.status();
    return std::nullopt;
  }
  net.session = std::move(*session);
  return net;
}

std::optional<OpenNet> openNet(Program &program, const CompileRequest &request) {
  Status refusal;
  for (bool retry : {false, true}) {
    Result<OpenDevice> device = retry ? chooseCpu(refusal) : chooseDevice();
    if (device.failed()) {
      fail(device.status());
      return std::nullopt;
    }
    bool mayRetry = !retry && device->isAutomatic;
    refusal = Status();
    std::optional<OpenNet> net = openOn(program, request, std::move(*device), refusal);
    if (net || refusal.isOk())
      return net;
    if (!mayRetry)
      break;
  }
  fail(refusal);
  return std::nullopt;
}

std::string noted(const Safetensors &weights, const char *key) {
  auto found = weights.metadata.find(key);
  return found == weights.metadata.end() ? "" : found->second;
}

std::optional<TrainedNet> chooseNet(Program &program, const Safetensors &weights) {
  TrainedNet trained;
  std::string wanted = noted(weights, "net");
  std::vector<std::string> all = program.nets();
  bool known = std::find(all.begin(), all.end(), wanted) != all.end();
  std::string net = !netName.empty() ? netName.getValue() : known ? wanted : "";
  // The recipe counts where the file names it (a checkpoint does not) and nobody asks for a net.
  std::string recipe = noted(weights, "recipe");
  if (!netName.empty() || !program.hasRecipe(recipe))
    recipe.clear();
  if (program.hasRecipe(recipe, net)) {
    trained.recipe = program.recipe(recipe, net);
    if (!trained.recipe)
      return std::nullopt;
  }
  trained.request.net = trained.recipe ? trained.recipe->net : net;
  trained.request.recipe = trained.recipe ? trained.recipe->name : "";
  trained.request.entries = {"infer"};
  trained.request.batch = 1; // the plan of a program that links `cnnc --mode infer`: the same bits
  return trained;
}

std::optional<OpenNet> openTrainedNet(Program &program, const CompileRequest &request) {
  if (Result<Safetensors> readable = readSafetensors(weightsPath); readable.failed()) {
    fail(readable.status());
    return std::nullopt;
  }
  std::optional<OpenNet> net = openNet(program, request);
  if (!net)
    return std::nullopt;
  const Manifest &manifest = net->session->manifest();
  Result<void *> state = net->session->state();
  if (state.failed()) {
    fail(state.status());
    return std::nullopt;
  }
  Result<WeightMapping> mapping = loadWeights(weightsPath, manifest, *state);
  Status status =
      mapping.failed() ? mapping.status() : checkSameNet(weightsPath, *mapping, manifest);
  if (status.failed()) {
    fail(status);
    return std::nullopt;
  }
  net->weights = std::move(*mapping);
  return net;
}

} // namespace cnn::tool
