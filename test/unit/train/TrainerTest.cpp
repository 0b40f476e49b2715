// Training with a net written by hand: the same bits for every number of threads and for a run that
// was interrupted or killed and resumed; a step that is not finite changes nothing; files that
// cannot be written, and checkpoints of other runs, are refused before the first step.
#include "runtime/train/Trainer.h"

#include "SoftmaxNet.h"
#include "runtime/core/File.h"
#include "runtime/data/Checkpoint.h"
#include "runtime/device/cpu/CpuDevice.h"
#include "runtime/train/Interrupt.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

using namespace cnn;

namespace {

std::string contentOf(const std::string &path) {
  Result<std::vector<uint8_t>> bytes = readFile(path);
  return bytes.isOk() ? std::string(bytes->begin(), bytes->end()) : bytes.message();
}

/// A log without what differs from run to run: times, and the records without a bearing on bits.
std::string withoutTimes(const std::string &log) {
  std::string result;
  size_t start = 0;
  while (start < log.size()) {
    size_t end = log.find('\n', start);
    Json line = *parseJson(log.substr(start, end - start), "log");
    line.erase("seconds");
    result += jsonText(line) + "\n";
    start = end + 1;
  }
  return result;
}

class TrainerTest : public testing::Test {
protected:
  void SetUp() override {
    folder =
        std::filesystem::temp_directory_path() / ("cnn-trainer-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string file(const std::string &name) const { return (folder / name).string(); }

  static TrainOptions defaults() {
    TrainOptions options;
    options.epochs = 3;
    options.seed = 7;
    options.scalars = {{"lr", 0.5}};
    options.recipe = {{"data", "blobs"}, {"batch", 16}, {"lr", 0.5}, {"epochs", 3}};
    return options;
  }

  /// 203 images at batch 16: 13 steps an epoch, the last of 11 images.
  struct Bench {
    std::unique_ptr<CpuDevice> device;
    std::unique_ptr<Session> session;
    Dataset data;
  };
  static Bench bench(int threads, int64_t batch = 16) {
    Bench made;
    made.device = std::move(*CpuDevice::create(threads));
    made.session = std::move(*Session::create(test::softmaxNet({1, 6, 5}, 4, batch), *made.device));
    made.data = test::blobs({1, 6, 5}, 4, 203, 50);
    return made;
  }
  static Result<TrainOutcome> runOnce(const TrainOptions &options, int threads = 1,
                                      int64_t batch = 16) {
    Bench made = bench(threads, batch);
    return train(*made.session, made.data, options);
  }

  std::filesystem::path folder;
};

TEST_F(TrainerTest, LearnsAndReports) {
  TrainOptions options = defaults();
  options.epochs = 5;
  options.weightsPath = file("w.safetensors");
  Result<TrainOutcome> outcome = runOnce(options);
  ASSERT_TRUE(outcome.isOk()) << outcome.message();
  EXPECT_EQ(outcome->end, TrainEnd::Finished);
  EXPECT_EQ(outcome->stepsPerEpoch, 13);
  ASSERT_EQ(outcome->epochs.size(), 5u);
  EXPECT_EQ(outcome->epochs[4].images, 203);
  EXPECT_LT(outcome->epochs[4].trainLoss, outcome->epochs[0].trainLoss);
  EXPECT_EQ(outcome->train.images, 203);
  EXPECT_EQ(outcome->test.images, 50);
  EXPECT_GT(outcome->test.accuracy(), 0.9);
  EXPECT_EQ(outcome->epochs[4].testAccuracy, outcome->test.accuracy());
  EXPECT_TRUE(std::filesystem::exists(options.weightsPath));
}

TEST_F(TrainerTest, SameBitsForEveryNumberOfThreads) {
  TrainOptions options = defaults();
  for (int threads = 1; threads <= 4; ++threads) {
    options.weightsPath = file("w" + std::to_string(threads));
    options.logPath = file("log" + std::to_string(threads));
    Result<TrainOutcome> outcome = runOnce(options, threads);
    ASSERT_TRUE(outcome.isOk()) << outcome.message();
    EXPECT_EQ(contentOf(options.weightsPath), contentOf(file("w1"))) << threads << " threads";
    EXPECT_EQ(withoutTimes(contentOf(options.logPath)), withoutTimes(contentOf(file("log1"))));
  }
  options.seed = 8;
  options.weightsPath = file("other");
  ASSERT_TRUE(runOnce(options).isOk());
  EXPECT_NE(contentOf(file("other")), contentOf(file("w1")));
}

// 3 epochs of 13 steps and 4 batches of evaluation: stop at each question of the trainer in turn,
// in the middle of epochs, during evaluations and at the end.
TEST_F(TrainerTest, InterruptedAnywhereAndResumedGivesTheSameBits) {
  TrainOptions options = defaults();
  options.weightsPath = file("whole");
  options.logPath = file("whole.log");
  ASSERT_TRUE(runOnce(options).isOk());
  for (int stopAt = 0; stopAt < 67; stopAt += 3) {
    TrainOptions broken = options;
    broken.weightsPath = file("broken");
    broken.logPath = file("broken.log");
    broken.checkpointPath = file("broken.ckpt");
    int asked = 0;
    broken.interrupted = [&] { return asked++ >= stopAt; };
    Result<TrainOutcome> first = runOnce(broken, 2);
    ASSERT_TRUE(first.isOk()) << first.message();
    ASSERT_EQ(first->end, TrainEnd::Interrupted) << stopAt;
    broken.interrupted = {};
    broken.resumePath = broken.checkpointPath;
    broken.seed.reset();
    Result<TrainOutcome> second = runOnce(broken, 1);
    ASSERT_TRUE(second.isOk()) << second.message();
    ASSERT_EQ(second->end, TrainEnd::Finished);
    EXPECT_EQ(second->epochs.size(), 3u);
    EXPECT_EQ(contentOf(broken.weightsPath), contentOf(options.weightsPath)) << stopAt;
    EXPECT_EQ(withoutTimes(contentOf(broken.logPath)), withoutTimes(contentOf(options.logPath)))
        << stopAt;
  }
}

// kill -9 at random moments, among them while a checkpoint is written: it is the old or the new
// one, and a run continued from it ends in the same bits.
TEST_F(TrainerTest, KilledAndResumedGivesTheSameBits) {
  TrainOptions options = defaults();
  options.epochs = 40;
  options.weightsPath = file("whole");
  options.logPath = file("whole.log");
  auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(runOnce(options).isOk());
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  TrainOptions broken = options;
  broken.weightsPath = file("broken");
  broken.logPath = file("broken.log");
  broken.checkpointPath = file("broken.ckpt");
  std::mt19937 random(42);
  int killed = 0;
  for (bool done = false; !done;) {
    broken.resumePath = std::filesystem::exists(broken.checkpointPath) ? broken.checkpointPath : "";
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Result<TrainOutcome> outcome = runOnce(broken, 2);
      if (outcome.failed())
        std::fprintf(stderr, "%s\n", outcome.message().c_str());
      _exit(outcome.isOk() && outcome->end == TrainEnd::Finished ? 0 : 1);
    }
    if (killed < 25) {
      std::uniform_real_distribution<double> moment(0, seconds);
      usleep(static_cast<useconds_t>(1e6 * moment(random)));
      kill(child, SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
      ++killed;
      continue;
    }
    ASSERT_EQ(WEXITSTATUS(status), 0);
    done = killed > 2;
    if (!done) {
      // It was through before its time, on a machine that was busy when it was measured.
      seconds /= 4;
      for (const std::string &path : {broken.checkpointPath, broken.weightsPath, broken.logPath})
        std::filesystem::remove(path);
    }
  }
  EXPECT_EQ(contentOf(broken.weightsPath), contentOf(options.weightsPath));
  EXPECT_EQ(withoutTimes(contentOf(broken.logPath)), withoutTimes(contentOf(options.logPath)));
}

TEST_F(TrainerTest, StopsBeforeAnUpdateThatIsNotFinite) {
  TrainOptions options = defaults();
  options.weightsPath = file("w");
  options.checkpointPath = file("c");
  options.logPath = file("log");
  ASSERT_TRUE(writeFile(options.weightsPath, "the old weights").isOk());
  options.scalars = {{"lr", 3e38}};
  Bench made = bench(2);
  Result<TrainOutcome> outcome = train(*made.session, made.data, options);
  ASSERT_TRUE(outcome.isOk()) << outcome.message();
  EXPECT_EQ(outcome->end, TrainEnd::NonFinite);
  EXPECT_EQ(outcome->reason,
            "step 2 (epoch 1, step 2 of 13): the loss is nan, the gradient of 'linear1.weight' in "
            "layer 'linear1' and of 1 more of 2 parameters is not finite");
  EXPECT_EQ(contentOf(options.weightsPath), "the old weights");
  EXPECT_FALSE(std::filesystem::exists(options.checkpointPath));

  // The state is that of before the second step: one finite update of the initial weights.
  Bench again = bench(1);
  options.interrupted = [asked = 0]() mutable { return asked++ >= 1; };
  ASSERT_TRUE(train(*again.session, again.data, options).isOk());
  EXPECT_EQ(std::memcmp(*made.session->state(), *again.session->state(),
                        made.session->manifest().stateBytes),
            0);
}

TEST_F(TrainerTest, RefusesPathsThatCannotBeWrittenBeforeTraining) {
  TrainOptions options = defaults();
  options.weightsPath = file("missing/w");
  Result<TrainOutcome> outcome = runOnce(options);
  ASSERT_TRUE(outcome.failed());
  EXPECT_NE(outcome.message().find("missing/w"), std::string::npos) << outcome.message();

  options.weightsPath = file("w");
  options.logPath = file("missing/log");
  outcome = runOnce(options);
  ASSERT_TRUE(outcome.failed());
  EXPECT_EQ(outcome.message(),
            options.logPath + ": cannot open the log for writing: No such file or directory");
  EXPECT_FALSE(std::filesystem::exists(options.weightsPath));
}

TEST_F(TrainerTest, AFullDiskWhileLoggingIsAnError) {
  TrainOptions options = defaults();
  options.logPath = "/dev/full";
  Result<TrainOutcome> outcome = runOnce(options);
  ASSERT_TRUE(outcome.failed());
  EXPECT_EQ(outcome.message(), "/dev/full: cannot write the log: No space left on device");
}

TEST_F(TrainerTest, RefusesCheckpointsOfOtherRuns) {
  TrainOptions options = defaults();
  options.checkpointPath = file("c");
  ASSERT_TRUE(runOnce(options).isOk());
  options.resumePath = options.checkpointPath;

  TrainOptions other = options;
  other.seed = 8;
  EXPECT_EQ(runOnce(other).message(), other.resumePath + ": was made with seed 7, not 8");
  other = options;
  other.recipe["batch"] = 32;
  EXPECT_EQ(runOnce(other).message(),
            other.resumePath + ": belongs to another run: batch is 32 now and was 16");
  other = options;
  other.recipe["momentum"] = 0.9;
  EXPECT_EQ(runOnce(other).message(),
            other.resumePath + ": belongs to another run: momentum is 0.9 now and was nothing");
  other = options;
  other.epochs = 2;
  EXPECT_EQ(runOnce(other).message(), other.resumePath +
                                          ": has 3 epochs done, and 2 are asked for\n"
                                          "  hint: pass --epochs with more than 3");
  // More epochs, and another learning rate, are for the user to decide; the latter is said.
  other = options;
  other.epochs = 4;
  other.scalars = {{"lr", 0.25}};
  other.recipe["lr"] = 0.25;
  other.recipe["epochs"] = 4;
  Result<TrainOutcome> outcome = runOnce(other);
  ASSERT_TRUE(outcome.isOk()) << outcome.message();
  EXPECT_EQ(outcome->epochs.size(), 4u);
  EXPECT_EQ(outcome->notes,
            std::vector<std::string>{"lr is 0.25 now and was 0.5 in " + other.resumePath});
}

/// A net may be compiled for more images than a step has (the tool rounds up to whole vectors).
TEST_F(TrainerTest, SameBitsWhenCompiledForMoreImages) {
  TrainOptions options = defaults();
  options.weightsPath = file("exact");
  ASSERT_TRUE(runOnce(options).isOk());
  options.batch = 16;
  options.weightsPath = file("larger");
  ASSERT_TRUE(runOnce(options, 1, /*batch=*/24).isOk());
  EXPECT_EQ(contentOf(file("larger")), contentOf(file("exact")));
  options.batch = 25;
  EXPECT_EQ(runOnce(options, 1, /*batch=*/24).message(),
            "net 'softmax' was compiled for at most 24 images a step, and 25 are asked for");
}

TEST_F(TrainerTest, KnowsWhatIsWrongBeforeCompiling) {
  TrainOptions options = defaults();
  options.checkpointPath = file("c");
  ASSERT_TRUE(runOnce(options).isOk());
  std::vector<std::string> notes;
  EXPECT_TRUE(checkOptions(options, "softmax", notes).isOk());
  options.resumePath = options.checkpointPath;
  EXPECT_TRUE(checkOptions(options, "softmax", notes).isOk());
  EXPECT_TRUE(notes.empty());
  TrainOptions faster = options;
  faster.recipe["lr"] = 0.75;
  faster.scalars = {{"lr", 0.75}};
  EXPECT_TRUE(checkOptions(faster, "softmax", notes).isOk());
  EXPECT_EQ(notes, std::vector<std::string>{"lr is 0.75 now and was 0.5 in " + options.resumePath});
  EXPECT_EQ(checkOptions(options, "other", notes).message(),
            options.resumePath + ": is a checkpoint of net 'softmax', not of 'other'");
  options.resumePath = "";
  options.initPath = file("missing");
  EXPECT_EQ(checkOptions(options, "softmax", notes).message(),
            options.initPath + ": cannot read: No such file or directory");
  options.initPath = "";
  options.weightsPath = file("missing/w");
  EXPECT_EQ(checkOptions(options, "softmax", notes)
                .message()
                .find(options.weightsPath + ": cannot write"),
            0u);
}

TEST_F(TrainerTest, RefusesWhatDoesNotFitTheNet) {
  TrainOptions options = defaults();
  Bench made = bench(1);
  Dataset data = test::blobs({3, 6, 5}, 4, 20, 20);
  EXPECT_EQ(train(*made.session, data, options).message(),
            "net 'softmax' takes images of shape [1, 6, 5], data set 'blobs' has [3, 6, 5]");
  data = test::blobs({1, 6, 5}, 3, 20, 20);
  EXPECT_EQ(train(*made.session, data, options).message(),
            "net 'softmax' gives [4] for an image, data set 'blobs' has 3 classes and needs [3]");
  options.scalars.clear();
  EXPECT_EQ(runOnce(options).message(),
            "train_step of net 'softmax' wants a value for 'lr', and the recipe has none");
}

TEST_F(TrainerTest, StartsFromGivenWeights) {
  TrainOptions options = defaults();
  options.weightsPath = file("a");
  ASSERT_TRUE(runOnce(options).isOk());
  TrainOptions more = options;
  more.epochs = 0;
  more.initPath = file("a");
  more.weightsPath = file("b");
  Bench made = bench(1);
  Result<TrainOutcome> outcome = train(*made.session, made.data, more);
  ASSERT_TRUE(outcome.isOk()) << outcome.message();
  Bench trained = bench(1);
  ASSERT_TRUE(train(*trained.session, trained.data, options).isOk());
  EXPECT_EQ(std::memcmp(*made.session->state(), *trained.session->state(),
                        made.session->manifest().stateBytes),
            0);
  EXPECT_TRUE(std::filesystem::exists(file("a.bak"))); // written twice
}

TEST(InterruptTest, FirstSignalSetsTheFlag) {
  InterruptGuard guard;
  EXPECT_FALSE(InterruptGuard::raised());
  std::raise(SIGINT);
  EXPECT_TRUE(InterruptGuard::raised());
}

TEST(InterruptDeathTest, SecondSignalKills) {
  EXPECT_EXIT(
      {
        InterruptGuard guard;
        std::raise(SIGINT);
        std::raise(SIGINT);
        std::exit(0);
      },
      testing::KilledBySignal(SIGINT), "");
}

} // namespace
