// safetensors: round trips, a file that Python wrote, and the full message of everything refused.
#include "runtime/data/Safetensors.h"

#include "test/unit/runtime/Support.h"

#include <csignal>
#include <sys/resource.h>

using namespace cnn;
using namespace cnn::test;

/// A file with `header` and `dataBytes` bytes of data; `length` overrides the header's length.
static std::vector<uint8_t> file(const std::string &header, size_t dataBytes,
                                 uint64_t length = UINT64_MAX) {
  std::vector<uint8_t> bytes;
  for (int i = 0; i < 8; ++i)
    bytes.push_back(uint8_t((length == UINT64_MAX ? header.size() : length) >> 8 * i));
  bytes.insert(bytes.end(), header.begin(), header.end());
  for (size_t i = 0; i < dataBytes; ++i)
    bytes.push_back(uint8_t(i));
  return bytes;
}

static std::string errorOf(const std::vector<uint8_t> &bytes) {
  return parseSafetensors(bytes, "f").message();
}

static std::string tensor(const std::string &name, const std::string &dtype,
                          const std::string &shape, const std::string &offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

TEST(Safetensors, Reads) {
  Result<Safetensors> read = parseSafetensors(
      file("{\"__metadata__\":{\"format\":\"pt\"}," + tensor("b", "U8", "[3]", "[16,19]") + "," +
               tensor("a", "F32", "[2,2]", "[0,16]") + "," + tensor("e", "I64", "[0]", "[19,19]") +
               "}   ",
           19),
      "f");
  ASSERT_EQ(read.message(), "");
  EXPECT_EQ(read->metadata.at("format"), "pt");
  ASSERT_EQ(read->tensors.size(), 3u);
  EXPECT_EQ(read->tensors[0].name, "a");
  EXPECT_EQ(read->tensors[0].shape, (std::vector<int64_t>{2, 2}));
  const NamedTensor *b = read->find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->element, ElementType::U8);
  EXPECT_EQ(b->bytes, 3u);
  EXPECT_EQ(b->data[2], 18);
  EXPECT_EQ(read->find("c"), nullptr);
}

