// Batches on their way from a Loader into a call: while the device computes on one, the next is
// read and handed to it. In: a Loader, and where images and labels go; out: runs of the call.
#ifndef CNNC_RUNTIME_TRAIN_FEED_H
#define CNNC_RUNTIME_TRAIN_FEED_H

#include "runtime/core/Status.h"
#include "runtime/data/Loader.h"
#include "runtime/train/Session.h"

#include <cstdint>
#include <vector>

namespace cnn {

/// What is known of a batch that the call has been given.
struct FeedBatch {
  std::vector<int32_t> labels; ///< of its rows
  int32_t rows = 0;
  uint64_t epoch = 0;
  int64_t index = 0; ///< within its epoch
};

class Feed {
public:
  /// `loader` and `call` must outlive this; images and labels are bound to these inputs of `call`.
  Feed(Loader &loader, Call &call, int images, int labels)
      : loader(loader), call(call), images(images), labels(labels) {}

  /// The batch that run() will compute on; null after the last. Fails when one could not be read.
  Result<const FeedBatch *> next();
  /// Runs the call on it, and reads the batch after it meanwhile. What is wrong with that one,
  /// next() says.
  Status run();

private:
  void fetch();

  Loader &loader;
  Call &call;
  const int images, labels;
  FeedBatch current, upcoming;
  Status found;           // of reading `upcoming`
  bool isFetched = false; // so `upcoming` and `found` are of the next batch
  bool isOver = false;
};

} // namespace cnn

#endif
