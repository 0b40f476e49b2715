// Images from the command line.
#include "runtime/data/Idx.h"
#include "runtime/data/Npy.h"
#include "runtime/train/Predictor.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cnn {

static std::string text(ImageShape shape) { return shapeText(shape.dims()); }

/// The item number after the last colon of `argument`, which is cut off; nothing when what stands
/// there is no number.
static std::optional<int64_t> splitItem(std::string &argument) {
  size_t colon = argument.rfind(':');
  if (colon == std::string::npos || colon + 1 == argument.size())
    return std::nullopt;
  int64_t item = 0;
  const char *end = argument.data() + argument.size();
  auto [rest, error] = std::from_chars(argument.data() + colon + 1, end, item);
  if (error != std::errc() || rest != end || item < 0)
    return std::nullopt;
  argument.resize(colon);
  return item;
}

static Status checkItem(const std::string &name, int64_t item, int64_t size) {
  if (item < size)
    return Status();
  return Status::failure(name, formatText("there is no item %lld, the items are 0 to %lld",
                                          static_cast<long long>(item),
                                          static_cast<long long>(size - 1)));
}

static Result<PredictInput> datasetItem(const std::string &argument, const std::string &name,
                                        bool train, int64_t item, const std::string &dataDir) {
  Result<Dataset> data =
      openDataset(name, dataDir, train ? DatasetSplits::Both : DatasetSplits::TestOnly);
  if (data.failed())
    return data.status();
  const SampleSet &samples = train ? data->train : data->test;
  if (Status status = checkItem(argument, item, samples.size()); status.failed())
    return status;
  PredictInput input;
  input.name = argument;
  input.label = samples.label(item);
  input.preprocessing = samples.describe();
  input.image.shape = samples.shape();
  input.image.pixels.resize(samples.shape().elements());
  if (Status status = samples.read(item, {}, input.image.pixels.data()); status.failed())
    return status;
  return input;
}

static Result<PredictInput> idxItem(const std::string &argument, const std::string &path,
                                    int64_t item) {
  Result<IdxTensor> idx = readIdx(path);
  if (idx.failed())
    return idx.status();
  if (idx->dims.size() != 3)
    return Status::failure(path, formatText("holds a tensor of shape %s, not images [N, H, W]",
                                            shapeText(idx->dims).c_str()));
  if (Status status = checkItem(argument, item, idx->dims[0]); status.failed())
    return status;
  PredictInput input;
  input.name = argument;
  input.preprocessing = {"pixels / 255"};
  input.image.shape = {1, idx->dims[1], idx->dims[2]};
  const uint8_t *first = idx->data.data() + item * idx->itemSize();
  for (int64_t i = 0; i < idx->itemSize(); ++i)
    input.image.pixels.push_back(static_cast<float>(first[i]) / 255.0f);
  return input;
}

static Result<std::vector<PredictInput>> npyItems(const std::string &path, ImageShape shape) {
  Result<NpyArray> array = readNpy(path);
  if (array.failed())
    return array.status();
  std::vector<int64_t> dims = array->shape;
  bool several = dims.size() == 4 && dims[0] != 1;
  if (dims.size() == 2)
    dims.insert(dims.begin(), 1);
  if (dims.size() == 3)
    dims.insert(dims.begin(), 1);
  if (dims.size() != 4 || std::vector<int64_t>(dims.begin() + 1, dims.end()) != shape.dims()) {
    std::vector<int64_t> one = shape.dims();
    return Status::failure(
        path, formatText("has shape %s, the net takes %s, or [N, %lld, %lld, %lld] for N images",
                         shapeText(array->shape).c_str(), text(shape).c_str(),
                         static_cast<long long>(one[0]), static_cast<long long>(one[1]),
                         static_cast<long long>(one[2])));
  }
  std::vector<float> values = array->toF32();
  bool bytes = array->element == ElementType::U8;
  std::vector<PredictInput> inputs;
  for (int64_t i = 0; i < dims[0]; ++i) {
    PredictInput input;
    input.name = several ? formatText("%s[%lld]", path.c_str(), static_cast<long long>(i)) : path;
    input.image.shape = shape;
    auto first = values.begin() + i * shape.elements();
    input.image.pixels.assign(first, first + shape.elements());
    if (bytes) {
      input.preprocessing = {"pixels / 255"};
      for (float &pixel : input.image.pixels)
        pixel /= 255.0f;
    }
    if (!std::all_of(input.image.pixels.begin(), input.image.pixels.end(),
                     [](float pixel) { return std::isfinite(pixel); }))
      return Status::failure(input.name, "contains NaN or infinity");
    inputs.push_back(std::move(input));
  }
  return inputs;
}

Result<std::vector<PredictInput>> readPredictInputs(const std::string &argument, ImageShape shape,
                                                    const std::string &dataDir) {
  std::string path = argument;
  std::optional<int64_t> item = splitItem(path);
  if (!item) {
    if (path.size() < 4 || path.compare(path.size() - 4, 4, ".npy") != 0)
      return Status::failure(argument, "is neither a .npy file nor an item of an IDX file")
          .withHint("write FILE.npy, FILE:N for item N of an IDX file, or fashion_mnist:test:N");
    return npyItems(path, shape);
  }

  Result<PredictInput> input = PredictInput();
  size_t colon = path.rfind(':');
  std::string name = path.substr(0, colon);
  std::string split = colon == std::string::npos ? "" : path.substr(colon + 1);
  const std::vector<std::string> &known = datasetNames();
  if ((split == "train" || split == "test") &&
      std::find(known.begin(), known.end(), name) != known.end())
    input = datasetItem(argument, name, split == "train", *item, dataDir);
  else
    input = idxItem(argument, path, *item);
  if (input.failed())
    return input.status();
  if (input->image.shape != shape)
    return Status::failure(argument,
                           formatText("has shape %s, the net takes %s",
                                      text(input->image.shape).c_str(), text(shape).c_str()));
  return std::vector<PredictInput>{std::move(*input)};
}

} // namespace cnn
