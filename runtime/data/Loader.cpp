// The background loader: a ring of three batches, one in use and up to two prepared. What is in a
// batch depends on its epoch and index only, never on when or by whom it is prepared.
#include "runtime/data/Loader.h"

#include "runtime/core/Buffer.h"
#include "runtime/core/Random.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace cnn {

struct Loader::State {
  static constexpr uint64_t slotCount = 3;
  struct Slot {
    AlignedBuffer images, labels;
    Batch batch;
    Status status;
  };

  SampleSet samples;
  LoaderOptions options;
  Slot slots[slotCount];
  int64_t batches = 0; ///< of one epoch

  // Where the producer is.
  uint64_t epoch = 0;
  int64_t index = 0;
  std::vector<uint32_t> order; ///< of `orderEpoch`
  uint64_t orderEpoch = UINT64_MAX;
  SampleBuffers buffers; ///< of the one thread that prepares

  // Counts of batches, guarded by `mutex`: released <= taken <= prepared <= released + slotCount.
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t prepared = 0, taken = 0, released = 0;
  bool finished = false, stopping = false;
  std::thread thread;

  bool atEnd() const { return epoch >= options.endEpoch; }
  void prepareNext(Slot &slot);
  Status fillRow(Slot &slot, int64_t row, int64_t sample);
  void run();
};

Status Loader::State::fillRow(Slot &slot, int64_t position, int64_t sample) {
  slot.labels.as<int32_t>()[position] = samples.label(sample);
  SampleKey key{options.seed, epoch, uint64_t(sample), options.training};
  int64_t elements = samples.shape().elements();
  if (options.element == ElementType::F32)
    return samples.read(sample, key, slot.images.as<float>() + position * elements, buffers);
  return samples.read(sample, key, slot.images.as<double>() + position * elements, buffers);
}

/// Prepares batch `index` of `epoch` and moves on to the next.
void Loader::State::prepareNext(Slot &slot) {
  if (options.shuffle && orderEpoch != epoch) {
    order = RandomStream(options.seed, RandomPurpose::Shuffle, epoch)
                .permutation(uint32_t(samples.size()));
    orderEpoch = epoch;
  }
  int64_t first = index * options.batchSize;
  int64_t rows = std::min(options.batchSize, samples.size() - first);
  slot.batch = {slot.images.data(),  slot.labels.as<int32_t>(), int32_t(rows), epoch, index,
                index + 1 == batches};
  slot.status = Status::success();
  for (int64_t i = 0; i < rows && slot.status.isOk(); ++i)
    slot.status = fillRow(slot, i, options.shuffle ? order[size_t(first + i)] : first + i);
  if (++index == batches) {
    index = 0;
    ++epoch;
  }
}

void Loader::State::run() {
  std::unique_lock<std::mutex> lock(mutex);
  while (!atEnd()) {
    changed.wait(lock, [&] { return stopping || prepared - released < slotCount; });
    if (stopping)
      return;
    Slot &slot = slots[prepared % slotCount];
    lock.unlock();
    prepareNext(slot);
    lock.lock();
    ++prepared;
    changed.notify_all();
  }
  finished = true;
  changed.notify_all();
}

Loader::Loader(std::unique_ptr<State> state) : state(std::move(state)) {}

Loader::~Loader() {
  if (!state->thread.joinable())
    return;
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    state->stopping = true;
  }
  state->changed.notify_all();
  state->thread.join();
}

int64_t Loader::batchesPerEpoch() const { return state->batches; }

Result<std::unique_ptr<Loader>> Loader::create(const SampleSet &samples,
                                               const LoaderOptions &options) {
  if (options.batchSize < 1 || options.batchSize > INT32_MAX)
    return Status::failure(formatText("the batch size is %lld, expected 1 to %d",
                                      (long long)options.batchSize, INT32_MAX));
  if (samples.size() < 1 || samples.size() > UINT32_MAX)
    return Status::failure(formatText("the data set has %lld samples, expected 1 to %u",
                                      (long long)samples.size(), UINT32_MAX));
  if (options.element != ElementType::F32 && options.element != ElementType::F64)
    return Status::failure(std::string("images cannot have elements of type ") +
                           elementName(options.element));
  auto state = std::make_unique<State>();
  state->samples = samples;
  state->options = options;
  state->batches = (samples.size() - 1) / options.batchSize + 1;
  if (options.firstBatch < 0 || options.firstBatch > state->batches)
    return Status::failure(formatText("the run was at batch %lld of an epoch, an epoch now has "
                                      "%lld",
                                      (long long)options.firstBatch, (long long)state->batches));
  state->epoch = options.firstEpoch + (options.firstBatch == state->batches);
  state->index = options.firstBatch % state->batches;
  int64_t rows = std::max(options.batchSize, options.rowsInMemory);
  std::vector<int64_t> shape = samples.shape().dims();
  shape.insert(shape.begin(), rows);
  std::optional<int64_t> elements = elementCount(shape);
  int64_t bytes = 0;
  if (!elements || __builtin_mul_overflow(*elements, elementBytes(options.element), &bytes))
    return Status::failure("a batch of shape " + shapeText(shape) + " exceeds 2^63 bytes");
  for (State::Slot &slot : state->slots) {
    Result<AlignedBuffer> images =
        AlignedBuffer::allocate(uint64_t(bytes), "a batch of shape " + shapeText(shape));
    Result<AlignedBuffer> labels =
        AlignedBuffer::allocate(uint64_t(rows) * sizeof(int32_t), "the labels");
    if (images.failed())
      return images.status();
    if (labels.failed())
      return labels.status();
    slot.images = std::move(*images);
    slot.labels = std::move(*labels);
  }
  if (options.background) {
    try {
      state->thread = std::thread(&State::run, state.get());
    } catch (const std::system_error &) {
      // The batches are the same without it.
      state->options.background = false;
    }
  }
  return std::unique_ptr<Loader>(new Loader(std::move(state)));
}

Result<const Batch *> Loader::next() {
  State &s = *state;
  State::Slot *slot = &s.slots[0];
  if (!s.options.background) {
    if (s.atEnd())
      return nullptr;
    s.prepareNext(*slot);
  } else {
    std::unique_lock<std::mutex> lock(s.mutex);
    if (s.released != s.taken) {
      s.released = s.taken;
      s.changed.notify_all();
    }
    s.changed.wait(lock, [&] { return s.prepared > s.taken || s.finished; });
    if (s.prepared == s.taken)
      return nullptr;
    slot = &s.slots[s.taken++ % State::slotCount];
  }
  if (slot->status.failed())
    return slot->status;
  return &slot->batch;
}

} // namespace cnn
