// cnn eval FILE [RECIPE] --weights W: the test images of the recipe's data through a trained net.
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"
#include "compiler/tools/cnn/Program.h"
#include "runtime/data/Weights.h"
#include "runtime/train/Evaluator.h"
#include "runtime/train/Interrupt.h"

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
  Result<std::unique_ptr<ThreadPool>> pool = makePool();
  if (pool.failed())
    return fail(pool.status());

  CompileRequest request;
  request.net = recipe.net;
  request.recipe = recipe.name;
  request.entries = {"eval"};
  request.batch = recipe.batch;
  std::optional<Compilation> compiled = program->compile(request);
  if (!compiled)
    return exitFailure;
  Result<std::unique_ptr<Session>> session = Session::create(std::move(compiled->net), **pool);
  if (session.failed())
    return fail(session.status());
  const Manifest &manifest = (*session)->manifest();
  Result<WeightMapping> mapping = loadWeights(weightsPath, manifest, (*session)->state());
  if (mapping.failed())
    return fail(mapping.status());
  if (Status status = checkSameNet(weightsPath, *mapping, manifest); status.failed())
    return fail(status);
  if (const EntryPoint *entry = manifest.findEntry("eval"))
    if (Status status =
            checkFits(manifest, *entry, data->test, data->classNames.size(), data->name);
        status.failed())
      return fail(status);

  Result<Evaluation> result = evaluate(**session, data->test, data->classNames);
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
                mapping->byPosition ? " (tensors mapped by position)" : "",
                evaluationText(*result).c_str());
  }
  return exitSuccess;
}

} // namespace cnn::tool
