// mma.sync and ldmatrix, with the layouts of fragments from the PTX manual. Products are exact and
// summed in double, then rounded once to the result's type; hardware adds in another order and
// truncates, so results agree to rounding only.
#include "test/emulator/Checker.h"
#include "test/emulator/Model.h"
#include "test/emulator/Runtime.h"

#include <cstring>

namespace cnn::emulator {

using Shape = MatrixShape;

const MatrixShape matrixShapes[] = {
    {"m16n8k8.row.col.tf32", Shape::TF32, Shape::F32, 8, 4, 2, 4},
    {"m16n8k4.row.col.tf32", Shape::TF32, Shape::F32, 4, 2, 1, 4},
    {"m16n8k16.row.col.bf16", Shape::BF16, Shape::F32, 16, 4, 2, 4},
    {"m16n8k8.row.col.bf16", Shape::BF16, Shape::F32, 8, 2, 1, 4},
    {"m16n8k16.row.col.f32.f32", Shape::F16, Shape::F32, 16, 4, 2, 4},
    {"m16n8k8.row.col.f32.f32", Shape::F16, Shape::F32, 8, 2, 1, 4},
    {"m16n8k16.row.col.f16.f16", Shape::F16, Shape::F16, 16, 4, 2, 2},
    {"m16n8k8.row.col.f16.f16", Shape::F16, Shape::F16, 8, 2, 1, 2},
};
const unsigned matrixShapeCount = std::size(matrixShapes);

namespace {

float asFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

uint32_t asBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

float halfToFloat(uint16_t bits) {
  _Float16 value;
  std::memcpy(&value, &bits, 2);
  return value;
}

uint16_t floatToHalf(float number) {
  _Float16 value = _Float16(number);
  uint16_t bits;
  std::memcpy(&bits, &value, 2);
  return bits;
}

/// Element `half` of a register of an operand. tf32 ignores the low 13 bits.
float element(Shape::Element type, uint32_t bits, unsigned half) {
  if (type == Shape::TF32)
    return asFloat(bits & 0xffffe000);
  uint16_t part = bits >> (16 * half);
  return type == Shape::BF16 ? asFloat(uint32_t(part) << 16) : halfToFloat(part);
}

struct Matrices {
  float a[16][16], b[16][8], c[16][8];
};

void unpack(Matrices &m, const Shape &shape, unsigned lane, const uint32_t *in) {
  unsigned group = lane / 4, within = lane % 4;
  unsigned packed = shape.operand == Shape::TF32 ? 1 : 2; // elements per register
  for (unsigned i = 0; i < shape.registersA; ++i)
    for (unsigned h = 0; h < packed; ++h)
      m.a[group + 8 * (i % 2)][within * packed + h + 4 * packed * (i / 2)] =
          element(shape.operand, in[i], h);
  in += shape.registersA;
  for (unsigned i = 0; i < shape.registersB; ++i)
    for (unsigned h = 0; h < packed; ++h)
      m.b[within * packed + h + 4 * packed * i][group] = element(shape.operand, in[i], h);
  in += shape.registersB;
  for (unsigned i = 0; i < 4; ++i)
    m.c[group + 8 * (i / 2)][within * 2 + i % 2] =
        shape.result == Shape::F32 ? asFloat(in[i]) : element(Shape::F16, in[i / 2], i % 2);
}

void pack(const Matrices &m, const Shape &shape, unsigned lane, uint32_t *out) {
  unsigned group = lane / 4, within = lane % 4;
  for (unsigned i = 0; i < 4; ++i) {
    float value = m.c[group + 8 * (i / 2)][within * 2 + i % 2];
    if (shape.result == Shape::F32)
      out[i] = asBits(value);
    else
      out[i / 2] = i % 2 ? out[i / 2] | uint32_t(floatToHalf(value)) << 16 : floatToHalf(value);
  }
}

/// Matrix operations need all 32 lanes.
bool whole(Collective &collective) {
  for (LaneData *data : collective.lanes)
    if (!data)
      return false;
  return true;
}

void multiply(Collective &collective, int number) {
  if (!whole(collective))
    return;
  const Shape &shape = matrixShapes[number];
  Matrices m;
  for (unsigned lane = 0; lane < 32; ++lane)
    unpack(m, shape, lane, collective.lanes[lane]->in);
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned j = 0; j < 8; ++j) {
      double sum = m.c[i][j];
      for (unsigned k = 0; k < shape.depth; ++k)
        sum += double(m.a[i][k]) * double(m.b[k][j]);
      m.c[i][j] = float(sum);
    }
  for (unsigned lane = 0; lane < 32; ++lane) {
    pack(m, shape, lane, collective.lanes[lane]->out);
    collective.lanes[lane]->done = true;
  }
}

/// `argument`: number of matrices, plus 16 when transposed.
void loadMatrices(Collective &collective, int argument) {
  if (!whole(collective))
    return;
  unsigned count = argument % 16;
  for (unsigned matrix = 0; matrix < count; ++matrix) {
    uint16_t rows[8][8];
    for (unsigned row = 0; row < 8; ++row)
      std::memcpy(rows[row], collective.lanes[matrix * 8 + row]->address, 16);
    for (unsigned lane = 0; lane < 32; ++lane) {
      unsigned group = lane / 4, within = lane % 4;
      uint32_t low = argument & 16 ? rows[2 * within][group] : rows[group][2 * within];
      uint32_t high = argument & 16 ? rows[2 * within + 1][group] : rows[group][2 * within + 1];
      collective.lanes[lane]->out[matrix] = low | high << 16;
    }
  }
  for (LaneData *data : collective.lanes)
    data->done = true;
}

void gatherWarp(LaneData &data, unsigned site, void (*compute)(Collective &, int), int argument) {
  Block &block = *data.thread->block;
  block.gather(data, ~0u, site, compute, argument);
  if (!data.done)
    block.fail(*data.thread, LaunchFailed, "a matrix operation without all 32 lanes", site);
}

} // namespace

extern "C" {

void cnnEmulatorMatrix(Thread *thread, uint32_t shape, const uint32_t *in, uint32_t *out,
                       uint32_t site) {
  const Shape &what = matrixShapes[shape];
  LaneData data{};
  data.thread = thread;
  std::memcpy(data.in, in, 4 * (what.registersA + what.registersB + what.registersC));
  gatherWarp(data, site, multiply, shape);
  std::memcpy(out, data.out, 4 * what.registersC);
}

void cnnEmulatorLoadMatrix(Thread *thread, uint32_t count, uint32_t transposed, char *address,
                           uint32_t *out, uint32_t site) {
  Block &block = *thread->block;
  // The first 8 * count lanes give the rows' addresses.
  if (thread->lane() < 8 * count) {
    if (uintptr_t(address) % 16 != 0)
      block.fail(*thread, MisalignedAddress, "an ldmatrix row that is not aligned to 16 bytes",
                 site);
    if (block.options.checker)
      block.options.checker->access(*thread, address, 16, site);
    if (block.options.model)
      block.options.model->access(*thread, address, 16, site);
  }
  LaneData data{};
  data.thread = thread;
  data.address = address;
  gatherWarp(data, site, loadMatrices, count | (transposed ? 16 : 0));
  std::memcpy(out, data.out, 4 * count);
}

} // extern "C"

} // namespace cnn::emulator
