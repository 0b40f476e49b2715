// Batches of images through `infer`, and what they mean.
#include "runtime/train/Predictor.h"

#include "runtime/train/Text.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cnn {

/// The shape of the images that `infer` takes.
static Result<ImageShape> predictShape(const Manifest &manifest) {
  const EntryPoint *entry = manifest.findEntry("infer");
  int image = entry ? entry->findImage() : -1;
  if (image < 0)
    return Status::failure(
        formatText("net '%s' has no entry point 'infer' that takes one tensor of images",
                   manifest.net.c_str()));
  const std::vector<int64_t> &shape = entry->buffers[image].shape;
  if (shape.size() != 4)
    return Status::failure(formatText("net '%s' takes tensors of shape %s, not images",
                                      manifest.net.c_str(), shapeText(shape).c_str()));
  return ImageShape{shape[1], shape[2], shape[3]};
}

/// Outputs of one row -> probabilities and order.
static Prediction rank(std::vector<double> logits) {
  Prediction result;
  result.logits = std::move(logits);
  double most = -HUGE_VAL, sum = 0;
  for (double value : result.logits)
    most = std::max(most, value);
  for (double value : result.logits)
    sum += std::exp(value - most);
  for (double value : result.logits)
    result.probabilities.push_back(std::exp(value - most) / sum);
  result.ranking.resize(result.logits.size());
  std::iota(result.ranking.begin(), result.ranking.end(), 0);
  auto key = [&](int c) { return std::isnan(result.logits[c]) ? -HUGE_VAL : result.logits[c]; };
  std::sort(result.ranking.begin(), result.ranking.end(),
            [&](int a, int b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
  return result;
}

Result<std::vector<Prediction>> predict(Session &session, const std::vector<PredictInput> &inputs) {
  Result<ImageShape> shape = predictShape(session.manifest());
  if (shape.failed())
    return shape.status();
  Result<Call *> found = session.call("infer");
  if (found.failed())
    return found.status();
  Call &call = **found;
  Result<int> image = call.image(), rows = call.input("rows");
  for (const Result<int> *position : {&image, &rows})
    if (position->failed())
      return position->status();
  int logits = call.entry().find(BufferRole::Output); // whatever the net calls its first output
  if (logits < 0)
    return Status::failure(formatText("net '%s' has no output", session.manifest().net.c_str()));
  const std::vector<int64_t> &given = call.spec(logits).shape;
  if (given.size() != 2)
    return Status::failure(formatText("net '%s' gives %s for a batch, not a row of classes",
                                      session.manifest().net.c_str(), shapeText(given).c_str()));

  std::vector<Prediction> results;
  int64_t batch = session.manifest().batch, count = static_cast<int64_t>(inputs.size());
  for (int64_t first = 0; first < count; first += batch) {
    int64_t here = std::min(batch, count - first);
    for (int64_t row = 0; row < here; ++row) {
      const Image &source = inputs[first + row].image;
      if (source.shape != *shape)
        return Status::failure(inputs[first + row].name,
                               formatText("has shape %s, the net takes %s",
                                          shapeText(source.shape.dims()).c_str(),
                                          shapeText(shape->dims()).c_str()));
      for (int64_t i = 0; i < shape->elements(); ++i)
        call.set(*image, source.pixels[i], row * shape->elements() + i);
    }
    call.set(*rows, double(here));
    if (Status status = call.run(); status.failed())
      return status;
    for (int64_t row = 0; row < here; ++row) {
      std::vector<double> values(given[1]);
      for (int64_t c = 0; c < given[1]; ++c)
        values[c] = call.get(logits, row * given[1] + c);
      results.push_back(rank(std::move(values)));
    }
  }
  return results;
}

static std::string className(const std::vector<std::string> &names, int index) {
  return index < static_cast<int>(names.size()) ? names[index] : "class " + std::to_string(index);
}

std::string predictionText(const PredictInput &input, const Prediction &prediction,
                           const std::vector<std::string> &classNames, int top) {
  std::string text = input.name;
  if (input.label)
    text += " (labelled " + className(classNames, *input.label) + ")";
  text += "\n";
  int shown = std::min(top, static_cast<int>(prediction.ranking.size())), width = 0;
  for (int i = 0; i < shown; ++i)
    width = std::max(width, displayWidth(className(classNames, prediction.ranking[i])));
  for (int i = 0; i < shown; ++i) {
    int c = prediction.ranking[i];
    text += "  " + padRight(className(classNames, c), width) +
            formatText("  %6.2f%%\n", 100 * prediction.probabilities[c]);
  }
  text += "  preprocessing: ";
  for (size_t i = 0; i < input.preprocessing.size(); ++i)
    text += (i ? ", " : "") + input.preprocessing[i];
  return text + (input.preprocessing.empty() ? "none\n" : "\n");
}

Json predictionJson(const PredictInput &input, const Prediction &prediction,
                    const std::vector<std::string> &classNames) {
  auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  int best = prediction.ranking.empty() ? -1 : prediction.ranking[0];
  Json json;
  json["input"] = input.name;
  json["class"] = best < 0 ? Json() : Json(className(classNames, best));
  json["probability"] = best < 0 ? Json() : number(prediction.probabilities[best]);
  if (input.label)
    json["label"] = className(classNames, *input.label);
  json["probabilities"] = Json::object();
  json["logits"] = Json::array();
  for (size_t c = 0; c < prediction.logits.size(); ++c) {
    json["probabilities"][className(classNames, static_cast<int>(c))] =
        number(prediction.probabilities[c]);
    json["logits"].push_back(number(prediction.logits[c]));
  }
  json["preprocessing"] = input.preprocessing;
  return json;
}

} // namespace cnn
