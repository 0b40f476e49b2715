// What a run shows: the table alone on standard output, JSON lines beside it without a terminal, a
// bar that leaves nothing behind on one; and a log that is cut where a checkpoint was.
#include "runtime/train/Progress.h"

#include "runtime/core/File.h"
#include "runtime/train/TrainLog.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

using namespace cnn;

namespace {

/// A FILE that writes to memory.
class Memory {
public:
  Memory() : file(open_memstream(&data, &size)) {}
  ~Memory() {
    std::fclose(file);
    std::free(data);
  }
  std::string text() {
    std::fflush(file);
    return {data, size};
  }

private:
  char *data = nullptr;
  size_t size = 0;

public:
  std::FILE *file;
};

EpochRecord record(uint64_t epoch, double loss) {
  return {.epoch = epoch,
          .trainLoss = loss,
          .testLoss = 0.5,
          .testAccuracy = 0.75,
          .seconds = 2,
          .images = 60000};
}

TEST(Progress, TableAndJsonLines) {
  Memory table, status;
  Progress progress(table.file, status.file, /*bar=*/false);
  progress.epoch(record(1, 1.25), 3, /*replayed=*/true);
  progress.step(2, 3, 1, 10, 0.5, 100);
  progress.epoch(record(2, 1e28), 3);
  progress.epoch(record(3, NAN), 3);
  EXPECT_EQ(table.text(), "epoch  train loss  test loss  test accuracy  seconds   images/s\n"
                          "    1      1.2500     0.5000         75.00%      2.0     30,000\n"
                          "    2    1.00e+28     0.5000         75.00%      2.0     30,000\n"
                          "    3         nan     0.5000         75.00%      2.0     30,000\n");
  EXPECT_EQ(status.text(), "{\"kind\":\"epoch\",\"epoch\":2,\"epochs\":3,\"train_loss\":1e+28,"
                           "\"test_loss\":0.5,\"test_accuracy\":0.75,\"seconds\":2.0}\n"
                           "{\"kind\":\"epoch\",\"epoch\":3,\"epochs\":3,\"train_loss\":null,"
                           "\"test_loss\":0.5,\"test_accuracy\":0.75,\"seconds\":2.0}\n");
}

TEST(Progress, BarIsRemoved) {
  Memory table, status;
  Progress progress(table.file, status.file, /*bar=*/true);
  progress.step(1, 2, 5, 10, 0.5, 12345); // too early after the start
  EXPECT_EQ(status.text(), "");
  std::this_thread::sleep_for(std::chrono::milliseconds(110));
  progress.step(1, 2, 5, 10, 0.5, 12345);
  progress.step(1, 2, 6, 10, 0.5, 12345); // too early after the one before
  progress.epoch(record(1, 1.25), 2);
  EXPECT_EQ(status.text(), "\r\033[Kepoch 1/2 [############............] 5/10  loss 0.5000  12,345 "
                           "images/s\r\033[K");
}

TEST(TrainLog, ContinuesWhereTheCheckpointWas) {
  std::string path =
      (std::filesystem::temp_directory_path() / ("cnn-train-log-test-" + std::to_string(getpid())))
          .string();
  uint64_t length = 0;
  {
    TrainLog log = std::move(*TrainLog::open(path));
    log.writeStep(1, 1, 0.1f);
    ASSERT_TRUE(log.flush().isOk());
    length = log.bytes();
    log.writeStep(2, 1, 99);
  }
  {
    TrainLog log = std::move(*TrainLog::open(path, int64_t(length)));
    log.writeStep(2, 1, INFINITY, 0.25);
    ASSERT_TRUE(log.flush().isOk());
  }
  Result<std::vector<uint8_t>> content = readFile(path);
  ASSERT_TRUE(content.isOk());
  EXPECT_EQ(std::string(content->begin(), content->end()),
            "{\"kind\":\"step\",\"step\":1,\"epoch\":1,\"loss\":0.100000001}\n"
            "{\"kind\":\"step\",\"step\":2,\"epoch\":1,\"loss\":null,\"lr\":0.25}\n");
  std::filesystem::remove(path);
}

} // namespace
