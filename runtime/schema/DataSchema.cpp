// The tables. Extents and class names of sets are facts of their files.
#include "runtime/schema/DataSchema.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cnn {

namespace {

constexpr double mostExtent = 16384;
constexpr double mostSeed = 9007199254740992; // 2^53: every integer up to it is a double

std::string sizeText(int64_t height, int64_t width) {
  return std::to_string(height) + "x" + std::to_string(width);
}

std::string countText(size_t count, const char *one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::optional<DataProblem> applySelect(const DataCall &call, DataView &view) {
  if (view.classes.empty())
    return std::nullopt;
  std::vector<std::string> selected;
  for (const std::string &text : call.find("classes")->texts) {
    std::optional<size_t> found = findClass(view.classes, text);
    if (!found) {
      std::string all;
      for (const std::string &name : view.classes)
        all += (all.empty() ? "" : ", ") + name;
      return DataProblem{"the data has no class '" + text + "'", "its classes are " + all};
    }
    const std::string &name = view.classes[*found];
    if (std::find(selected.begin(), selected.end(), name) != selected.end())
      return DataProblem{"class '" + name + "' is selected twice", ""};
    selected.push_back(name);
  }
  view.classes = std::move(selected);
  return std::nullopt;
}

std::optional<DataProblem> applySplit(const DataCall &, DataView &view) {
  if (view.split)
    return DataProblem{"the data is split twice", "keep one of the splits"};
  view.split = true;
  return std::nullopt;
}

std::optional<DataProblem> applyResize(const DataCall &call, DataView &view) {
  view.shape.height = call.integer("height");
  view.shape.width = call.has("width") ? call.integer("width") : view.shape.height;
  return std::nullopt;
}

std::optional<DataProblem> applyScale(const DataCall &call, DataView &) {
  if (call.number("low") < call.number("high"))
    return std::nullopt;
  return DataProblem{"'low' is " + numberText(call.number("low")) +
                         ", not below 'high', which is " + numberText(call.number("high")),
                     ""};
}

std::optional<DataProblem> applyNormalize(const DataCall &call, DataView &view) {
  for (const char *name : {"mean", "std"}) {
    size_t given = call.find(name)->numbers.size();
    if (given == 1 || view.shape.channels < 0 || int64_t(given) == view.shape.channels)
      continue;
    return DataProblem{"'" + std::string(name) + "' has " + countText(given, "number") +
                           ", the images have " + countText(size_t(view.shape.channels), "channel"),
                       "give one number, or one for each channel"};
  }
  return std::nullopt;
}

std::optional<DataProblem> applyFlip(const DataCall &, DataView &) { return std::nullopt; }

std::optional<DataProblem> applyCrop(const DataCall &call, DataView &view) {
  size_t last = call.find("size")->numbers.size() - 1;
  int64_t height = call.integer("size"), width = call.integer("size", last);
  int64_t padding = call.integer("padding");
  int64_t highest = view.shape.height + 2 * padding, widest = view.shape.width + 2 * padding;
  if ((view.shape.height >= 0 && height > highest) || (view.shape.width >= 0 && width > widest))
    return DataProblem{
        "a crop of " + sizeText(height, width) + " does not fit into images of " +
            sizeText(view.shape.height, view.shape.width) +
            (padding ? ", " + sizeText(highest, widest) + " with their padding" : std::string()),
        "crop less, or resize the images first"};
  view.shape.height = height;
  view.shape.width = width;
  return std::nullopt;
}

std::optional<DataProblem> applyGrayscale(const DataCall &, DataView &view) {
  if (view.shape.channels != 1 && view.shape.channels != 3 && view.shape.channels >= 0)
    return DataProblem{"grayscale takes images of 1 or 3 channels, not " +
                           std::to_string(view.shape.channels),
                       ""};
  view.shape.channels = 1;
  return std::nullopt;
}

std::vector<DataSchema> makeStages() {
  std::vector<DataSchema> stages;
  stages.push_back({"select",
                    "keeps the images of these classes, which become 0, 1, ... in this order",
                    {{"classes", DataKind::Classes, "which"}},
                    false,
                    {},
                    applySelect});
  stages.push_back(
      {"split",
       "sets training images aside, drawn by the seed, to validate with instead of the test images",
       {{"validation", DataKind::Share, "how many: a count, or a part of all", true, false, 0, 4e9,
         true},
        {"seed", DataKind::Integer, "of the draw", false, false, 0, mostSeed, false, {0}, "0"}},
       false,
       {},
       applySplit});
  stages.push_back({"resize",
                    "bilinear, with antialiasing where it makes smaller; the aspect may change",
                    {{"height", DataKind::Integer, "of the result", true, true, 1, mostExtent},
                     {"width",
                      DataKind::Integer,
                      "of the result",
                      false,
                      true,
                      1,
                      mostExtent,
                      false,
                      {},
                      "height"}},
                    false,
                    {},
                    applyResize});
  stages.push_back(
      {"scale",
       "what darkest and brightest become; bytes are 0 to 1 without it",
       {{"low", DataKind::Number, "the darkest", false, true, -1e6, 1e6, false, {0}, "0"},
        {"high", DataKind::Number, "the brightest", false, true, -1e6, 1e6, false, {1}, "1"}},
       false,
       {},
       applyScale});
  stages.push_back({"normalize",
                    "(value - mean) / std",
                    {{"mean", DataKind::Numbers, "of each channel", true, false, -1e6, 1e6},
                     {"std", DataKind::Numbers, "of each channel", true, false, 0, 1e6, true}},
                    false,
                    {},
                    applyNormalize});
  stages.push_back(
      {"random_flip",
       "mirrors left and right; in training only",
       {{"probability", DataKind::Number, "of a flip", false, true, 0, 1, false, {0.5}, "0.5"}},
       true,
       {},
       applyFlip});
  stages.push_back({"random_crop",
                    "a window somewhere in the image, which has a border of zeros; its centre "
                    "outside of training",
                    {{"size", DataKind::Size, "of the window", true, true, 1, mostExtent},
                     {"padding",
                      DataKind::Integer,
                      "width of the border",
                      false,
                      false,
                      0,
                      mostExtent,
                      false,
                      {0},
                      "0"}},
                    true,
                    {},
                    applyCrop});
  stages.push_back({"grayscale",
                    "one channel: 0.2989 red + 0.587 green + 0.114 blue",
                    {},
                    false,
                    {},
                    applyGrayscale});
  return stages;
}

std::vector<DataSchema> makeSets() {
  std::vector<DataSchema> sets;
  sets.push_back({"fashion_mnist",
                  "60,000 + 10,000 grey images of clothes",
                  {},
                  false,
                  {{1, 28, 28},
                   {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt",
                    "Sneaker", "Bag", "Ankle boot"}}});
  sets.push_back({"mnist",
                  "60,000 + 10,000 grey images of digits",
                  {},
                  false,
                  {{1, 28, 28}, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}}});
  sets.push_back({"cifar10",
                  "50,000 + 10,000 colour images, in CIFAR-10's binary version",
                  {},
                  false,
                  {{3, 32, 32},
                   {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                    "truck"}}});
  sets.push_back(
      {"image_folder",
       "PNG and JPEG files, in a folder for each class",
       {{"dir", DataKind::Text, "a folder of classes, or one with train and test, which have them",
         true, true}},
       false,
       {{3, -1, -1}, {}}});
  sets.push_back(
      {"npy",
       "images [N, H, W] or [N, C, H, W] and labels [N] in NumPy's files",
       {{"images", DataKind::Text, "bytes, which are divided by 255, or numbers", true, true},
        {"labels", DataKind::Text, "integers from 0", true, true},
        {"test_images", DataKind::Text, "likewise", false, true, 0, 0, false, {}, "none"},
        {"test_labels", DataKind::Text, "likewise", false, true, 0, 0, false, {}, "none"}},
       false,
       {{-1, -1, -1}, {}}});
  return sets;
}

const DataSchema *findRow(const std::vector<DataSchema> &table, std::string_view name) {
  for (const DataSchema &row : table)
    if (row.name == name)
      return &row;
  return nullptr;
}

} // namespace

