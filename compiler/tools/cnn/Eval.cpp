// cnn eval FILE [RECIPE] --weights W: the test images of the recipe's data through a trained net.
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/OpenNet.h"
#include "compiler/tools/cnn/Options.h"
#include "runtime/train/Evaluator.h"

#include <cstdio>

namespace cnn::tool {

int runEval() {
  std::unique_ptr<Program> program = Program::load(file);
  if (!program)
    return exitFailure;
  std::optional<RecipeInfo> found = program->recipe(recipeName);
  if (!found)
    return exitFailure;
  const RecipeInfo &recipe = *found;
  Result<Dataset> data = openData(recipe, /*testOnly=*/true);
  if (data.failed())
    return fail(data.status());
  std::optional<NetShape> shape = program->shape(recipe);
  if (!shape)
    return exitFailure;
  if (Status status = checkFits(*shape, data->test, data->classNames.size(), data->name);
      status.failed())
    return fail(status);

  CompileRequest request;
  request.net = recipe.net;
  request.recipe = recipe.name;
  request.entries = {"eval"};
  request.batch = recipe.batch;
  std::optional<OpenNet> net = openTrainedNet(*program, request);
  if (!net)
    return exitFailure;
  Result<Evaluation> result = evaluate(*net->session, data->test, data->classNames);
  if (result.failed())
    return fail(result.status());
  if (json) {
    Json line = {{"net", recipe.net},
                 {"recipe", recipe.name},
                 {"weights", weightsPath.getValue()},
                 {"data", data->name},
                 {"split", "test"}};
    line.update(evaluationJson(*result));
    std::printf("%s\n", jsonText(line).c_str());
  } else {
    std::printf("%s with %s on the test images of %s%s\n%s", recipe.net.c_str(),
                weightsPath.c_str(), data->name.c_str(),
                net->weights.byPosition ? " (tensors mapped by position)" : "",
                evaluationText(*result).c_str());
  }
  return exitSuccess;
}

} // namespace cnn::tool
