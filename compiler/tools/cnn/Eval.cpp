// cnn eval FILE [RECIPE] --weights W: the test images of the recipe's data through a trained net.
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/OpenNet.h"
#include "compiler/tools/cnn/Options.h"
#include "runtime/train/Evaluator.h"
#include "runtime/train/Text.h"

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
  std::optional<NetShape> shape = program->shape(recipe);
  if (!shape)
    return exitFailure;
  Result<Dataset> data = openData(recipe, /*testOnly=*/true);
  if (data.failed())
    return fail(data.status());
  // A set without test images is judged by what was set aside.
  bool tests = data->test.size() > 0, validates = data->validation.size() > 0;
  if (!tests && !validates)
    return fail(Status::failure("data set '" + data->name + "' has no test images")
                    .withHint("set some of its training images aside: -> split(validation = 0.1)"));
  const SampleSet &samples = tests ? data->test : data->validation;
  const char *split = tests ? "test" : "validation";
  if (Status status = checkFits(*shape, samples, data->classNames.size(), data->name);
      status.failed())
    return fail(status);

  CompileRequest request;
  request.net = recipe.net;
  request.recipe = recipe.name;
  request.entries = {"eval"};
  request.batch = std::min<int64_t>(recipe.batch, std::max<uint64_t>(1, samples.size()));
  std::optional<OpenNet> net = openTrainedNet(*program, request);
  if (!net)
    return exitFailure;
  Result<Evaluation> result = evaluate(*net->session, samples, data->classNames);
  if (result.failed())
    return fail(result.status());
  std::optional<Evaluation> validation;
  if (tests && validates) {
    Result<Evaluation> other = evaluate(*net->session, data->validation, data->classNames);
    if (other.failed())
      return fail(other.status());
    validation = std::move(*other);
  }
  if (json) {
    Json line = {{"net", recipe.net},
                 {"recipe", recipe.name},
                 {"weights", weightsPath.getValue()},
                 {"data", data->name},
                 {"split", split}};
    if (!data->pipeline.stages.empty())
      line["pipeline"] = dataText(data->pipeline);
    line.update(evaluationJson(*result));
    if (validation)
      line["validation"] = {{"images", validation->images},
                            {"loss", validation->loss},
                            {"accuracy", validation->accuracy()}};
    std::printf("%s\n", jsonText(line).c_str());
  } else {
    std::printf("%s with %s on the %s images of %s%s\n", recipe.net.c_str(), weightsPath.c_str(),
                split, data->name.c_str(),
                net->weights.byPosition ? " (tensors mapped by position)" : "");
    printPipeline(*data);
    if (validation)
      std::printf("validation: %s images, loss %.4f, accuracy %.2f%%\n",
                  groupDigits(validation->images).c_str(), validation->loss,
                  100 * validation->accuracy());
    std::printf("%s", evaluationText(*result).c_str());
  }
  return exitSuccess;
}

} // namespace cnn::tool
