// Batches of a SampleSet, prepared on a background thread while the previous one is computed on.
#ifndef CNNC_RUNTIME_DATA_LOADER_H
#define CNNC_RUNTIME_DATA_LOADER_H

#include "runtime/core/Element.h"
#include "runtime/data/Dataset.h"

#include <cstdint>
#include <memory>

namespace cnn {

/// One batch; the memory (64-byte aligned) stays valid until the next call of Loader::next.
struct Batch {
  /// [rowsInMemory, C, H, W], of which the rows beyond `rows` hold anything.
  const void *images = nullptr;
  const int32_t *labels = nullptr; ///< [rowsInMemory]
  int32_t rows = 0;                ///< batchSize, or less in the last batch of an epoch
  uint64_t epoch = 0;              ///< from 0
  int64_t index = 0;               ///< of the batch within its epoch, from 0
  bool last = false;               ///< of its epoch
};

struct LoaderOptions {
  int64_t batchSize = 1;
  /// Rows that the memory of a batch has, for code that was compiled for more than batchSize; 0:
  /// batchSize.
  int64_t rowsInMemory = 0;
  uint64_t seed = 0;
  /// Order of an epoch: RandomStream(seed, Shuffle, epoch).permutation(size), or 0, 1, 2, ...
  bool shuffle = false;
  /// For training steps: random stages of the pipeline draw, by seed, epoch and sample.
  bool training = false;
  /// Where to start, and the epoch to stop before: a resumed run gets exactly the batches that the
  /// interrupted one would have got.
  uint64_t firstEpoch = 0;
  int64_t firstBatch = 0;
  uint64_t endEpoch = 1;
  /// F32 or F64 images.
  ElementType element = ElementType::F32;
  /// Without a background thread, next() itself prepares the batch; the batches are the same.
  bool background = true;
};

/// Goes through the epochs without a pause between them (the next epoch's first batch is prepared
/// during the last step of this one).
class Loader {
public:
  /// `samples` is copied (it shares its source). Fails on a batch size below 1, an empty set, a
  /// first batch beyond the epoch, or for lack of memory.
  static Result<std::unique_ptr<Loader>> create(const SampleSet &samples,
                                                const LoaderOptions &options);
  ~Loader();

  /// The next batch, or null after the last one of epoch endEpoch - 1. Fails when a sample could
  /// not be read.
  Result<const Batch *> next();

  /// Batches of one epoch: size / batchSize, rounded up.
  int64_t batchesPerEpoch() const;

private:
  struct State;
  explicit Loader(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace cnn

#endif
