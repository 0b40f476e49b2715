// Images from the command line.
#include "runtime/data/Idx.h"
#include "runtime/data/ImageFile.h"
#include "runtime/data/Npy.h"
#include "runtime/schema/DataSchema.h"
#include "runtime/train/Predictor.h"

#include <unistd.h>

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

/// What stands for the images of a call of readPredictInputs.
struct Context {
  ImageShape shape;
  const DataPlace &place;
  const DataPipeline *pipeline;
  Preprocessing preprocessing;
};

/// Preprocesses raw pixels and checks the result against the net.
static Status prepare(PredictInput &input, const Context &context) {
  ImageShape raw = input.image.shape;
  if (input.preprocessing.empty())
    input.preprocessing.push_back("pixels / 255");
  Result<std::vector<ImageShape>> shapes = context.preprocessing.shapes(raw);
  if (shapes.failed())
    return Status::failure(input.name, shapes.message());
  if (shapes->back() != context.shape) {
    std::string after = shapes->back() == raw ? ""
                                              : ", " + text(shapes->back()) +
                                                    " after the "
                                                    "recipe's preprocessing";
    Status status = Status::failure(input.name, "has shape " + text(raw) + after +
                                                    ", the net takes " + text(context.shape));
    if (raw.channels != context.shape.channels)
      return status;
    return std::move(status).withHint("add a stage to the recipe's data that makes it fit, such as "
                                      "resize");
  }
  if (Status status = context.preprocessing.apply(input.image); status.failed())
    return status;
  for (std::string &step : context.preprocessing.describe())
    input.preprocessing.push_back(std::move(step));
  return Status();
}

/// A file as the recipe's data would have it: with its number of channels.
static Result<PredictInput> imageItem(const std::string &path, const Context &context) {
  Result<ImageFile> file = readImageFile(path);
  if (file.failed())
    return file.status();
  const DataSchema *set = context.pipeline ? findDataSet(context.pipeline->set.name) : nullptr;
  int64_t channels = set ? set->view.shape.channels : -1;
  if (channels < 0)
    channels = context.shape.channels;
  if (channels != 1 && channels != 3)
    return Status::failure(path, formatText("is an image of 1 or 3 channels, the net takes %lld",
                                            static_cast<long long>(channels)));
  convertChannels(*file, channels);
  PredictInput input;
  input.name = path;
  input.image = std::move(file->image);
  input.preprocessing = {formatText("pixels / %d", file->brightest)};
  for (std::string &note : file->notes)
    input.preprocessing.push_back(std::move(note));
  if (Status status = prepare(input, context); status.failed())
    return status;
  return input;
}

/// An item of the recipe's data, as the recipe chooses and labels it; or of another set.
static Result<PredictInput> datasetItem(const std::string &argument, const std::string &name,
                                        bool train, int64_t item, const Context &context) {
  bool own = context.pipeline && context.pipeline->set.name == name;
  if (!own && !findDataSet(name)->parameters.empty())
    return Status::failure(argument,
                           "the data set '" + name +
                               "' is not that of the recipe, which would say where it is");
  Result<Dataset> data = openPipeline(own ? *context.pipeline : plainPipeline(name), context.place,
                                      train ? DatasetSplits::Both : DatasetSplits::TestOnly);
  if (data.failed())
    return data.status();
  const SampleSet &samples = train ? data->train : data->test;
  if (Status status = checkItem(argument, item, samples.size()); status.failed())
    return status;
  PredictInput input;
  input.name = argument;
  input.label = samples.label(item);
  input.image.shape = samples.shape();
  input.image.pixels.resize(samples.shape().elements());
  if (Status status = samples.read(item, {}, input.image.pixels.data()); status.failed())
    return status;
  if (!own) {
    Status status = prepare(input, context);
    return status.failed() ? Result<PredictInput>(status) : Result<PredictInput>(std::move(input));
  }
  input.preprocessing = samples.describe();
  if (samples.shape() != context.shape)
    return Status::failure(argument, "has shape " + text(samples.shape()) + ", the net takes " +
                                         text(context.shape));
  return input;
}

static Result<PredictInput> idxItem(const std::string &argument, const std::string &path,
                                    int64_t item, const Context &context) {
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
  input.image.shape = {1, idx->dims[1], idx->dims[2]};
  const uint8_t *first = idx->data.data() + item * idx->itemSize();
  for (int64_t i = 0; i < idx->itemSize(); ++i)
    input.image.pixels.push_back(static_cast<float>(first[i]) / 255.0f);
  if (Status status = prepare(input, context); status.failed())
    return status;
  return input;
}

