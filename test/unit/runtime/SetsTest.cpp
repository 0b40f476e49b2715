// CIFAR-10 in a folder and in an archive, tar archives, image folders and pairs of .npy files: what
// is read, and the full message of every fault.
#include "runtime/data/Dataset.h"
#include "runtime/data/Tar.h"
#include "test/unit/runtime/IdxFiles.h"
#include "test/unit/runtime/PngFiles.h"

#include <cmath>
#include <cstdlib>

using namespace cnn;
using namespace cnn::test;

namespace {

/// A header block for `size` bytes of data, and the data, padded.
std::string tarMember(const std::string &name, const std::string &data, char type = '0') {
  std::string header(512, '\0');
  auto put = [&](size_t at, const std::string &text) { header.replace(at, text.size(), text); };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(124, formatText("%011zo", data.size()));
  put(136, "00000000000");
  put(148, "        ");
  header[156] = type;
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (unsigned char c : header)
    sum += c;
  put(148, formatText("%06o", sum) + std::string("\0 ", 2));
  std::string padded = data;
  padded.resize((data.size() + 511) / 512 * 512);
  return header + padded;
}

const std::string tarEnd(1024, '\0');

std::string paxRecord(const std::string &key, const std::string &value) {
  std::string rest = " " + key + "=" + value + "\n";
  size_t size = rest.size() + 1;
  while (std::to_string(size).size() + rest.size() != size)
    ++size;
  return std::to_string(size) + rest;
}

std::string tarError(const std::string &content) {
  return parseTar(bytesOf(content), "f").message();
}

/// `count` records; the label of record i is (i + first) modulo 10, its pixel k is i + k.
std::string cifarRecords(int count, int first = 0) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes += char((i + first) % 10);
    for (int k = 0; k < 3072; ++k)
      bytes += char(i + k);
  }
  return bytes;
}

void writeCifar(const std::string &folder, int count) {
  std::filesystem::create_directories(folder);
  for (int i = 1; i <= 5; ++i)
    spill(folder + formatText("/data_batch_%d.bin", i), cifarRecords(count, i));
  spill(folder + "/test_batch.bin", cifarRecords(7));
}

std::string cifarArchive(int count) {
  std::string tar = tarMember("cifar-10-batches-bin/", "", '5');
  for (int i = 1; i <= 5; ++i)
    tar +=
        tarMember(formatText("cifar-10-batches-bin/data_batch_%d.bin", i), cifarRecords(count, i));
  tar += tarMember("cifar-10-batches-bin/test_batch.bin", cifarRecords(7));
  tar += tarEnd;
  Bytes packed = gzip(bytesOf(tar));
  return {packed.begin(), packed.end()};
}

std::string cifarError(const std::string &folder) {
  std::string message = openDataset("cifar10", folder).message();
  return message.substr(0, message.find("\n  hint: download"));
}

std::string png(int width, int height, int value) {
  return pngFile({2, 8}, width, height, [&](int, int, int s) { return value + s; });
}

void put(const std::string &path, const std::string &content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  spill(path, content);
}

DataPipeline imageFolder(const std::string &path, std::vector<DataCall> stages = {}) {
  return {{"image_folder", {{"dir", {}, {path}}}}, std::move(stages)};
}

std::string npy(const std::string &type, const std::string &shape, const std::string &data) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  return std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' + header + data;
}

} // namespace

TEST(Tar, Reads) {
  std::string deep = std::string(120, 'd') + "/name", text = "hello";
  std::string tar = tarMember("folder/", "", '5') + tarMember("folder/a", text) +
                    tarMember("x", paxRecord("path", deep) + paxRecord("mtime", "1.5"), 'x') +
                    tarMember("short", "") + tarMember("L", deep + '\0', 'L') +
                    tarMember("short", std::string(513, 'z')) + tarMember("link", "", '2') +
                    tarMember("g", paxRecord("comment", "c"), 'g') + tarMember("last", "1") +
                    tarEnd;
  Bytes bytes = bytesOf(tar);
  Result<std::vector<TarMember>> members = parseTar(bytes, "f");
  ASSERT_EQ(members.message(), "");
  std::vector<std::string> names;
  for (const TarMember &member : *members)
    names.push_back(member.name);
  EXPECT_EQ(names, (std::vector<std::string>{"folder/a", deep, deep, "last"}));
  EXPECT_EQ(std::string((*members)[0].data.begin(), (*members)[0].data.end()), text);
  EXPECT_EQ((*members)[2].data.size(), 513u);
  // Every archive that ends early is refused.
  for (size_t size = 0; size < tar.size() - 512; size += 256)
    EXPECT_NE(tarError(tar.substr(0, size)), "") << size;
}

