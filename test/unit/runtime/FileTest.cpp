// Atomic writing: what is at the path afterwards, and what is said, when writing works, when the
// disk is full, when the path cannot be written, and when the process dies.
#include "runtime/core/File.h"

#include "runtime/core/Buffer.h"
#include "test/unit/runtime/Support.h"

#include <csignal>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace cnn;
using namespace cnn::test;
using Names = std::vector<std::string>;

/// No file may grow beyond `bytes` while this lives; writing then fails as on a full disk.
class FileSizeLimit {
public:
  explicit FileSizeLimit(rlim_t bytes) {
    previousHandler = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &previous);
    rlimit limit = previous;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &previous);
    std::signal(SIGXFSZ, previousHandler);
  }

private:
  rlimit previous;
  void (*previousHandler)(int);
};

TEST(AtomicFile, WritesAndReplaces) {
  TempFolder folder;
  std::string path = folder / "w";
  EXPECT_EQ(writeFile(path, "one").message(), "");
  EXPECT_EQ(slurp(path), "one");
  EXPECT_EQ(writeFile(path, "second").message(), "");
  EXPECT_EQ(slurp(path), "second");
  EXPECT_EQ(listing(folder.path()), Names{"w"});
}

TEST(AtomicFile, KeepsABackup) {
  TempFolder folder;
  std::string path = folder / "w";
  for (const char *text : {"1", "2", "3"})
    EXPECT_EQ(writeFile(path, text, /*keepBackup=*/true).message(), "");
  EXPECT_EQ(slurp(path), "3");
  EXPECT_EQ(slurp(path + ".bak"), "2");
  EXPECT_EQ(listing(folder.path()), (Names{"w", "w.bak"}));
}

TEST(AtomicFile, OldFileStaysUntilCommit) {
  TempFolder folder;
  std::string path = folder / "w";
  ASSERT_TRUE(writeFile(path, "old").isOk());
  {
    Result<AtomicFile> file = AtomicFile::create(path);
    ASSERT_TRUE(file.isOk());
    EXPECT_TRUE(file->write("half").isOk());
    EXPECT_EQ(slurp(path), "old");
    EXPECT_EQ(AtomicFile::create(path).message(), path + ": is being written by another process");
  }
  EXPECT_EQ(slurp(path), "old");
  EXPECT_EQ(listing(folder.path()), Names{"w"});
}

