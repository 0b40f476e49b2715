// Evaluation: batches in the data set's order, the last one smaller; counts in integers, the loss
// summed in double in that order, so that the result has the same bits for every number of threads.
#include "runtime/train/Evaluator.h"

#include "runtime/data/Loader.h"
#include "runtime/train/Feed.h"
#include "runtime/train/Text.h"

#include <algorithm>
#include <cmath>

namespace cnn {

Result<NetShape> netShape(const Manifest &manifest) {
  const EntryPoint *entry = manifest.findEntry("eval");
  if (!entry && !manifest.entries.empty())
    entry = &manifest.entries.front();
  int image = entry ? entry->findImage() : -1;
  if (image < 0)
    return Status::failure(
        formatText("net '%s' does not take one tensor of images", manifest.net.c_str()));
  auto ofOne = [&](int position) {
    const std::vector<int64_t> &shape = entry->buffers[position].shape;
    return std::vector<int64_t>(shape.begin() + (shape.empty() ? 0 : 1), shape.end());
  };
  NetShape shape = {manifest.net, ofOne(image), {}};
  if (int logits = entry->find(BufferRole::Output, "logits"); logits >= 0)
    shape.output = ofOne(logits);
  return shape;
}

Status checkFits(const NetShape &net, const SampleSet &samples, size_t classes,
                 const std::string &dataName) {
  std::vector<int64_t> given = samples.shape().dims();
  if (net.image != given) {
    Status status = Status::failure(
        formatText("net '%s' takes images of shape %s, data set '%s' has %s", net.net.c_str(),
                   shapeText(net.image).c_str(), dataName.c_str(), shapeText(given).c_str()));
    if (net.image.size() == 3 && net.image[0] == given[0])
      return std::move(status).withHint(
          formatText("the stage resize(%lld, %lld) of the recipe's data makes them fit",
                     (long long)net.image[1], (long long)net.image[2]));
    return status;
  }
  std::vector<int64_t> wanted = {static_cast<int64_t>(classes)};
  if (!net.output.empty() && net.output != wanted)
    return Status::failure(formatText("net '%s' gives %s for an image, data set '%s' has %zu "
                                      "class%s and needs %s",
                                      net.net.c_str(), shapeText(net.output).c_str(),
                                      dataName.c_str(), classes, classes == 1 ? "" : "es",
                                      shapeText(wanted).c_str()));
  return Status();
}

namespace {
/// The buffers of `eval` by name.
struct EvalCall {
  Call *call = nullptr;
  int image = 0, labels = 0, rows = 0, lossSum = 0, logits = 0;