TEST(Tar, Refused) {
  std::string one = tarMember("a", "data");
  EXPECT_EQ(tarError(""), "f: truncated: the archive ends without two blocks of zeros, at byte 0");
  EXPECT_EQ(tarError(one),
            "f: truncated: the archive ends without two blocks of zeros, at byte 1024");
  EXPECT_EQ(tarError(one.substr(0, 514)),
            "f: truncated: the member at byte 0 has 4 bytes, the archive ends after 2");
  EXPECT_EQ(tarError(one + tarEnd + one), "f: bytes after the end of the archive, at byte 1024");
  EXPECT_EQ(tarError(std::string(512, 'a') + tarEnd),
            "f: no tar archive: a header has the magic 'aaaaaa', expected \"ustar\", at byte 0");
  std::string broken = one + one + tarEnd;
  broken[1024] = 'b';
  EXPECT_EQ(tarError(broken), "f: corrupt: the checksum of a header is wrong, at byte 1024");
  broken = one;
  broken[1] = 'b';
  EXPECT_EQ(tarError(broken + tarEnd),
            "f: no tar archive: the checksum of its first header is wrong, at byte 0");
  EXPECT_EQ(tarError(tarMember("a", "", '3') + tarEnd),
            "f: a member is neither a file nor a folder nor a link, but of type '3', at byte 0");
  EXPECT_EQ(tarError(tarMember("a", "7 path=", 'x') + tarEnd),
            "f: corrupt: an extended header is malformed, at byte 0");
  EXPECT_EQ(tarError(tarMember("a", paxRecord("size", "9x"), 'x') + tarEnd),
            "f: corrupt: the size of a member is no number, at byte 0");
  EXPECT_EQ(tarError(tarMember("a", paxRecord("path", "b"), 'x') + tarEnd),
            "f: an extended header has no member behind it, at byte 1024");
}

TEST(Cifar, FolderAndArchive) {
  TempFolder folder;
  writeCifar(folder / "a/cifar-10-batches-bin", 4);
  put(folder / "b/cifar-10-binary.tar.gz", cifarArchive(4));
  for (const char *place : {"a", "a/cifar-10-batches-bin", "b", "b/cifar-10-binary.tar.gz"}) {
    Result<Dataset> data = openDataset("cifar10", folder / place);
    ASSERT_EQ(data.message(), "");
    EXPECT_EQ(data->train.size(), 20);
    EXPECT_EQ(data->test.size(), 7);
    EXPECT_EQ(data->classNames[2], "bird");
    EXPECT_EQ(data->train.shape(), (ImageShape{3, 32, 32}));
    EXPECT_EQ(data->train.label(9), (1 + 3) % 10);
    std::vector<float> pixels(3072);
    ASSERT_TRUE(data->train.read(9, {}, pixels.data()).isOk());
    for (int k = 0; k < 3072; ++k)
      ASSERT_EQ(pixels[size_t(k)], float((1 + k) & 255) / 255.0f);
  }
  std::filesystem::remove(folder / "a/cifar-10-batches-bin/data_batch_3.bin");
  EXPECT_EQ(openDataset("cifar10", folder / "a", DatasetSplits::TestOnly)->test.size(), 7);
}

TEST(Cifar, Refused) {
  TempFolder folder;
  EXPECT_EQ(
      openDataset("cifar10", folder.path()).message(),
      "the data set 'cifar10' was not found: " + folder.path() +
          " (--data) has none of its files\n  hint: download cifar-10-binary.tar.gz from "
          "https://www.cs.toronto.edu/~kriz/cifar.html and give the folder that has it, or what "
          "it unpacks to, by --data DIR or CNNC_DATA");
  std::string one = folder / "data_batch_1.bin", two = folder / "data_batch_2.bin";
  auto errorWith = [&](const std::string &path, const std::string &bytes) {
    writeCifar(folder.path(), 4);
    spill(path, bytes);
    return cifarError(folder.path());
  };
  EXPECT_EQ(
      errorWith(one, cifarRecords(4).substr(1)),
      one + ": has 12291 bytes, expected records of 3073 bytes (a label and 3 x 32 x 32 pixels)");
  EXPECT_EQ(errorWith(one, ""),
            one + ": has 0 bytes, expected records of 3073 bytes (a label and 3 x 32 x 32 pixels)");
  std::string wrong = cifarRecords(4);
  wrong[3073] = 10;
  EXPECT_EQ(errorWith(one, wrong), one + ": label 1 is 10, expected 0 to 9");
  EXPECT_EQ(errorWith(two, cifarRecords(3)), two + ": has 3 images, and " + one + " has 4");
  writeCifar(folder.path(), 4);
  std::filesystem::remove(two);
  EXPECT_EQ(cifarError(folder.path()), two + ": the file is missing");

  TempFolder packed;
  std::string archive = packed / "cifar-10-binary.tar.gz";
  spill(archive, cifarArchive(4).substr(0, 500));
  EXPECT_EQ(openDataset("cifar10", packed.path()).message(),
            archive + ": truncated gzip: it ends after 500 bytes, in the middle of the compressed "
                      "data\n  hint: download the file again");
  Bytes other = gzip(bytesOf(tarMember("a", "b") + tarEnd));
  spill(archive, other);
  EXPECT_EQ(cifarError(packed.path()),
            archive + ": the archive has no file cifar-10-batches-bin/data_batch_1.bin");
}

