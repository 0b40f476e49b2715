// The manifest: everything that is read, and every mistake with its message.
#include "runtime/core/Manifest.h"

#include "test/unit/runtime/Support.h"

using namespace cnn;
using namespace cnn::test;

TEST(Manifest, ReadsEverything) {
  Manifest manifest = smallManifest();
  EXPECT_EQ(manifest.net, "small");
  EXPECT_EQ(manifest.batch, 4);
  EXPECT_EQ(manifest.element, ElementType::F32);
  EXPECT_EQ(manifest.cpu, "generic");
  EXPECT_EQ(manifest.stateBytes, 256u);
  ASSERT_EQ(manifest.state.size(), 4u);
  const StateTensor *weight = manifest.findState("b.weight");
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(weight->offset, 128u);
  EXPECT_EQ(weight->elements, 2);
  EXPECT_EQ(weight->bytes, 8u);
  EXPECT_EQ(weight->init.kind, InitKind::KaimingNormal);
  EXPECT_EQ(weight->init.fanIn, 2);
  EXPECT_EQ(manifest.state[1].init.value, 0.5);
  EXPECT_EQ(manifest.state[3].kind, StateKind::Optimizer);
  EXPECT_EQ(manifest.findEntry("train_step"), nullptr);
  const EntryPoint *infer = manifest.findEntry("infer");
  ASSERT_NE(infer, nullptr);
  EXPECT_EQ(infer->symbol, "small_infer");
  EXPECT_EQ(infer->flops, 48);
  EXPECT_EQ(infer->find(BufferRole::StateIn), 0);
  EXPECT_EQ(infer->find(BufferRole::Input, "rows"), 2);
  EXPECT_EQ(infer->find(BufferRole::Output, "rows"), -1);
  EXPECT_EQ(infer->buffers[1].shape, (std::vector<int64_t>{4, 3}));
  EXPECT_EQ(infer->buffers[1].bytes, 48u);
  EXPECT_EQ(infer->buffers[2].bytes, 4u);
  EXPECT_EQ(infer->buffers[5].bytes, 64u);
}

/// The small manifest with one timed kernel, whose counters begin at byte `counters`.
static std::string timedManifest(int counters) {
  std::string text = smallManifestText();
  text.insert(text.size() - 1, formatText(R"(,"timing":{"counters":%d,"vector_bits":512,"kernels":[
{"name":"a.forward","group":"a","algorithm":"direct","tile":[1,4],"vector":1,"flops":48,"cycles":2.5,
 "outer":false}]})",
                                          counters));
  return text;
}

