// Names of devices, and what is said where there is none: of a driver that is no driver, and of
// nets for another device.
#include "runtime/device/Devices.h"
#include "runtime/device/cuda/Driver.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace cnn;

namespace {

std::string failureOf(const std::string &name) { return DeviceRequest::parse(name).message(); }

TEST(DevicesTest, ReadsNames) {
  EXPECT_EQ(DeviceRequest::parse("cpu")->kind, DeviceRequest::Cpu);
  EXPECT_EQ(DeviceRequest::parse("auto")->kind, DeviceRequest::Auto);
  EXPECT_EQ(DeviceRequest::parse("cuda")->kind, DeviceRequest::Cuda);
  EXPECT_EQ(DeviceRequest::parse("cuda")->index, 0);
  EXPECT_EQ(DeviceRequest::parse("cuda:12")->kind, DeviceRequest::Cuda);
  EXPECT_EQ(DeviceRequest::parse("cuda:12")->index, 12);
  EXPECT_EQ(failureOf("gpu"), "the devices are cpu, cuda, cuda:N and auto, not 'gpu'");
  for (const char *wrong : {"", "CPU", "cuda:", "cuda:-1", "cuda:1x", "cuda:99999999999", "cpu:0"})
    EXPECT_NE(failureOf(wrong), "") << wrong;
}

TEST(DevicesTest, SaysWhyThereIsNoGpu) {
  setenv("CNN_LIBCUDA", "/nowhere/libcuda.so", 1);
  std::string reason = "there is no NVIDIA driver: /nowhere/libcuda.so: cannot open shared object "
                       "file: No such file or directory";
  EXPECT_EQ(openDevice(*DeviceRequest::parse("cuda:3"), 1).message(), reason);
  Result<OpenDevice> opened = openDevice(*DeviceRequest::parse("auto"), 2);
  ASSERT_TRUE(opened.isOk()) << opened.message();
  EXPECT_EQ(opened->reason, reason);
  ASSERT_NE(opened->cpu, nullptr);
  EXPECT_EQ(opened->device->text(), "2 threads");
  EXPECT_EQ(opened->device->name(), "cpu");
  EXPECT_EQ(opened->device->arch(), "");
  unsetenv("CNN_LIBCUDA");
}

TEST(DevicesTest, KnowsTargetsOfGpus) {
  auto archOf = [](int capability) {
    cuda::Gpu gpu;
    gpu.capability = capability;
    return gpu.arch();
  };
  EXPECT_EQ(archOf(70), "");
  EXPECT_EQ(archOf(75), "sm_75");
  EXPECT_EQ(archOf(87), "sm_86");
  EXPECT_EQ(archOf(90), "sm_90");
  EXPECT_EQ(archOf(103), "sm_100");
  EXPECT_EQ(archOf(121), "sm_120");
  EXPECT_EQ(cuda::versionText(12080), "12.8");
}

TEST(DevicesTest, RefusesNetsForAnotherDevice) {
  CompiledNet net;
  net.manifest.net = "small";
  net.manifest.target = CodeTarget::Nvptx;
  net.manifest.arch = "sm_80";
  EXPECT_EQ((*CpuDevice::create(1))->load(net).message(),
            "net 'small' was compiled for the GPU target sm_80, not for the CPU");
}

} // namespace
