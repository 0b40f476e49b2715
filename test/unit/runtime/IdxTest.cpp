// IDX files, plain and gzip: what is read, and the full message of everything that is refused.
#include "runtime/data/Idx.h"

#include "runtime/data/Gzip.h"

#include "test/unit/runtime/IdxFiles.h"

using namespace cnn;
using namespace cnn::test;

static std::string errorOf(const Bytes &bytes) { return parseIdx(bytes, "f").message(); }

TEST(Idx, ReadsPlainAndGzip) {
  Bytes bytes = idxBytes({3, 2, 5});
  for (const Bytes &content : {bytes, gzip(bytes)}) {
    Result<IdxTensor> tensor = parseIdx(content, "f");
    ASSERT_EQ(tensor.message(), "");
    EXPECT_EQ(tensor->dims, (std::vector<int64_t>{3, 2, 5}));
    EXPECT_EQ(tensor->itemSize(), 10);
    ASSERT_EQ(tensor->data.size(), 30u);
    EXPECT_EQ(tensor->data[29], 29 * 7);
  }
}

TEST(Idx, ReadsGzipOfSeveralMembers) {
  Bytes bytes = idxBytes({1000, 9}), packed = gzip({bytes.begin(), bytes.begin() + 4321});
  Bytes rest = gzip({bytes.begin() + 4321, bytes.end()});
  packed.insert(packed.end(), rest.begin(), rest.end());
  Result<IdxTensor> tensor = parseIdx(packed, "f");
  ASSERT_EQ(tensor.message(), "");
  EXPECT_EQ(tensor->data, Bytes(bytes.begin() + 12, bytes.end()));
}

TEST(Idx, RefusesPlain) {
  EXPECT_EQ(errorOf({}), "f: the file is empty, expected IDX data");
  EXPECT_EQ(errorOf({0, 0, 8}), "f: truncated: an IDX file starts with 4 bytes, this one has 3");
  EXPECT_EQ(errorOf({0x89, 'P', 'N', 'G'}),
            "f: no IDX file: the magic number is 0x89504e47, expected 0x00000801 (labels) or "
            "0x00000803 (images)");
  EXPECT_EQ(errorOf(idxHeader(7, {1})),
            "f: no IDX file: the magic number is 0x00000701, expected 0x00000801 (labels) or "
            "0x00000803 (images)");
  EXPECT_EQ(errorOf(idxHeader(0x0d, {1})),
            "f: the IDX elements are of type 0x0d (float), expected 0x08 (unsigned byte)");
  EXPECT_EQ(errorOf({0, 0, 8, 0}), "f: the IDX data has rank 0, expected 1 to 8");
  EXPECT_EQ(errorOf({0, 0, 8, 255}), "f: the IDX data has rank 255, expected 1 to 8");
  EXPECT_EQ(errorOf({0, 0, 8, 3, 0, 0}),
            "f: truncated: the IDX header has 16 bytes, the file has 6");
  Bytes bytes = idxBytes({2, 3, 4});
  bytes.pop_back();
  EXPECT_EQ(errorOf(bytes), "f: truncated: the header's extents [2, 3, 4] make 40 bytes, the file "
                            "has 39");
  bytes.insert(bytes.end(), 3, 0);
  EXPECT_EQ(errorOf(bytes), "f: bytes after the end: the header's extents [2, 3, 4] make 40 bytes, "
                            "the file has 42");
  uint32_t big = 0xffffffff;
  EXPECT_EQ(errorOf(idxHeader(8, {big, big, 2})),
            "f: the IDX extents [4294967295, 4294967295, 2] exceed 2^63 bytes");
  EXPECT_EQ(errorOf(idxHeader(8, {big, 1000})),
            "f: truncated: the header's extents [4294967295, 1000] make 4294967295012 bytes, the "
            "file has 12");
}

TEST(Idx, RefusesGzip) {
  Bytes bytes = idxBytes({20, 30});
  Bytes packed = gzip(bytes), broken = packed;
  EXPECT_EQ(errorOf({packed.begin(), packed.begin() + 40}),
            "f: truncated gzip: it ends after 40 bytes, in the middle of the compressed data\n"
            "  hint: download the file again");
  // Without the last byte, of the length that gzip notes at its end.
  EXPECT_EQ(errorOf({packed.begin(), packed.end() - 1}),
            "f: truncated gzip: it ends after " + std::to_string(packed.size() - 1) +
                " bytes, in the middle of the compressed data\n  hint: download the file again");
  broken[broken.size() - 6] ^= 1; // the checksum
  EXPECT_EQ(errorOf(broken),
            "f: corrupt gzip: incorrect data check\n  hint: download the file again");
  EXPECT_EQ(errorOf({0x1f, 0x8b, 9, 9, 9}), "f: corrupt gzip: unknown compression method\n"
                                            "  hint: download the file again");
  broken = packed;
  broken.push_back('x');
  EXPECT_EQ(errorOf(broken), "f: 1 more byte after the end of the gzip content");
  EXPECT_EQ(errorOf(gzip({})), "f: the file is empty, expected IDX data");
  EXPECT_EQ(errorOf(gzip({0, 0, 8, 1, 0})),
            "f: truncated: decompressed, the IDX header has 8 bytes, the file has 5");
  EXPECT_EQ(errorOf(gzip({bytes.begin(), bytes.end() - 2})),
            "f: truncated: decompressed, the header's extents [20, 30] make 612 bytes, the file "
            "has 610");
  bytes.resize(bytes.size() + 70000);
  EXPECT_EQ(errorOf(gzip(bytes)), "f: bytes after the end: decompressed, the header's extents "
                                  "[20, 30] make 612 bytes, the file has more");
  // A header that promises 4 TB costs no memory.
  EXPECT_EQ(
      errorOf(gzip(idxHeader(8, {0xffffffff, 1000}))),
      "f: truncated: decompressed, the header's extents [4294967295, 1000] make 4294967295012 "
      "bytes, the file has 12");
}

TEST(Idx, EveryTruncationFails) {
  Bytes bytes = idxBytes({2, 3, 4}), packed = gzip(bytes);
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_TRUE(parseIdx({bytes.data(), size}, "f").failed()) << size;
  for (size_t size = 0; size < packed.size(); ++size)
    EXPECT_TRUE(parseIdx({packed.data(), size}, "f").failed()) << size;
}

TEST(Idx, InflateGzipKeepsItsLimit) {
  Bytes bytes(5000, 3);
  EXPECT_EQ(*inflateGzip(gzip(bytes), "f", 5000), bytes);
  EXPECT_EQ(inflateGzip(gzip(bytes), "f", 4999).message(),
            "f: decompressed, it has more than the allowed 4999 bytes");
}
