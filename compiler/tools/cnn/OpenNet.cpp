// Threads, code, buffers, weights: in the order in which mistakes cost least.
#include "compiler/tools/cnn/OpenNet.h"

#include "compiler/tools/cnn/Commands.h"
#include "compiler/tools/cnn/Options.h"

namespace cnn::tool {

std::optional<OpenNet> openNet(Program &program, const CompileRequest &request) {
  OpenNet net;
  Result<std::unique_ptr<ThreadPool>> pool = makePool();
  if (pool.failed()) {
    fail(pool.status());
    return std::nullopt;
  }
  net.pool = std::move(*pool);
  std::optional<Compilation> compiled = program.compile(request);
  if (!compiled)
    return std::nullopt;
  net.compileSeconds = compiled->seconds;
  net.fromCache = compiled->fromCache;
  Result<std::unique_ptr<Session>> session = Session::create(std::move(compiled->net), *net.pool);
  if (session.failed()) {
    fail(session.status());
    return std::nullopt;
  }
  net.session = std::move(*session);
  return net;
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
  Result<WeightMapping> mapping = loadWeights(weightsPath, manifest, net->session->state());
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
