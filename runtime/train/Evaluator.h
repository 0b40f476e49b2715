// How good a net is on a split of a data set: loss, accuracy, and what it takes for what. In: a
// Session whose net has the entry point `eval`; out: an Evaluation, as text or JSON.
#ifndef CNNC_RUNTIME_TRAIN_EVALUATOR_H
#define CNNC_RUNTIME_TRAIN_EVALUATOR_H

#include "runtime/core/Json.h"
#include "runtime/data/Dataset.h"
#include "runtime/train/Session.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cnn {

struct Evaluation {
  std::vector<std::string> classNames;
  int64_t images = 0;
  int64_t correct = 0;
  double loss = 0; ///< mean over the images
  /// confusion[actual * classes + predicted] counts images. The prediction is the first class with
  /// the largest output.
  std::vector<int64_t> confusion;
  /// Images with an output that is NaN or infinite (they count as wrong, unless by chance).
  int64_t nonFinite = 0;
  /// `stop` ended it early: the figures cover only some of the images.
  bool stopped = false;

  double accuracy() const { return images ? double(correct) / double(images) : 0; }
};

/// Of one class, against all others; NaN where nothing was counted.
struct ClassScore {
  int64_t images = 0;
  double precision = 0; ///< of those predicted as this class, the part that is
  double recall = 0;    ///< of this class's images, the part predicted as it
  double accuracy = 0;  ///< of all images, the part rightly said to be, or not to be, of this class
};
ClassScore scoreOf(const Evaluation &evaluation, size_t classIndex);

/// What a data set must fit; the shapes are of one sample.
struct NetShape {
  std::string net;
  std::vector<int64_t> image, output;
};
/// Of the entry point `eval` of `manifest`, or of its first one where it lacks that (`output` is
/// empty where that gives none). Fails where the net does not take one tensor of images.
Result<NetShape> netShape(const Manifest &manifest);

/// Checks that images of `samples` and the classes fit what the net takes and gives; fails with
/// both shapes.
Status checkFits(const NetShape &net, const SampleSet &samples, size_t classes,
                 const std::string &dataName);

/// Runs `eval` over all of `samples`. `stop`, where given, is asked between batches.
Result<Evaluation> evaluate(Session &session, const SampleSet &samples,
                            const std::vector<std::string> &classNames,
                            const std::function<bool()> &stop = {});

/// Totals, a table of the classes, the confusion matrix.
std::string evaluationText(const Evaluation &evaluation);
/// {"images", "loss", "accuracy", "classes": [{"name", "images", "precision", "recall",
/// "accuracy"}], "confusion": [[...]]}; what was not counted is null.
Json evaluationJson(const Evaluation &evaluation);

} // namespace cnn

#endif