const DataParameter *DataSchema::find(std::string_view parameter) const {
  for (const DataParameter &each : parameters)
    if (each.name == parameter)
      return &each;
  return nullptr;
}

std::string DataSchema::signature() const {
  std::string text;
  for (const DataParameter &parameter : parameters) {
    text += (text.empty() ? "" : ", ") + parameter.name;
    if (parameter.kind == DataKind::Classes)
      text += "...";
    else if (!parameter.required)
      text += " = " + parameter.defaultText;
  }
  return name + (text.empty() ? "" : "(" + text + ")");
}

const std::vector<DataSchema> &dataSets() {
  static const std::vector<DataSchema> table = makeSets();
  return table;
}

const std::vector<DataSchema> &dataStages() {
  static const std::vector<DataSchema> table = makeStages();
  return table;
}

const DataSchema *findDataSet(std::string_view name) { return findRow(dataSets(), name); }
const DataSchema *findDataStage(std::string_view name) { return findRow(dataStages(), name); }

DataPipeline plainPipeline(std::string_view set) {
  DataPipeline pipeline;
  pipeline.set.name = set;
  return pipeline;
}

std::optional<size_t> findClass(const std::vector<std::string> &classes, const std::string &text) {
  auto found = std::find(classes.begin(), classes.end(), text);
  if (found != classes.end())
    return size_t(found - classes.begin());
  size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number >= classes.size())
    return std::nullopt;
  return number;
}

} // namespace cnn
