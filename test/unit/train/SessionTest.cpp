// A session runs `prepare` when the state is another one than at the call before, and only then:
// seen on a net written by hand, whose prepared number is twice the state's.
#include "runtime/train/Session.h"

#include "runtime/device/cpu/CpuDevice.h"

#include <gtest/gtest.h>

using namespace cnn;

namespace {

int prepareCalls = 0;

void prepare(void *const *buffers, const cnn_context *context) {
  if (context && context->worker != 0)
    return;
  ++prepareCalls;
  *static_cast<float *>(buffers[1]) = 2 * *static_cast<const float *>(buffers[0]);
}

void infer(void *const *buffers, const cnn_context *context) {
  if (!context || context->worker == 0)
    *static_cast<float *>(buffers[1]) = *static_cast<const float *>(buffers[0]);
}

/// New state: the old one and one.
void step(void *const *buffers, const cnn_context *context) {
  if (!context || context->worker == 0)
    *static_cast<float *>(buffers[1]) = *static_cast<const float *>(buffers[0]) + 1;
}

Result<Manifest> makeManifest(const std::string &preparedBytes, const std::string &prepareEntry) {
  return parseManifest(
      R"({"abi":2,"net":"twice","batch":1,"element":"f32","cpu":"generic","state_bytes":64,)"
      R"("prepared_bytes":64,"state":[{"name":"w","kind":"parameter","element":"f32","shape":[1],)"
      R"("offset":0,"init":{"kind":"zeros"}}],"entries":[)"
      R"({"name":"infer","symbol":"infer","flops":1,"buffers":[{"role":"prepared","bytes":)" +
      preparedBytes +
      R"(},{"role":"output","name":"logits","element":"f32","shape":[1]}]},)"
      R"({"name":"train_step","symbol":"step","flops":1,"buffers":[{"role":"state_in","bytes":64},)"
      R"({"role":"state_out","bytes":64}]},{"name":")" +
      prepareEntry +
      R"(","symbol":"prepare","flops":0,"buffers":[{"role":"state_in","bytes":64},)"
      R"({"role":"prepared","bytes":64}]}]})");
}

TEST(SessionTest, PreparesWhenTheStateChanges) {
  Result<Manifest> manifest = makeManifest("64", "prepare");
  ASSERT_FALSE(manifest.failed()) << manifest.message();
  CompiledNet net;
  net.manifest = std::move(*manifest);
  net.lookup = [](std::string_view symbol) {
    return symbol == "prepare" ? prepare : symbol == "infer" ? infer : step;
  };
  Result<std::unique_ptr<CpuDevice>> device = CpuDevice::create(2);
  ASSERT_FALSE(device.failed());
  Result<std::unique_ptr<Session>> made = Session::create(std::move(net), **device);
  ASSERT_FALSE(made.failed()) << made.message();
  Session &session = **made;
  Call *reads = *session.call("infer"), *writes = *session.call("train_step");
  int output = *reads->output("logits");
  auto result = [&] {
    EXPECT_EQ(reads->run().message(), "");
    return reads->get(output);
  };

  prepareCalls = 0;
  static_cast<float *>(*session.state())[0] = 5;
  EXPECT_EQ(result(), 10);
  EXPECT_EQ(result(), 10);
  EXPECT_EQ(prepareCalls, 1);
  EXPECT_EQ(writes->run().message(), ""); // not taken over
  EXPECT_EQ(result(), 10);
  EXPECT_EQ(prepareCalls, 1);
  EXPECT_EQ(writes->run().message(), "");
  session.commit();
  EXPECT_EQ(result(), 12);
  static_cast<float *>(*session.state())[0] = 1;
  EXPECT_EQ(result(), 2);
  EXPECT_EQ(prepareCalls, 3);
}

TEST(SessionTest, RefusesManifestsThatDoNotFit) {
  EXPECT_EQ(makeManifest("32", "prepare").message(),
            "manifest: entry 'infer' takes 32 prepared bytes, there are 64");
  EXPECT_EQ(makeManifest("64", "other").message(),
            "manifest: entry 'infer' takes 64 prepared bytes, and there is no entry 'prepare'");
}

} // namespace
