// Random images and labels for the steps that are measured.
#ifndef CNNC_COMPILER_TOOLS_MEASURE_RANDOMBATCH_H
#define CNNC_COMPILER_TOOLS_MEASURE_RANDOMBATCH_H

#include "runtime/core/Buffer.h"
#include "runtime/core/Status.h"
#include "runtime/train/Session.h"

#include <cstdint>
#include <vector>

namespace cnn::tool {

/// Memory for every tensor input of an entry point.
class RandomBatch {
public:
  /// Images uniform in [0, 1), labels uniform over the classes; batches differ by `number`. Leaves
  /// the call bound to them.
  static Result<RandomBatch> make(Call &call, int64_t classes, uint64_t number);

  void bind(Call &call) const;

private:
  std::vector<AlignedBuffer> memory;
  std::vector<int> positions;
};

} // namespace cnn::tool

#endif
