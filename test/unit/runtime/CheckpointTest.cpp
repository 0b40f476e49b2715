// Checkpoints give back state and position to the bit, refuse what does not fit, and survive a
// kill.
#include "runtime/data/Checkpoint.h"

#include "runtime/core/Init.h"
#include "runtime/data/Weights.h"
#include "test/unit/runtime/Support.h"

#include <cmath>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace cnn;
using namespace cnn::test;

namespace {

class CheckpointTest : public testing::Test {
protected:
  Manifest manifest = smallManifest();
  std::vector<float> state = std::vector<float>(64), loaded = std::vector<float>(64);
  CheckpointInfo info;
  TempFolder folder;
  std::string path = folder / "run.ckpt";

  void SetUp() override {
    initializeState(manifest, 1, state.data());
    for (int i = 48; i < 54; ++i) // the momentum
      state[i] = 0.1f * float(i);
    info.net = "small";
    info.epoch = 3;
    info.stepInEpoch = 17;
    info.globalStep = 1424;
    info.seed = UINT64_MAX;
    info.recipe = "{\"lr\":0.1,\"name\":\"\u00e4\"}";
    info.lossSum = 0.1 + 0.2; // not a short decimal
    info.correct = 1999;
    info.rows = 2176;
    info.logBytes = 12345678901;
    info.extra["history"] = "[1,2]";
  }

  std::string load() { return loadCheckpoint(path, manifest, loaded.data()).message(); }

  /// Writes the checkpoint with one metadata value replaced (removed when `value` is null).
  void writeWith(const char *key, const char *value) {
    ASSERT_TRUE(saveCheckpoint(path, manifest, state.data(), info).isOk());
    Result<Safetensors> file = readSafetensors(path);
    ASSERT_TRUE(file.isOk());
    file->metadata.erase(key);
    if (value)
      file->metadata[key] = value;
    ASSERT_TRUE(writeSafetensors(path, file->tensors, file->metadata).isOk());
  }
};

} // namespace

TEST_F(CheckpointTest, RoundTrip) {
  ASSERT_EQ(saveCheckpoint(path, manifest, state.data(), info).message(), "");
  Result<CheckpointInfo> read = loadCheckpoint(path, manifest, loaded.data());
  ASSERT_EQ(read.message(), "");
  EXPECT_EQ(loaded, state);
  for (const CheckpointInfo &each : {*read, *readCheckpointInfo(path)}) {
    EXPECT_EQ(each.net, info.net);
    EXPECT_EQ(each.epoch, info.epoch);
    EXPECT_EQ(each.stepInEpoch, info.stepInEpoch);
    EXPECT_EQ(each.globalStep, info.globalStep);
    EXPECT_EQ(each.seed, info.seed);
    EXPECT_EQ(each.recipe, info.recipe);
    EXPECT_EQ(each.lossSum, info.lossSum);
    EXPECT_EQ(each.correct, info.correct);
    EXPECT_EQ(each.rows, info.rows);
    EXPECT_EQ(each.logBytes, info.logBytes);
    EXPECT_EQ(each.extra, info.extra);
  }
}

TEST_F(CheckpointTest, ServesAsWeights) {
  ASSERT_TRUE(saveCheckpoint(path, manifest, state.data(), info).isOk());
  ASSERT_EQ(loadWeights(path, manifest, loaded.data()).message(), "");
  EXPECT_EQ(std::vector<float>(loaded.begin(), loaded.begin() + 48),
            std::vector<float>(state.begin(), state.begin() + 48));
  EXPECT_EQ(loaded[48], 0);
}

TEST_F(CheckpointTest, Refuses) {
  ASSERT_TRUE(saveWeights(path, manifest, state.data()).isOk());
  EXPECT_EQ(load(),
            path + ": no checkpoint: it has weights only\n  hint: start from it with --init");
  writeWith("cnnc.checkpoint", "2");
  EXPECT_EQ(load(), path + ": the checkpoint has version '2', expected 1");
  writeWith("seed", nullptr);
  EXPECT_EQ(load(), path + ": the checkpoint lacks 'seed'");
  for (const char *value : {"", "x", "-1", "1.5", "99999999999999999999", " 1", "1 "}) {
    writeWith("epoch", value);
    EXPECT_EQ(load(), path + ": the checkpoint's 'epoch' is '" + value + "'");
  }
  for (const char *value : {"nan", "1,5", ""}) {
    writeWith("loss_sum", value);
    EXPECT_EQ(load(), path + ": the checkpoint's 'loss_sum' is '" + std::string(value) + "'");
  }
  writeWith("net", "other");
  EXPECT_EQ(load(), path + ": the checkpoint is of the net 'other', not of 'small'");
  state[50] = NAN;
  ASSERT_TRUE(saveCheckpoint(path, manifest, state.data(), info).isOk());
  EXPECT_EQ(load(), path + ": tensor 'optimizer/a.weight.momentum' [2, 3] has NaN at [0, 2]");
  manifest.state.pop_back();
  EXPECT_EQ(load(), path +
                        ": the net 'small' does not have 'optimizer/a.weight.momentum' [2, 3] of "
                        "the file");
  EXPECT_EQ(loaded, std::vector<float>(64)); // nothing was written
}

TEST_F(CheckpointTest, OtherElementType) {
  ASSERT_TRUE(saveCheckpoint(path, manifest, state.data(), info).isOk());
  manifest.state[0].element = ElementType::F64;
  EXPECT_EQ(load(), path + ": tensor 'a.weight' has elements of type f32, the net has f64\n"
                           "  hint: a run continues with the same element type only");
}

// Whenever the process dies, the file is a whole checkpoint whose state belongs to its step.
TEST_F(CheckpointTest, KillAtAnyMoment) {
  ASSERT_TRUE(saveCheckpoint(path, manifest, state.data(), info).isOk());
  for (int round = 0; round < 15; ++round) {
    pid_t child = fork();
    if (child == 0) {
      for (int64_t step = 1;; ++step) {
        info.globalStep = step;
        state[0] = float(step);
        if (saveCheckpoint(path, manifest, state.data(), info).failed())
          _exit(1);
      }
    }
    usleep(useconds_t(2000 + round * 1777 % 15000));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    Result<CheckpointInfo> read = loadCheckpoint(path, manifest, loaded.data());
    ASSERT_EQ(read.message(), "");
    if (read->globalStep != 1424) {
      EXPECT_EQ(loaded[0], float(read->globalStep));
    }
  }
}