// The official data, where CNNC_CIFAR10 says which folder has it.
TEST(Cifar, Official) {
  const char *folder = std::getenv("CNNC_CIFAR10");
  if (!folder)
    GTEST_SKIP() << "CNNC_CIFAR10 is not set";
  Result<Dataset> data = openPipeline(
      {{"cifar10", {}}, {{"select", {{"classes", {}, {"airplane", "bird"}}}}}}, {folder, ""});
  ASSERT_EQ(data.message(), "");
  EXPECT_EQ(data->train.size(), 10000);
  EXPECT_EQ(data->test.size(), 2000);
}

TEST(ImageFolder, TrainAndTest) {
  TempFolder folder;
  put(folder / "set/train/cat/b.png", png(4, 3, 20));
  put(folder / "set/train/cat/a.PNG", png(4, 3, 10));
  put(folder / "set/train/cat/more/c.png", png(4, 3, 30));
  put(folder / "set/train/cat/notes.txt", "text");
  put(folder / "set/train/ant/a.png", png(4, 3, 40));
  put(folder / "set/test/ant/a.png", png(4, 3, 50));
  put(folder / "set/test/cat/a.png", png(4, 3, 60));
  Result<Dataset> data = openPipeline(imageFolder("set"), {folder.path(), ""});
  ASSERT_EQ(data.message(), "");
  EXPECT_EQ(data->classNames, (std::vector<std::string>{"ant", "cat"}));
  EXPECT_EQ(data->train.size(), 4);
  EXPECT_EQ(data->test.size(), 2);
  EXPECT_EQ(data->train.shape(), (ImageShape{3, 3, 4}));
  std::vector<float> pixels(36);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(data->train.label(i), i > 0);
    ASSERT_TRUE(data->train.read(i, {}, pixels.data()).isOk());
    EXPECT_EQ(pixels[0], float(i == 0 ? 40 : 10 * i) / 255.0f);
    EXPECT_EQ(pixels[24], float((i == 0 ? 40 : 10 * i) + 2) / 255.0f);
  }
  // Beside the recipe's file; the training images are not looked at.
  put(folder / "set/train/cat/b.png", "broken");
  EXPECT_EQ(openPipeline(imageFolder("set/"), {"", folder.path() + "/"}, DatasetSplits::TestOnly)
                ->test.size(),
            2);
}

TEST(ImageFolder, SizesMayDiffer) {
  TempFolder folder;
  put(folder / "cat/a.png", png(4, 3, 10));
  put(folder / "cat/b.png", png(9, 12, 80));
  Result<Dataset> data =
      openPipeline(imageFolder(folder.path(), {{"resize", {{"height", {5}}, {"width", {6}}}}}), {});
  ASSERT_EQ(data.message(), "");
  EXPECT_EQ(data->train.shape(), (ImageShape{3, 5, 6}));
  EXPECT_EQ(data->test.size(), 0);
  std::vector<float> pixels(90);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(data->train.read(i, {}, pixels.data()).isOk());
    EXPECT_NEAR(pixels[45], float(i ? 81 : 11) / 255, 1e-6);
  }
  data = openPipeline(imageFolder(folder.path()), {});
  ASSERT_EQ(data.message(), "");
  EXPECT_EQ(data->train.read(1, {}, pixels.data()).message(),
            "sample 1 has shape [3, 12, 9] after preprocessing, sample 0 [3, 3, 4]\n"
            "  hint: resize the images to one size");
}