/// Bytes are pixels, and go through the recipe's preprocessing; numbers are taken as they are.
static Result<std::vector<PredictInput>> npyItems(const std::string &path, const Context &context) {
  Result<NpyArray> array = readNpy(path);
  if (array.failed())
    return array.status();
  std::vector<int64_t> dims = array->shape, net = context.shape.dims();
  bool several = dims.size() == 4 && dims[0] != 1;
  bool bytes = array->element == ElementType::U8;
  if (dims.size() == 2)
    dims.insert(dims.begin(), 1);
  if (dims.size() == 3)
    dims.insert(dims.begin(), 1);
  if (dims.size() != 4 || (!bytes && std::vector<int64_t>(dims.begin() + 1, dims.end()) != net))
    return Status::failure(
        path, formatText("has shape %s, the net takes %s, or [N, %lld, %lld, %lld] for N images",
                         shapeText(array->shape).c_str(), text(context.shape).c_str(),
                         static_cast<long long>(net[0]), static_cast<long long>(net[1]),
                         static_cast<long long>(net[2])));
  if (dims[0] == 0)
    return Status::failure(path, formatText("has shape %s, which is no image at all",
                                            shapeText(array->shape).c_str()));
  std::vector<float> values = array->toF32();
  ImageShape shape{dims[1], dims[2], dims[3]};
  std::vector<PredictInput> inputs;
  for (int64_t i = 0; i < dims[0]; ++i) {
    PredictInput input;
    input.name = several ? formatText("%s[%lld]", path.c_str(), static_cast<long long>(i)) : path;
    input.image.shape = shape;
    auto first = values.begin() + i * shape.elements();
    input.image.pixels.assign(first, first + shape.elements());
    if (bytes) {
      for (float &pixel : input.image.pixels)
        pixel /= 255.0f;
      if (Status status = prepare(input, context); status.failed())
        return status;
    }
    if (!std::all_of(input.image.pixels.begin(), input.image.pixels.end(),
                     [](float pixel) { return std::isfinite(pixel); }))
      return Status::failure(input.name, "contains NaN or infinity");
    inputs.push_back(std::move(input));
  }
  return inputs;
}

namespace {
/// Where an item comes from: a split of a data set, or, where that is empty, an IDX file.
struct ItemSource {
  std::string dataset;
  bool train = false;
};
} // namespace

/// What `path`, the text before the item's number, names. A file of that name goes first; what is
/// neither a file nor a data set's split fails with the part that is wrong.
static Result<ItemSource> sourceOf(const std::string &argument, const std::string &path) {
  size_t colon = path.rfind(':');
  std::string name = path.substr(0, colon);
  std::string split = colon == std::string::npos ? "" : path.substr(colon + 1);
  const std::vector<std::string> &known = datasetNames();
  bool isKnown = std::find(known.begin(), known.end(), name) != known.end();
  bool isSplit = split == "train" || split == "test";
  if (isKnown && isSplit)
    return ItemSource{name, split == "train"};
  if (access(path.c_str(), F_OK) == 0 || (!isKnown && !isSplit))
    return ItemSource();
  if (isKnown && split.empty())
    return Status::failure(argument, "names no split of the data set '" + name + "'")
        .withHint("write " + name + ":train:N or " + name + ":test:N");
  if (isKnown)
    return Status::failure(argument, "the data set '" + name + "' has no split '" + split + "'")
        .withHint("its splits are train and test");
  std::string names;
  for (const std::string &each : known)
    names += (names.empty() ? "" : ", ") + each;
  return Status::failure(argument, "there is no data set and no file '" + name + "'")
      .withHint("the data sets are " + names);
}

Result<std::vector<PredictInput>> readPredictInputs(const std::string &argument, ImageShape shape,
                                                    const DataPlace &place,
                                                    const DataPipeline *pipeline) {
  Context context{shape, place, pipeline, {}};
  if (pipeline) {
    Result<Preprocessing> made = makePreprocessing(*pipeline);
    if (made.failed())
      return made.status();
    context.preprocessing = std::move(*made);
  }
  if (isImageName(argument)) {
    Result<PredictInput> image = imageItem(argument, context);
    if (image.failed())
      return image.status();
    return std::vector<PredictInput>{std::move(*image)};
  }
  std::string path = argument;
  std::optional<int64_t> item = splitItem(path);
  if (!item) {
    if (path.size() < 4 || path.compare(path.size() - 4, 4, ".npy") != 0)
      return Status::failure(argument,
                             "is neither a PNG, JPEG or .npy file nor an item of a data set")
          .withHint(
              "write FILE.png, FILE.jpg, FILE.npy, FILE:N for item N (from 0) of an IDX file, or "
              "fashion_mnist:test:N");
    return npyItems(path, context);
  }

  Result<ItemSource> source = sourceOf(argument, path);
  if (source.failed())
    return source.status();
  Result<PredictInput> input = source->dataset.empty() ? idxItem(argument, path, *item, context)
                                                       : datasetItem(argument, source->dataset,
                                                                     source->train, *item, context);
  if (input.failed())
    return input.status();
  return std::vector<PredictInput>{std::move(*input)};
}

} // namespace cnn