TEST(AtomicFile, KeepsPermissionsAndFollowsLinks) {
  TempFolder folder;
  std::string path = folder / "w", link = folder / "link";
  ASSERT_TRUE(writeFile(path, "old").isOk());
  chmod(path.c_str(), 0640);
  std::filesystem::create_symlink("w", link);
  EXPECT_EQ(writeFile(link, "new").message(), "");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(slurp(path), "new");
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST(AtomicFile, FullDiskKeepsTheOldFile) {
  TempFolder folder;
  std::string path = folder / "w.safetensors", content(5000, 'x');
  ASSERT_TRUE(writeFile(path, "old").isOk());
  std::string message, freshMessage;
  {
    FileSizeLimit limit(1000);
    message = writeFile(path, content, /*keepBackup=*/true).message();
    freshMessage = writeFile(folder / "fresh", content).message();
  }
  EXPECT_EQ(message, path + ": cannot write: File too large\n"
                            "  hint: the file that was there is unchanged; make room, or write to "
                            "another place");
  EXPECT_EQ(freshMessage, folder / "fresh" + ": cannot write: File too large\n"
                                             "  hint: make room, or write to another place");
  EXPECT_EQ(slurp(path), "old");
  EXPECT_EQ(listing(folder.path()), Names{"w.safetensors"});
}

TEST(AtomicFile, FullDevice) {
  EXPECT_EQ(writeFile("/dev/full", "x").message(),
            "/dev/full: cannot write: No space left on device\n"
            "  hint: make room, or write to another place");
  EXPECT_EQ(writeFile("/dev/null", "x").message(), "");
}

TEST(AtomicFile, UnwritablePaths) {
  TempFolder folder;
  std::string missing = folder / "none/w", inFile = folder / "w/x";
  EXPECT_EQ(writeFile(missing, "x").message(),
            missing + ": cannot write: No such file or directory\n  hint: create the folder " +
                folder.path() + "/none/ first");
  EXPECT_EQ(writeFile(folder.path(), "x").message(),
            folder.path() + ": cannot write: Is a directory");
  ASSERT_TRUE(writeFile(folder / "w", "old").isOk());
  EXPECT_EQ(writeFile(inFile, "x").message(),
            inFile + ": cannot write: Not a directory\n  hint: check the folder's permissions, or "
                     "write to another place");
}

TEST(AtomicFile, NoPermission) {
  TempFolder folder;
  std::string path = folder / "w";
  ASSERT_TRUE(writeFile(path, "old").isOk());
  chmod(folder.path().c_str(), 0555);
  bool root = geteuid() == 0; // who may write everywhere; be nobody for a moment
  if (root) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  std::string existing = writeFile(path, "new").message();
  std::string fresh = writeFile(folder / "fresh", "new").message();
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  chmod(folder.path().c_str(), 0755);
  std::string hint = "check the folder's permissions, or write to another place";
  EXPECT_EQ(existing, path +
                          ": cannot write: Permission denied\n  hint: the file that was there "
                          "is unchanged; " +
                          hint);
  EXPECT_EQ(fresh, folder / "fresh" + ": cannot write: Permission denied\n  hint: " + hint);
  EXPECT_EQ(slurp(path), "old");
}

// A child writes generation after generation and is killed at a random moment: what is there is one
// whole generation, and the next writer is not disturbed by what the dead one left.
TEST(AtomicFile, KillAtAnyMomentLeavesAWholeFile) {
  TempFolder folder;
  std::string path = folder / "w";
  ASSERT_TRUE(writeFile(path, std::string(1 << 18, 'a')).isOk());
  for (int round = 0; round < 20; ++round) {
    pid_t child = fork();
    if (child == 0) {
      for (int i = 0;; ++i)
        if (writeFile(path, std::string(1 << 18, char('a' + i % 26)), i % 2).failed())
          _exit(1);
    }
    usleep(useconds_t(1000 + round * 1777 % 20000));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child could not write";
    std::string content = slurp(path);
    ASSERT_EQ(content.size(), size_t(1 << 18));
    ASSERT_EQ(content, std::string(1 << 18, content[0]));
  }
  ASSERT_TRUE(writeFile(path, "end", true).isOk());
  EXPECT_EQ(slurp(path), "end");
  for (const std::string &name : listing(folder.path()))
    EXPECT_TRUE(name == "w" || name == "w.bak" || name == ".w.bak.tmp") << name;
}

TEST(ReadFile, ReadsAndFails) {
  TempFolder folder;
  std::string path = folder / "f", missing = folder / "none";
  std::string content(100000, 'q');
  spill(path, content);
  Result<std::vector<uint8_t>> read = readFile(path);
  ASSERT_TRUE(read.isOk());
  EXPECT_EQ(*read, bytesOf(content));
  EXPECT_EQ(readFile(missing).message(), missing + ": cannot read: No such file or directory");
  EXPECT_EQ(readFile(folder.path()).message(), folder.path() + ": cannot read: Is a directory");
  // A file whose size the system does not tell in advance.
  Result<std::vector<uint8_t>> proc = readFile("/proc/self/maps");
  ASSERT_TRUE(proc.isOk());
  EXPECT_GT(proc->size(), 1000u);
}

TEST(ReadFile, LargerThanMemory) {
  TempFolder folder;
  std::string path = folder / "sparse";
  spill(path, std::string());
  // A hole of 8 TiB; some file systems refuse, then there is nothing to test.
  if (truncate(path.c_str(), off_t(1) << 43) != 0)
    GTEST_SKIP() << "no sparse files of 8 TiB here";
  EXPECT_EQ(readFile(path).message(), path + ": has 8.0 TiB, more than fits into the " +
                                          bytesText(machineMemory()) + " of memory");
}

TEST(AlignedBuffer, AlignedZeroedMovable) {
  for (uint64_t bytes : {0, 1, 64, 1000, 5 << 20}) {
    Result<AlignedBuffer> buffer = AlignedBuffer::allocate(bytes, "a test");
    ASSERT_TRUE(buffer.isOk());
    ASSERT_NE(buffer->data(), nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % 64, 0u);
    EXPECT_EQ(buffer->size(), bytes);
    for (uint64_t i = 0; i < bytes; ++i)
      ASSERT_EQ(buffer->as<char>()[i], 0);
    void *before = buffer->data();
    AlignedBuffer moved = std::move(*buffer);
    EXPECT_EQ(moved.data(), before);
  }
}

TEST(AlignedBuffer, MoreThanTheMachineHas) {
  std::string have = bytesText(machineMemory());
  EXPECT_EQ(AlignedBuffer::allocate(uint64_t(1) << 60, "the arena").message(),
            "the arena needs 1.0 EiB, and this machine has " + have +
                " of memory\n  hint: use a smaller batch");
  EXPECT_EQ(bytesText(1023), "1023 bytes");
  EXPECT_EQ(bytesText(1536), "1.5 KiB");
}