TEST(Safetensors, WritesWhatItReads) {
  TempFolder folder;
  std::string path = folder / "w.safetensors";
  std::vector<double> values = {1, 2, 3};
  std::vector<uint8_t> bytes = {7, 8};
  std::vector<NamedTensor> tensors = {
      {"\u00e4.weight", ElementType::F64, {3, 1}, reinterpret_cast<uint8_t *>(values.data()), 24},
      {"n", ElementType::U8, {2}, bytes.data(), 2}};
  std::map<std::string, std::string> metadata = {{"a", "\"quoted\"\n"}, {"b", ""}};
  ASSERT_EQ(writeSafetensors(path, tensors, metadata).message(), "");
  Result<Safetensors> read = readSafetensors(path);
  ASSERT_EQ(read.message(), "");
  EXPECT_EQ(read->metadata, metadata);
  ASSERT_EQ(read->tensors.size(), 2u);
  EXPECT_EQ(read->tensors[0].name, "\u00e4.weight");
  EXPECT_EQ(read->tensors[0].shape, (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(std::memcmp(read->tensors[0].data, values.data(), 24), 0);
  EXPECT_EQ(read->tensors[1].data[1], 8);
  EXPECT_EQ((read->tensors[0].data - read->content.data()) % 8, 0);
}

TEST(Safetensors, RefusesLengths) {
  EXPECT_EQ(errorOf({}), "f: the file is empty, expected safetensors data");
  EXPECT_EQ(errorOf({1, 2, 3}),
            "f: truncated: a safetensors file starts with 8 bytes, this one has 3");
  EXPECT_EQ(errorOf(file("{}", 0, uint64_t(1) << 63)),
            "f: no safetensors file: its header would have 9223372036854775808 bytes, at most "
            "100000000 are allowed");
  EXPECT_EQ(errorOf(file("{}", 0, 100000000)),
            "f: truncated: the header has 100000000 bytes, the file has 2 after the length");
  EXPECT_EQ(errorOf({'P', 'K', 3, 4, 0, 0, 0, 0}),
            "f: no safetensors file, but a zip archive, as torch.save writes it\n"
            "  hint: in Python: safetensors.torch.save_file(model.state_dict(), PATH)");
  EXPECT_EQ(errorOf(file("", 0)), "f: no safetensors file: its header does not start with '{'");
  EXPECT_EQ(errorOf(file(" {}", 0)), "f: no safetensors file: its header does not start with '{'");
}

TEST(Safetensors, RefusesHeaders) {
  EXPECT_EQ(
      errorOf(file("{\"a\":", 0)),
      "f: header: malformed JSON at byte 6: syntax error while parsing value - unexpected end "
      "of input; expected '[', '{', or a literal");
  std::string a = tensor("a", "U8", "[1]", "[0,1]");
  EXPECT_EQ(errorOf(file("{" + a + "," + a + "}", 1)), "f: header: the key 'a' is there twice");
  EXPECT_EQ(errorOf(file("{\"a\":[]}", 0)),
            "f: tensor 'a': expected an object of dtype, shape and data_offsets");
  EXPECT_EQ(
      errorOf(file("{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1],\"x\":1}}", 1)),
      "f: tensor 'a': expected an object of dtype, shape and data_offsets");
  EXPECT_EQ(errorOf(file("{" + tensor("a", "BF16", "[1]", "[0,2]") + "}", 2)),
            "f: tensor 'a': elements of type 'BF16', expected F32, F64, I64, I32 or U8");
  EXPECT_EQ(errorOf(file("{" + tensor("a", "U8", "3", "[0,3]") + "}", 3)),
            "f: tensor 'a': the shape is no array");
  for (const char *extent : {"-1", "1.5", "\"1\"", "9223372036854775808"})
    EXPECT_EQ(
        errorOf(file("{" + tensor("a", "U8", "[" + std::string(extent) + "]", "[0,1]") + "}", 1)),
        "f: tensor 'a': an extent of the shape is no integer from 0 to 2^63 - 1");
  EXPECT_EQ(errorOf(file("{" + tensor("a", "F32", "[4611686018427387904,2]", "[0,1]") + "}", 1)),
            "f: tensor 'a': the shape [4611686018427387904, 2] exceeds 2^63 bytes");
  EXPECT_EQ(errorOf(file("{" + tensor("a", "F32", "[4611686018427387904]", "[0,1]") + "}", 1)),
            "f: tensor 'a': the shape [4611686018427387904] exceeds 2^63 bytes");
  EXPECT_EQ(errorOf(file("{\"__metadata__\":3}", 0)), "f: __metadata__ is no object");
  EXPECT_EQ(errorOf(file("{\"__metadata__\":{\"k\":3}}", 0)),
            "f: __metadata__: the value of 'k' is no string");
}

TEST(Safetensors, RefusesOffsets) {
  for (const char *offsets : {"[1,0]", "[0]", "[0,1,2]", "[-1,1]", "3", "[0,9223372036854775808]"})
    EXPECT_EQ(errorOf(file("{" + tensor("a", "U8", "[1]", offsets) + "}", 1)),
              "f: tensor 'a': data_offsets must be [begin, end] with 0 <= begin <= end")
        << offsets;
  EXPECT_EQ(errorOf(file("{" + tensor("a", "U8", "[9]", "[0,9]") + "}", 8)),
            "f: tensor 'a': ends at byte 9 of the data, which has 8");
  EXPECT_EQ(errorOf(file("{" + tensor("a", "F32", "[3]", "[0,8]") + "}", 8)),
            "f: tensor 'a': the shape [3] of F32 makes 12 bytes, the offsets span 8");
  std::string a = tensor("a", "U8", "[4]", "[0,4]");
  EXPECT_EQ(errorOf(file("{" + a + "," + tensor("b", "U8", "[4]", "[3,7]") + "}", 7)),
            "f: the tensors 'a' and 'b' overlap");
  EXPECT_EQ(errorOf(file("{" + a + "," + tensor("b", "U8", "[4]", "[0,4]") + "}", 4)),
            "f: the tensors 'a' and 'b' overlap");
  EXPECT_EQ(errorOf(file("{" + a + "," + tensor("b", "U8", "[1]", "[6,7]") + "}", 7)),
            "f: 2 bytes before tensor 'b' belong to no tensor");
  EXPECT_EQ(errorOf(file("{" + a + "}", 7)), "f: 3 bytes at the end belong to no tensor");
}

// A disk that fills up while weights are written leaves the old ones.
TEST(Safetensors, FullDiskKeepsTheOldFile) {
  TempFolder folder;
  std::string path = folder / "w.safetensors";
  std::vector<uint8_t> data(10000);
  std::vector<NamedTensor> small = {{"a", ElementType::U8, {10}, data.data(), 10}};
  std::vector<NamedTensor> large = {{"a", ElementType::U8, {10000}, data.data(), 10000}};
  ASSERT_TRUE(writeSafetensors(path, small, {}).isOk());
  std::string before = slurp(path);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit previous, limit;
  getrlimit(RLIMIT_FSIZE, &previous);
  limit = previous;
  limit.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &limit);
  std::string message = writeSafetensors(path, large, {}, /*keepBackup=*/true).message();
  setrlimit(RLIMIT_FSIZE, &previous);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(message, path + ": cannot write: File too large\n"
                            "  hint: the file that was there is unchanged; make room, or write to "
                            "another place");
  EXPECT_EQ(slurp(path), before);
  EXPECT_EQ(listing(folder.path()), std::vector<std::string>{"w.safetensors"});
}

TEST(Safetensors, EveryTruncationFails) {
  std::vector<uint8_t> bytes = file("{" + tensor("a", "F32", "[2,2]", "[0,16]") + "," +
                                        tensor("b", "U8", "[3]", "[16,19]") + "}",
                                    19);
  ASSERT_EQ(errorOf(bytes), "");
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_TRUE(parseSafetensors({bytes.begin(), bytes.begin() + size}, "f").failed()) << size;
}
