// One batch ahead; see Feed.h. A batch is bound only when the run that reads the one before has
// been started, so both may lie in the same memory of the loader.
#include "runtime/train/Feed.h"

#include <utility>

namespace cnn {

void Feed::fetch() {
  isFetched = true;
  Result<const Batch *> batch = loader.next();
  found = batch.failed() ? batch.status() : Status();
  isOver = batch.isOk() && !*batch;
  if (batch.failed() || isOver)
    return;
  const Batch &taken = **batch;
  upcoming.labels.assign(taken.labels, taken.labels + taken.rows);
  upcoming.rows = taken.rows;
  upcoming.epoch = taken.epoch;
  upcoming.index = taken.index;
  call.bind(images, taken.images);
  call.bind(labels, taken.labels);
}

Result<const FeedBatch *> Feed::next() {
  if (!isFetched)
    fetch();
  if (found.failed())
    return found;
  if (isOver)
    return nullptr;
  std::swap(current, upcoming);
  isFetched = false;
  return &current;
}

Status Feed::run() {
  if (Status status = call.start(); status.failed())
    return status;
  fetch();
  return call.finish();
}

} // namespace cnn
