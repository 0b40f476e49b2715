// An entry point on a GPU: its inputs and outputs in pinned memory and in the GPU's, laid out
// alike, its kernels, and the graphs that they were captured in.
//
//   host    [scalars][tensors, place 0][tensors, place 1][outputs]
//               |  on `compute`   |  on `copies`, by bind()  ^
//   GPU     [scalars][tensors, place 0][tensors, place 1][outputs]
//
// A tensor that is bound goes to the place that the last run did not read; start() waits, on the
// GPU, for its copy. So there is a graph for every pair of a state and of places that come up: two
// in training, where both alternate.
#ifndef CNNC_RUNTIME_DEVICE_CUDA_CUDACALL_H
#define CNNC_RUNTIME_DEVICE_CUDA_CUDACALL_H

#include "runtime/device/Device.h"
#include "runtime/device/cuda/CudaNet.h"

#include <map>
#include <vector>

namespace cnn::cuda {

class CudaCall : public DeviceCall {
public:
  CudaCall(CudaNet &net, const EntryPoint &point) : net(net), point(point), layout(point) {}
  ~CudaCall() override;
  /// Takes the memory and finds the kernels.
  Status allocate();

  void bind(int position, const void *data) override;
  void *input(int position) override;
  const void *output(int position) const override { return host.at(layout.offsets[position]); }
  Status start(int state) override;
  Status finish() override;
  /// Events before the first kernel and after each; the copies are not in it.
  Result<std::vector<double>> timeLaunches(int state) override;

private:
  /// Where the runs read a tensor input.
  struct Place {
    int slot = 0;           // that of the last run
    bool isBound = false;   // the other one has been filled since
    bool isChanged = false; // the host has written the one that counts since
  };
  uint64_t offsetOf(int position, int slot) const {
    return layout.offsets[size_t(position)] + uint64_t(slot) * layout.slotBytes;
  }
  int nextSlot(int position) const {
    const Place &place = places[size_t(position)];
    return place.isBound ? 1 - place.slot : place.slot;
  }
  const DriverTable &table() const { return net.context()->driver().table(); }
  Stream compute() const { return net.context()->compute(); }
  Status check(Code code, const std::string &what) const {
    return net.context()->check(code, what);
  }
  /// "train_step of net 'lenet'".
  std::string text() const;

  Status prepareRun(int state);
  Status mark(size_t index);
  Status settle();
  Status takeInputs();
  Pointer addressOf(const LaunchArgument &argument, int state) const;
  Status launch(size_t index, int state);
  Status copyScalars();
  Status copyOutputs();
  Status issue(int state, bool oneByOne);
  Result<GraphExec> capture(int state);

  CudaNet &net;
  const EntryPoint &point;
  const CallLayout layout;
  PinnedMemory host;
  GpuMemory memory;
  Event copied = nullptr;
  std::vector<Function> functions; // of the launches
  std::vector<Place> places;       // by position
  std::vector<Event> marks;        // of timeLaunches, where it was called
  std::map<std::vector<int>, GraphExec> graphs;
  Status early;           // what went wrong in bind() or input()
  bool isChecked = false; // a run has been waited for kernel by kernel
  bool isGraph = false;   // the last run was one
  bool isCopying = false; // `copies` has work of this call
};

} // namespace cnn::cuda

#endif
