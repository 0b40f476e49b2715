// cnn predict FILE --weights W INPUT...: single images through a trained net.
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/OpenNet.h"
#include "compiler/tools/cnn/Options.h"
#include "runtime/data/Safetensors.h"
#include "runtime/train/Predictor.h"
#include "runtime/train/Text.h"

#include <algorithm>
#include <cstdio>

namespace cnn::tool {

/// From the weight file, else from the recipe's data; without either, classes go by number.
static std::vector<std::string> classNames(const Safetensors &weights,
                                           const std::optional<RecipeInfo> &recipe) {
  std::vector<std::string> names;
  if (std::string text = noted(weights, "classes"); !text.empty())
    if (Result<Json> list = parseJson(text, weightsPath); list.isOk() && list->is_array())
      for (const Json &name : *list)
        if (name.is_string())
          names.push_back(name.get<std::string>());
  if (names.empty() && recipe)
    names = recipe->classes;
  return names;
}

int runPredict() {
  std::unique_ptr<Program> program = Program::load(file);
  if (!program)
    return exitFailure;
  Result<Safetensors> weights = readSafetensors(weightsPath);
  if (weights.failed())
    return fail(weights.status());
  std::optional<TrainedNet> trained = chooseNet(*program, *weights);
  if (!trained)
    return exitFailure;
  const std::optional<RecipeInfo> &recipe = trained->recipe;
  std::optional<NetShape> net = program->shape(trained->request);
  if (!net)
    return exitFailure;
  if (net->image.size() != 3)
    return fail(formatText("net '%s' takes tensors of shape %s, not images", net->net.c_str(),
                           shapeText(net->image).c_str()));
  ImageShape shape = {net->image[0], net->image[1], net->image[2]};
  std::vector<PredictInput> images; // read before the net is compiled, which takes longer
  for (const std::string &argument : inputs) {
    Result<std::vector<PredictInput>> read =
        readPredictInputs(argument, shape, dataPlace(), recipe ? &recipe->data : nullptr);
    if (read.failed())
      return fail(read.status());
    std::move(read->begin(), read->end(), std::back_inserter(images));
  }
  std::optional<OpenNet> opened = openTrainedNet(*program, trained->request);
  if (!opened)
    return exitFailure;
  Result<std::vector<Prediction>> results = predict(*opened->session, images);
  if (results.failed())
    return fail(results.status());
  std::vector<std::string> names = classNames(*weights, recipe);
  for (size_t i = 0; i < images.size(); ++i)
    if (json)
      std::printf("%s\n", jsonText(predictionJson(images[i], (*results)[i], names)).c_str());
    else
      std::printf("%s", predictionText(images[i], (*results)[i], names, int(top)).c_str());
  return exitSuccess;
}

} // namespace cnn::tool
