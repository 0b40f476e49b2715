// The stages of a pipeline that change pixels. Internal to runtime/data.
#ifndef CNNC_RUNTIME_DATA_STAGES_H
#define CNNC_RUNTIME_DATA_STAGES_H

#include "runtime/data/Dataset.h"

namespace cnn {

/// The transform of a stage, null for a name that is none. `ordinal` counts the transforms before
/// it, so that each random one draws from numbers of its own.
std::shared_ptr<const Transform> makeTransform(const DataCall &stage, unsigned ordinal);

} // namespace cnn

#endif
