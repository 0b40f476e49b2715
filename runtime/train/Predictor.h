// What a net says about single images. In: images named on the command line (a .npy tensor, an item
// of an IDX file or of a known data set) and a Session whose net has the entry point `infer`; out:
// the net's outputs and, as probabilities, their softmax.
#ifndef CNNC_RUNTIME_TRAIN_PREDICTOR_H
#define CNNC_RUNTIME_TRAIN_PREDICTOR_H

#include "runtime/core/Json.h"
#include "runtime/data/Dataset.h"
#include "runtime/train/Session.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cnn {

/// One image to predict, ready for the net.
struct PredictInput {
  std::string name;                       ///< as given, with "[i]" for one of several in a tensor
  Image image;                            ///< of the net's shape
  std::vector<std::string> preprocessing; ///< what was done to the values: "pixels / 255"
  std::optional<int32_t> label;           ///< where the source knows it
};

/// Reads the images that `argument` names:
///   FILE.png, .jpg, .jpeg          an image, grey or colour as the data set of `pipeline` is
///   FILE.npy                       a tensor [H, W] (where C is 1), [C, H, W] or [N, C, H, W]: of
///   bytes,
///                                  which are pixels, or of other elements, taken as they are
///   FILE:N                         item N (from 0) of the IDX file FILE, plain or gzip, of rank 3
///   NAME:train:N and NAME:test:N   item N of a split of the data set NAME, found in `place`; where
///                                  `pipeline` is of that set, of the images that it selects
/// Pixels are divided by 255 and go through the stages of `pipeline`, where there is one. Fails,
/// naming the argument and both shapes, on images that are not of `shape` then, on an N outside the
/// file, and on values that are not finite.
Result<std::vector<PredictInput>> readPredictInputs(const std::string &argument, ImageShape shape,
                                                    const DataPlace &place,
                                                    const DataPipeline *pipeline = nullptr);

struct Prediction {
  std::vector<double> logits; ///< what the net gives, unchanged
  std::vector<double> probabilities;
  std::vector<int> ranking; ///< classes by falling output, equal ones by number
};

/// Runs `infer` over all inputs. Fails when an input does not fit the net.
Result<std::vector<Prediction>> predict(Session &session, const std::vector<PredictInput> &inputs);

/// Several lines: name, the `top` likeliest classes with their probabilities, the preprocessing.
/// Classes beyond `classNames` are called by number.
std::string predictionText(const PredictInput &input, const Prediction &prediction,
                           const std::vector<std::string> &classNames, int top);
/// {"input", "class", "probability", "label"?, "probabilities": {name: p}, "logits": [...],
/// "preprocessing": [...]}; probabilities by class.
Json predictionJson(const PredictInput &input, const Prediction &prediction,
                    const std::vector<std::string> &classNames);

} // namespace cnn

#endif
