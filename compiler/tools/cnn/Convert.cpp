// cnn convert FILE --weights W -o OUT: a weight file of a net, checked, under the net's own names
// or numbered as the nn.Sequential that PyTorch has for a chain of layers.
#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/OpenNet.h"
#include "compiler/tools/cnn/Options.h"

#include "llvm/Support/FileSystem.h"

#include <cstdio>

namespace cnn::tool {

/// For each layer its number in the chain; fails where the net is none.
static Result<std::map<std::string, std::string>> numberLayers(const NetSummary &net) {
  std::map<std::string, std::string> numbers;
  for (size_t i = 0; i < net.lines.size(); ++i) {
    const std::string &name = net.lines[i].name;
    if (!net.isChain || name.find('.') != std::string::npos)
      return Status::failure("net '" + net.net + "' is no chain of layers, which have numbers")
          .withHint("without --numbered, the layers have the names of the file, as in '" + name +
                    "'");
    numbers[name] = std::to_string(i);
  }
  return numbers;
}

int runConvert() {
  std::unique_ptr<Program> program = Program::load(file);
  if (!program)
    return exitFailure;
  Result<Safetensors> weights = readSafetensors(weightsPath);
  if (weights.failed())
    return fail(weights.status());
  for (const std::string &read : {file.getValue(), weightsPath.getValue()})
    if (llvm::sys::fs::equivalent(output.getValue(), read))
      return fail(output + ": the weights would overwrite what they are made of");
  std::optional<TrainedNet> trained = chooseNet(*program, *weights);
  if (!trained)
    return exitFailure;
  std::map<std::string, std::string> numbers;
  if (numbered) {
    std::optional<NetSummary> net = program->summarize(trained->request.net, /*depth=*/0);
    if (!net)
      return exitFailure;
    Result<std::map<std::string, std::string>> found = numberLayers(*net);
    if (found.failed())
      return fail(found.status());
    numbers = std::move(*found);
  }
  std::optional<OpenNet> opened = openTrainedNet(*program, trained->request);
  if (!opened)
    return exitFailure;
  const Manifest &manifest = opened->session->manifest();
  std::map<std::string, std::string> metadata = {{"net", manifest.net}};
  for (const char *key : {"classes", "data", "epochs", "recipe", "seed"})
    if (auto noted = weights->metadata.find(key); noted != weights->metadata.end())
      metadata.insert(*noted);
  Result<void *> state = opened->session->state();
  if (state.failed())
    return fail(state.status());
  if (Status status =
          saveWeights(output, manifest, *state, metadata, /*keepBackup=*/false, numbers);
      status.failed())
    return fail(status);
  std::printf("%s: %zu tensors of net '%s'%s\n", output.c_str(), opened->weights.names.size(),
              manifest.net.c_str(), numbered ? ", numbered as by nn.Sequential" : "");
  return exitSuccess;
}

} // namespace cnn::tool
