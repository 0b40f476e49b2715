#include "runtime/train/Resumption.h"

#include <algorithm>
#include <cmath>

namespace cnn {

/// All of both recipes must agree, but for how long and how fast to learn; `notes` says what
/// differs there.
static Status checkRecipe(const CheckpointInfo &found, const TrainOptions &options,
                          std::vector<std::string> &notes) {
  Result<Json> before = parseJson(found.recipe, options.resumePath);
  if (before.failed())
    return before.status();
  auto isScalar = [&](const std::string &key) {
    return std::any_of(options.scalars.begin(), options.scalars.end(),
                       [&](const auto &scalar) { return scalar.first == key; });
  };
  auto text = [](const Json *value) { return value ? jsonText(*value) : std::string("nothing"); };
  auto compare = [&](const std::string &key, const Json *then, const Json *now) {
    if ((then && now && *then == *now) || key == "epochs")
      return Status();
    std::string difference =
        formatText("%s is %s now and was %s", key.c_str(), text(now).c_str(), text(then).c_str());
    if (!isScalar(key))
      return Status::failure(options.resumePath, "belongs to another run: " + difference);
    notes.push_back(difference + " in " + options.resumePath);
    return Status();
  };
  for (const auto &[key, value] : before->items()) {
    auto now = options.recipe.find(key);
    if (Status status = compare(key, &value, now == options.recipe.end() ? nullptr : &*now);
        status.failed())
      return status;
  }
  for (const auto &[key, value] : options.recipe.items())
    if (!before->contains(key))
      if (Status status = compare(key, nullptr, &value); status.failed())
        return status;
  return Status();
}

Status checkResumption(const CheckpointInfo &info, const TrainOptions &options,
                       const std::string &net, std::vector<std::string> &notes) {
  const std::string &path = options.resumePath;
  if (info.net != net)
    return Status::failure(path, formatText("is a checkpoint of net '%s', not of '%s'",
                                            info.net.c_str(), net.c_str()));
  if (options.seed && *options.seed != info.seed)
    return Status::failure(path, formatText("was made with seed %llu, not %llu",
                                            static_cast<unsigned long long>(info.seed),
                                            static_cast<unsigned long long>(*options.seed)));
  if (Status status = checkRecipe(info, options, notes); status.failed())
    return status;
  if (info.epoch > options.epochs)
    return Status::failure(path, formatText("has %llu %s done, and %llu are asked for",
                                            static_cast<unsigned long long>(info.epoch),
                                            info.epoch == 1 ? "epoch" : "epochs",
                                            static_cast<unsigned long long>(options.epochs)))
        .withHint(formatText("pass --epochs with more than %llu",
                             static_cast<unsigned long long>(info.epoch)));
  return Status();
}

Json toJson(const EpochRecord &record) {
  return {{"epoch", record.epoch},
          {"train_loss", record.trainLoss},
          {record.judge() + "_loss", record.testLoss},
          {record.judge() + "_accuracy", record.testAccuracy},
          {"seconds", record.seconds},
          {"images", record.images}};
}

/// A loss that JSON could not hold (infinite on the test set) is null in it.
static double numberOr(const Json &value, double other) {
  return value.is_number() ? value.get<double>() : other;
}

Result<std::vector<EpochRecord>> readHistory(const CheckpointInfo &info, const std::string &path) {
  std::vector<EpochRecord> records;
  auto found = info.extra.find("history");
  if (found == info.extra.end())
    return records;
  Result<Json> json = parseJson(found->second, path);
  if (json.failed())
    return json.status();
  bool valid = json->is_array();
  for (const Json &entry : valid ? *json : Json::array()) {
    EpochRecord record;
    valid = valid && entry.is_object() && entry.contains("epoch") && entry.contains("images") &&
            entry["epoch"].is_number_unsigned() && entry["images"].is_number_integer();
    if (!valid)
      break;
    record.epoch = entry["epoch"].get<uint64_t>();
    record.images = entry["images"].get<int64_t>();
    auto number = [&](const char *key) {
      return entry.contains(key) ? numberOr(entry[key], std::nan("")) : std::nan("");
    };
    record.trainLoss = number("train_loss");
    record.validation = entry.contains("validation_loss");
    record.testLoss = number(record.validation ? "validation_loss" : "test_loss");
    record.testAccuracy = number(record.validation ? "validation_accuracy" : "test_accuracy");
    record.seconds = number("seconds");
    records.push_back(record);
  }
  if (!valid)
    return Status::failure(path, "the history of epochs in its metadata is malformed");
  return records;
}

} // namespace cnn
