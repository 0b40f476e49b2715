// Checkpoint <-> state and CheckpointInfo. Numbers are stored as text that reads back to the same
// bits.
#include "runtime/data/Checkpoint.h"

#include "runtime/data/Tensors.h"

#include <charconv>

namespace cnn {

namespace {

constexpr const char *version = "1";
constexpr const char *extraPrefix = "extra.";

/// Reads numbers out of the metadata; the first mistake stays in `status`.
class MetadataReader {
public:
  MetadataReader(const std::string &path, const std::map<std::string, std::string> &metadata,
                 Status &status)
      : path(path), metadata(metadata), status(status) {}

  const std::string &text(const char *key) {
    static const std::string none;
    auto found = metadata.find(key);
    if (found == metadata.end()) {
      fail(std::string("the checkpoint lacks '") + key + "'");
      return none;
    }
    return found->second;
  }

  template <typename Number> void number(const char *key, Number &value, Number least) {
    const std::string &digits = text(key);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    // The comparison refuses NaN as well.
    if (error != std::errc() || end != digits.data() + digits.size() || !(value >= least))
      fail(std::string("the checkpoint's '") + key + "' is " + quotedText(digits));
  }

private:
  void fail(const std::string &message) {
    if (status.isOk())
      status = Status::failure(path, message);
  }

  const std::string &path;
  const std::map<std::string, std::string> &metadata;
  Status &status;
};

Result<CheckpointInfo> readInfo(const std::string &path,
                                const std::map<std::string, std::string> &metadata) {
  auto mark = metadata.find(checkpointMark);
  if (mark == metadata.end())
    return Status::failure(path, "no checkpoint: it has weights only")
        .withHint("start from it with --init");
  if (mark->second != version)
    return Status::failure(path, "the checkpoint has version " + quotedText(mark->second) +
                                     ", expected " + version);
  CheckpointInfo info;
  Status status;
  MetadataReader reader(path, metadata, status);
  info.net = reader.text("net");
  reader.number<uint64_t>("epoch", info.epoch, 0);
  reader.number<int64_t>("step_in_epoch", info.stepInEpoch, 0);
  reader.number<int64_t>("global_step", info.globalStep, 0);
  reader.number<uint64_t>("seed", info.seed, 0);
  info.recipe = reader.text("recipe");
  reader.number<double>("loss_sum", info.lossSum, -1e300);
  reader.number<int64_t>("correct", info.correct, 0);
  reader.number<int64_t>("rows", info.rows, 0);
  reader.number<uint64_t>("log_bytes", info.logBytes, 0);
  for (const auto &[key, value] : metadata)
    if (key.starts_with(extraPrefix))
      info.extra[key.substr(std::string_view(extraPrefix).size())] = value;
  if (status.failed())
    return status;
  return info;
}

} // namespace

Status saveCheckpoint(const std::string &path, const Manifest &manifest, const void *state,
                      const CheckpointInfo &info) {
  std::map<std::string, std::string> metadata = {
      {checkpointMark, version},
      {"net", info.net},
      {"epoch", std::to_string(info.epoch)},
      {"step_in_epoch", std::to_string(info.stepInEpoch)},
      {"global_step", std::to_string(info.globalStep)},
      {"seed", std::to_string(info.seed)},
      {"recipe", info.recipe},
      {"loss_sum", formatText("%.17g", info.lossSum)}, // 17 digits give a double back exactly
      {"correct", std::to_string(info.correct)},
      {"rows", std::to_string(info.rows)},
      {"log_bytes", std::to_string(info.logBytes)}};
  for (const auto &[key, value] : info.extra)
    metadata[extraPrefix + key] = value;
  return writeSafetensors(path, tensorsOf(tensorTargets(manifest, /*withOptimizer=*/true), state),
                          metadata);
}

Result<CheckpointInfo> loadCheckpoint(const std::string &path, const Manifest &manifest,
                                      void *state) {
  Result<Safetensors> file = readSafetensors(path);
  if (file.failed())
    return file.status();
  Result<CheckpointInfo> info = readInfo(path, file->metadata);
  if (info.failed())
    return info.status();
  if (info->net != manifest.net)
    return Status::failure(path, "the checkpoint is of the net " + quotedText(info->net) +
                                     ", not of '" + manifest.net + "'");
  std::vector<const NamedTensor *> candidates;
  for (const NamedTensor &tensor : file->tensors)
    candidates.push_back(&tensor);
  std::vector<TensorTarget> targets = tensorTargets(manifest, /*withOptimizer=*/true);
  Result<std::vector<const NamedTensor *>> sources =
      matchByName(path, manifest.net, targets, candidates);
  if (sources.failed())
    return sources.status();
  for (size_t i = 0; i < targets.size(); ++i) {
    const NamedTensor &source = *(*sources)[i];
    ElementType wanted = targets[i].tensor->element;
    if (source.element != wanted)
      return Status::failure(path, "tensor " + quotedText(source.name) + " has elements of type " +
                                       elementName(source.element) + ", the net has " +
                                       elementName(wanted))
          .withHint("a run continues with the same element type only");
    if (Status status = checkValues(path, targets[i], source); status.failed())
      return status;
  }
  for (size_t i = 0; i < targets.size(); ++i)
    copyTensor(*targets[i].tensor, *(*sources)[i], state);
  return info;
}

Result<CheckpointInfo> readCheckpointInfo(const std::string &path) {
  Result<Safetensors> file = readSafetensors(path);
  if (file.failed())
    return file.status();
  return readInfo(path, file->metadata);
}

} // namespace cnn
