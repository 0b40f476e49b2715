// Element i of input p of batch n is number i of the stream (n, Test, p).
#include "compiler/tools/measure/RandomBatch.h"

#include "runtime/core/Random.h"

namespace cnn::tool {

void RandomBatch::bind(Call &call) const {
  for (size_t i = 0; i < positions.size(); ++i)
    call.bind(positions[i], memory[i].data());
}

Result<RandomBatch> RandomBatch::make(Call &call, int64_t classes, uint64_t number) {
  RandomBatch batch;
  const std::vector<BufferSpec> &buffers = call.entry().buffers;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const BufferSpec &spec = buffers[i];
    if (spec.role != BufferRole::Input || spec.shape.empty())
      continue;
    int64_t count = elementCount(spec.shape).value_or(0);
    Result<AlignedBuffer> memory =
        AlignedBuffer::allocate(uint64_t(count) * elementBytes(spec.element), spec.name);
    if (memory.failed())
      return memory.status();
    batch.positions.push_back(int(i));
    batch.memory.push_back(std::move(*memory));
  }
  for (size_t i = 0; i < batch.positions.size(); ++i) {
    const BufferSpec &spec = call.spec(batch.positions[i]);
    RandomStream stream(number, RandomPurpose::Test, uint64_t(batch.positions[i]));
    bool labels = spec.element == ElementType::I32;
    for (int64_t e = 0, count = *elementCount(spec.shape); e < count; ++e)
      storeElement(spec.element, batch.memory[i].data(), e,
                   labels ? double(stream.below(e, classes)) : stream.uniform(e));
  }
  batch.bind(call);
  return batch;
}

} // namespace cnn::tool