TEST(ImageFolder, Refused) {
  TempFolder folder;
  auto errorOf = [&](const std::string &path) {
    return openPipeline(imageFolder(path), {}).message();
  };
  std::string hint =
      "\n  hint: image_folder(\"DIR\"): DIR has a folder of images for each class, or "
      "train and test, which have them; a relative DIR is looked for in --data, else "
      "beside the file";
  EXPECT_EQ(errorOf(folder / "none"), folder / "none" + ": does not exist" + hint);
  put(folder / "file", "x");
  EXPECT_EQ(errorOf(folder / "file"), folder / "file" + ": is no folder" + hint);
  EXPECT_EQ(errorOf(folder.path()), folder.path() + ": has no folders of classes");
  std::filesystem::create_directories(folder / "cat");
  EXPECT_EQ(errorOf(folder.path()),
            folder / "cat" + ": has no images (.png, .jpg or .jpeg) of class 'cat'");
  put(folder / "a/train/cat/a.png", png(2, 2, 1));
  put(folder / "a/test/dog/a.png", png(2, 2, 1));
  EXPECT_EQ(errorOf(folder / "a"), folder / "a/test" + ": has the class 'dog', which " +
                                       (folder / "a/train") + " has not");
  put(folder / "b/cat/a.png", "no image");
  EXPECT_EQ(errorOf(folder / "b"), folder / "b/cat/a.png" + ": is neither a PNG nor a JPEG image");
}

TEST(NpySet, PairsOfFiles) {
  TempFolder folder;
  put(folder / "x.npy", npy("|u1", "(3, 1, 2)", std::string("\0\xff\x33\x66\x99\xcc", 6)));
  put(folder / "y.npy", npy("|u1", "(3,)", std::string("\2\0\1", 3)));
  float values[] = {1.5f, -2};
  put(folder / "tx.npy",
      npy("<f4", "(1, 1, 1, 2)", std::string(reinterpret_cast<char *>(values), 8)));
  put(folder / "ty.npy", npy("<i4", "(1,)", std::string("\1\0\0\0", 4)));
  auto open = [&](const std::string &tx, const std::string &ty) {
    return openPipeline({{"npy",
                          {{"images", {}, {"x.npy"}},
                           {"labels", {}, {"y.npy"}},
                           {"test_images", {}, {tx}},
                           {"test_labels", {}, {ty}}}},
                         {}},
                        {folder.path(), ""});
  };
  Result<Dataset> data = open("tx.npy", "ty.npy");
  ASSERT_EQ(data.message(), "");
  EXPECT_EQ(data->classNames, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(data->train.shape(), (ImageShape{1, 1, 2}));
  EXPECT_EQ(data->train.label(0), 2);
  float pair[2];
  ASSERT_TRUE(data->train.read(1, {}, pair).isOk());
  EXPECT_EQ(pair[0], 0.2f);
  ASSERT_TRUE(data->test.read(0, {}, pair).isOk());
  EXPECT_EQ(pair[1], -2);
  EXPECT_EQ(data->test.label(0), 1);

  std::string x = folder / "x.npy", y = folder / "y.npy", t = folder / "t.npy";
  EXPECT_EQ(open("x.npy", "ty.npy").message(),
            folder / "ty.npy" + ": has 1 labels, and " + x + " has 3 images");
  put(t, npy("<i8", "(1,)", std::string("\3\0\0\0\0\0\0\0", 8)));
  EXPECT_EQ(open("tx.npy", "t.npy").message(), t + ": label 0 is 3, those of " + y + " are 0 to 2");
  put(t, npy("<i4", "(1,)", "\xff\xff\xff\xff"));
  EXPECT_EQ(open("tx.npy", "t.npy").message(), t + ": label 0 is -1, expected 0 to 65535");
  put(t, npy("<f4", "(1,)", std::string(4, '\0')));
  EXPECT_EQ(open("tx.npy", "t.npy").message(), t + ": the labels are f32, expected u8, i32 or i64");
  put(t, npy("|u1", "(1, 1, 3)", "abc"));
  EXPECT_EQ(open("t.npy", "ty.npy").message(),
            t + ": has images of shape [1, 1, 3], and " + x + " of [1, 1, 2]");
  put(t, npy("|u1", "(3,)", "abc"));
  EXPECT_EQ(
      open("t.npy", "ty.npy").message(),
      t + ": expected images of shape [N, height, width] or [N, channels, height, width], the "
          "file has [3]");
  values[1] = NAN;
  put(t, npy("<f4", "(1, 1, 2)", std::string(reinterpret_cast<char *>(values), 8)));
  EXPECT_EQ(open("t.npy", "ty.npy").message(), t + ": image 0 contains NaN or infinity");
  EXPECT_EQ(openPipeline(
                {{"npy", {{"images", {}, {x}}, {"labels", {}, {y}}, {"test_labels", {}, {y}}}}, {}})
                .message(),
            "npy: 'test_images' and 'test_labels' go together, and one is missing");
}