TEST(Manifest, ReadsTiming) {
  Result<Manifest> manifest = parseManifest(timedManifest(40));
  ASSERT_EQ(manifest.message(), "");
  EXPECT_EQ(manifest->timing.counters, 40u);
  EXPECT_EQ(manifest->timing.vectorBits, 512);
  ASSERT_EQ(manifest->timing.kernels.size(), 1u);
  const TimedKernel &kernel = manifest->timing.kernels[0];
  EXPECT_EQ(kernel.name, "a.forward");
  EXPECT_EQ(kernel.group, "a");
  EXPECT_EQ(kernel.tile, (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(kernel.flops, 48);
  EXPECT_EQ(kernel.cycles, 2.5);
  // Three counters end at byte 72 of a scratch memory of 64.
  EXPECT_EQ(parseManifest(timedManifest(48)).message(),
            "manifest: entry 'infer' has no room for its counters");
  EXPECT_EQ(parseManifest(timedManifest(41)).message(),
            "manifest: entry 'infer' has no room for its counters");
  EXPECT_TRUE(smallManifest().timing.kernels.empty());
}

/// The message after the first `from` in the small manifest was replaced by `to`.
static std::string errorWith(const std::string &from, const std::string &to) {
  std::string text = smallManifestText();
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return parseManifest(text.replace(at, from.size(), to)).message();
}

TEST(Manifest, Refuses) {
  EXPECT_EQ(parseManifest("[]").message(), "manifest: expected an object");
  EXPECT_EQ(errorWith("\"abi\":2", "\"abi\":7"),
            "manifest: compiled for version 7 of the interface, this runtime has version 2\n"
            "  hint: compile the net again");
  EXPECT_EQ(errorWith("\"batch\":4", "\"batch\":0"),
            "manifest: 'batch' must be an integer of at least 1");
  EXPECT_EQ(errorWith("\"batch\":4", "\"batch\":4.5"),
            "manifest: 'batch' must be an integer of at least 1");
  EXPECT_EQ(errorWith("\"batch\":4", "\"batch\":18446744073709551615"),
            "manifest: 'batch' must be an integer of at least 1");
  EXPECT_EQ(errorWith("\"batch\":4,", ""), "manifest: 'batch' is missing");
  EXPECT_EQ(errorWith("\"cpu\"", "\"gpu\""), "manifest: 'cpu' is missing");
  EXPECT_EQ(errorWith("\"batch\":4,", "\"batch\":4,\"color\":3,"), "manifest: unknown key 'color'");
  EXPECT_EQ(errorWith("\"net\":\"small\"", "\"net\":3"), "manifest: 'net' must be a string");
  EXPECT_EQ(errorWith("\"kind\":\"parameter\"", "\"kind\":\"param\""),
            "manifest: state[0]: 'kind' is 'param', expected one of parameter, optimizer, running");
  EXPECT_EQ(errorWith("\"shape\":[2]", "\"shape\":[-2]"),
            "manifest: state[1]: 'shape' must be an integer of at least 1");
  EXPECT_EQ(
      errorWith("\"shape\":[2]", "\"shape\":[4611686018427387904,4]"),
      "manifest: state[1]: the shape [4611686018427387904, 4] of 'a.bias' exceeds 2^63 bytes");
  EXPECT_EQ(errorWith("\"offset\":64", "\"offset\":65"),
            "manifest: state[1]: the offset 65 of 'a.bias' is not a multiple of 64");
  EXPECT_EQ(errorWith("\"offset\":64", "\"offset\":0"),
            "manifest: 'a.weight' and 'a.bias' overlap in the state");
  EXPECT_EQ(errorWith("\"offset\":192", "\"offset\":256"),
            "manifest: 'a.weight.momentum' ends at byte 280, the state at 256");
  EXPECT_EQ(errorWith("\"name\":\"a.bias\"", "\"name\":\"a.weight\""),
            "manifest: two state tensors are called 'a.weight'");
  EXPECT_EQ(errorWith("\"fan_in\":3,", ""), "manifest: state[0]: init: 'fan_in' is missing");
  EXPECT_EQ(errorWith("xavier_uniform", "xavier"),
            "manifest: state[0]: init: 'kind' is 'xavier', expected one of xavier_uniform, "
            "xavier_normal, kaiming_uniform, kaiming_normal, pytorch_default, constant, zeros, "
            "uniform, normal");
  EXPECT_EQ(errorWith("\"element\":\"i32\"", "\"element\":\"i16\""),
            "manifest: entry 'infer': buffers[2]: 'element' is 'i16', expected f32, f64, i32, i64 "
            "or u8");
  EXPECT_EQ(
      errorWith("{\"role\":\"state_in\",\"bytes\":256}", "{\"role\":\"state_in\",\"bytes\":192}"),
      "manifest: entry 'infer' takes a state of 192 bytes, the state has 256");
}

/// A net for GPUs with one launch, after the first `from` in its text was replaced by `to`.
static Result<Manifest> gpuManifest(const std::string &from = "", const std::string &to = "") {
  std::string text =
      R"({"abi":2,"net":"small","batch":4,"element":"f32","target":"nvptx","arch":"sm_80",)"
      R"("state_bytes":64,"prepared_bytes":0,"state":[],"entries":[{"name":"infer","flops":48,)"
      R"("buffers":[{"role":"state_in","bytes":64},)"
      R"({"role":"input","name":"image","element":"f32","shape":[4,3]},)"
      R"({"role":"output","name":"logits","element":"f32","shape":[4,2]}],"launches":[)"
      R"({"kernel":"small_k0","layer":"a.forward","grid":[2,1,1],"block":[128,1,1],"shared":256,)"
      R"("arguments":[{"buffer":0,"offset":16},{"buffer":2,"offset":0}]}]}]})";
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return parseManifest(text.replace(at, from.size(), to));
}

TEST(Manifest, ReadsLaunches) {
  Result<Manifest> manifest = gpuManifest();
  ASSERT_EQ(manifest.message(), "");
  EXPECT_EQ(manifest->target, CodeTarget::Nvptx);
  EXPECT_EQ(manifest->arch, "sm_80");
  ASSERT_EQ(manifest->entries[0].launches.size(), 1u);
  const Launch &launch = manifest->entries[0].launches[0];
  EXPECT_EQ(launch.kernel, "small_k0");
  EXPECT_EQ(launch.layer, "a.forward");
  EXPECT_EQ(launch.grid, (std::array<int64_t, 3>{2, 1, 1}));
  EXPECT_EQ(launch.block, (std::array<int64_t, 3>{128, 1, 1}));
  EXPECT_EQ(launch.shared, 256u);
  ASSERT_EQ(launch.arguments.size(), 2u);
  EXPECT_EQ(launch.arguments[0].buffer, 0);
  EXPECT_EQ(launch.arguments[0].offset, 16u);
  EXPECT_EQ(launch.arguments[1].buffer, 2);
  EXPECT_FALSE(launch.work);
  EXPECT_EQ(smallManifest().target, CodeTarget::Cpu);
  Result<Manifest> counted = gpuManifest(
      R"("shared":256,)",
      R"("shared":256,"work":{"algorithm":"contraction","instruction":"tf32","schedule":"c",)"
      R"("flops":1,)"
      R"("operations":2,"bytes_read":3,"bytes_written":4,"bytes_l2":5,)"
      R"("instructions":6,"requests":7,"sectors":8,"passes":9},)");
  ASSERT_EQ(counted.message(), "");
  const LaunchWork &work = *counted->entries[0].launches[0].work;
  EXPECT_EQ(work.algorithm + " " + work.instruction, "contraction tf32");
  EXPECT_EQ((std::vector<int64_t>{work.flops, work.operations, work.bytesRead, work.bytesWritten,
                                  work.bytesL2, work.instructions, work.requests, work.sectors,
                                  work.passes}),
            (std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(Manifest, RefusesLaunches) {
  auto errorWith = [](const std::string &from, const std::string &to) {
    return gpuManifest(from, to).message();
  };
  EXPECT_EQ(errorWith(R"("nvptx")", R"("ptx")"),
            "manifest: 'target' is 'ptx', expected one of cpu, nvptx");
  EXPECT_EQ(errorWith(R"("arch":"sm_80",)", ""), "manifest: 'arch' is missing");
  EXPECT_EQ(errorWith(R"("launches":[)", R"("kernels":[)"),
            "manifest: entries[0]: 'launches' is missing");
  EXPECT_EQ(errorWith(R"("block":[128,1,1])", R"("block":[128,1])"),
            "manifest: entry 'infer': launches[0]: 'block' must have three extents");
  EXPECT_EQ(errorWith(R"("block":[128,1,1])", R"("block":[128,16,1])"),
            "manifest: entry 'infer': launches[0]: a block of 2048 threads, the most is 1024");
  EXPECT_EQ(errorWith(R"("grid":[2,1,1])", R"("grid":[2,1,65536])"),
            "manifest: entry 'infer': launches[0]: 'grid' is [2, 1, 65536], the most is "
            "[2147483647, 65535, 65535]");
  EXPECT_EQ(errorWith(R"("grid":[2,1,1])", R"("grid":[0,1,1])"),
            "manifest: entry 'infer': launches[0]: 'grid' must be an integer of at least 1");
  EXPECT_EQ(errorWith(R"("buffer":2)", R"("buffer":3)"),
            "manifest: entry 'infer': launches[0]: arguments[1]: buffer 3 of 3");
  EXPECT_EQ(errorWith(R"("offset":16)", R"("offset":64)"),
            "manifest: entry 'infer': launches[0]: arguments[0]: byte 64 of a buffer of 64");
  EXPECT_EQ(errorWith(R"("role":"state_in")", R"("role":"scratch")"),
            "manifest: entries[0]: GPUs have no scratch memory");
  EXPECT_EQ(errorWith(R"("shared":256)", R"("shared":4294967296)"),
            "manifest: entry 'infer': launches[0]: 'shared' exceeds 2^31 bytes");
  EXPECT_EQ(errorWith(R"("shared":256,)", R"("shared":256,"work":{},)"),
            "manifest: entry 'infer': launches[0]: work: 'algorithm' is missing");
}