  static Result<EvalCall> create(Session &session) {
    EvalCall made;
    Result<Call *> call = session.call("eval");
    if (call.failed())
      return call.status();
    made.call = *call;
    struct Wanted {
      Result<int> found;
      int &position;
    } all[] = {{made.call->image(), made.image},
               {made.call->input("labels"), made.labels},
               {made.call->input("rows"), made.rows},
               {made.call->output("loss_sum"), made.lossSum},
               {made.call->output("logits"), made.logits}};
    for (Wanted &wanted : all) {
      if (wanted.found.failed())
        return wanted.found.status();
      wanted.position = *wanted.found;
    }
    return made;
  }
};
} // namespace

/// Adds one batch to the counts.
static void count(const EvalCall &eval, const FeedBatch &batch, Evaluation &into) {
  int64_t classes = static_cast<int64_t>(into.classNames.size());
  for (int64_t row = 0; row < batch.rows; ++row) {
    int64_t best = 0;
    bool finite = true;
    double most = -HUGE_VAL;
    for (int64_t c = 0; c < classes; ++c) {
      double value = eval.call->get(eval.logits, row * classes + c);
      finite &= std::isfinite(value);
      if (value > most) {
        most = value;
        best = c;
      }
    }
    into.nonFinite += !finite;
    into.correct += best == batch.labels[row];
    ++into.confusion[batch.labels[row] * classes + best];
  }
  into.images += batch.rows;
}

Result<Evaluation> evaluate(Session &session, const SampleSet &samples,
                            const std::vector<std::string> &classNames,
                            const std::function<bool()> &stop) {
  Result<EvalCall> eval = EvalCall::create(session);
  if (eval.failed())
    return eval.status();
  Call &call = *eval->call;

  LoaderOptions options;
  options.batchSize = session.manifest().batch;
  options.element = call.spec(eval->image).element;
  Result<std::unique_ptr<Loader>> loader = Loader::create(samples, options);
  if (loader.failed())
    return loader.status();

  Evaluation result;
  result.classNames = classNames;
  result.confusion.assign(classNames.size() * classNames.size(), 0);
  double lossSum = 0;
  Feed feed(**loader, call, eval->image, eval->labels);
  while (true) {
    if (stop && stop()) {
      result.stopped = true;
      break;
    }
    Result<const FeedBatch *> batch = feed.next();
    if (batch.failed())
      return batch.status();
    if (!*batch)
      break;
    call.set(eval->rows, (*batch)->rows);
    if (Status status = feed.run(); status.failed())
      return status;
    lossSum += call.get(eval->lossSum);
    count(*eval, **batch, result);
  }
  result.loss = result.images ? lossSum / double(result.images) : 0;
  return result;
}

ClassScore scoreOf(const Evaluation &evaluation, size_t classIndex) {
  size_t classes = evaluation.classNames.size();
  int64_t actual = 0, predicted = 0;
  for (size_t other = 0; other < classes; ++other) {
    actual += evaluation.confusion[classIndex * classes + other];
    predicted += evaluation.confusion[other * classes + classIndex];
  }
  int64_t right = evaluation.confusion[classIndex * classes + classIndex];
  auto ratio = [](int64_t part, int64_t whole) {
    return whole ? double(part) / double(whole) : std::nan("");
  };
  ClassScore score;
  score.images = actual;
  score.precision = ratio(right, predicted);
  score.recall = ratio(right, actual);
  score.accuracy = ratio(evaluation.images - actual - predicted + 2 * right, evaluation.images);
  return score;
}

static std::string percent(double part) {
  return std::isnan(part) ? "-" : formatText("%.2f%%", 100 * part);
}

std::string evaluationText(const Evaluation &evaluation) {
  size_t classes = evaluation.classNames.size();
  std::string text =
      formatText("%s images, loss %.4f, accuracy %s\n", groupDigits(evaluation.images).c_str(),
                 evaluation.loss, percent(evaluation.accuracy()).c_str());
  if (evaluation.nonFinite)
    text += formatText("%s %s an output that is not finite\n",
                       groupDigits(evaluation.nonFinite).c_str(),
                       evaluation.nonFinite == 1 ? "image has" : "images have");
  int width = 5;
  for (const std::string &name : evaluation.classNames)
    width = std::max(width, displayWidth(name));

  text += "\n" + padRight("class", width) + "   images  precision   recall  accuracy\n";
  for (size_t i = 0; i < classes; ++i) {
    ClassScore score = scoreOf(evaluation, i);
    text += padRight(evaluation.classNames[i], width) + padLeft(groupDigits(score.images), 9) +
            padLeft(percent(score.precision), 11) + padLeft(percent(score.recall), 9) +
            padLeft(percent(score.accuracy), 10) + "\n";
  }

  int digits = 5;
  for (int64_t cell : evaluation.confusion)
    digits = std::max<int>(digits, static_cast<int>(std::to_string(cell).size()) + 1);
  text += "\nconfusion matrix: a row per class, a column per prediction\n";
  int label = width + 1 + static_cast<int>(std::to_string(classes - 1).size());
  text += std::string(label, ' ');
  for (size_t i = 0; i < classes; ++i)
    text += padLeft(std::to_string(i), digits);
  text += "\n";
  for (size_t i = 0; i < classes; ++i) {
    text += padRight(padRight(evaluation.classNames[i], width) + " " + std::to_string(i), label);
    for (size_t j = 0; j < classes; ++j)
      text += padLeft(std::to_string(evaluation.confusion[i * classes + j]), digits);
    text += "\n";
  }
  return text;
}

Json evaluationJson(const Evaluation &evaluation) {
  auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  size_t classes = evaluation.classNames.size();
  Json json;
  json["images"] = evaluation.images;
  json["loss"] = number(evaluation.loss);
  json["accuracy"] = evaluation.accuracy();
  if (evaluation.nonFinite)
    json["nonfinite_images"] = evaluation.nonFinite;
  json["classes"] = Json::array();
  json["confusion"] = Json::array();
  for (size_t i = 0; i < classes; ++i) {
    ClassScore score = scoreOf(evaluation, i);
    json["classes"].push_back({{"name", evaluation.classNames[i]},
                               {"images", score.images},
                               {"precision", number(score.precision)},
                               {"recall", number(score.recall)},
                               {"accuracy", number(score.accuracy)}});
    Json row = Json::array();
    for (size_t j = 0; j < classes; ++j)
      row.push_back(evaluation.confusion[i * classes + j]);
    json["confusion"].push_back(std::move(row));
  }
  return json;
}

} // namespace cnn
