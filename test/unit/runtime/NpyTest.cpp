// .npy files as NumPy writes them, and the full message of everything that is refused.
#include "runtime/data/Npy.h"

#include "test/unit/runtime/Support.h"

using namespace cnn;
using namespace cnn::test;

/// What numpy.save writes: magic, version, header padded to 64 bytes, data.
static std::vector<uint8_t> npy(const std::string &dictionary, const std::vector<uint8_t> &data,
                                int version = 1) {
  std::string text = dictionary;
  size_t start = version == 1 ? 10 : 12;
  text.resize((start + text.size() + 1 + 63) / 64 * 64 - start - 1, ' ');
  text += '\n';
  std::vector<uint8_t> bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', uint8_t(version), 0};
  for (size_t i = 0; i < start - 8; ++i)
    bytes.push_back(uint8_t(text.size() >> 8 * i));
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

template <typename T> static std::vector<uint8_t> raw(const std::vector<T> &values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

static std::string errorOf(const std::vector<uint8_t> &bytes) {
  return parseNpy(bytes, "f").message();
}

TEST(Npy, ReadsEveryElementAndVersion) {
  struct Case {
    std::string descr;
    ElementType element;
    std::vector<uint8_t> data;
  };
  std::vector<float> expected = {1, 2, 3, 4, 5, 250};
  for (const Case &each : {Case{"<f4", ElementType::F32, raw<float>({1, 2, 3, 4, 5, 250})},
                           Case{"<f8", ElementType::F64, raw<double>({1, 2, 3, 4, 5, 250})},
                           Case{"<i4", ElementType::I32, raw<int32_t>({1, 2, 3, 4, 5, 250})},
                           Case{"<i8", ElementType::I64, raw<int64_t>({1, 2, 3, 4, 5, 250})},
                           Case{"|u1", ElementType::U8, raw<uint8_t>({1, 2, 3, 4, 5, 250})}})
    for (int version : {1, 2, 3}) {
      Result<NpyArray> array =
          parseNpy(npy("{'descr': '" + each.descr + "', 'fortran_order': False, 'shape': (2, 3), }",
                       each.data, version),
                   "f");
      ASSERT_EQ(array.message(), "") << each.descr << version;
      EXPECT_EQ(array->element, each.element);
      EXPECT_EQ(array->shape, (std::vector<int64_t>{2, 3}));
      EXPECT_EQ(array->data, each.data);
      EXPECT_EQ(array->toF32(), expected);
    }
}

TEST(Npy, TurnsFortranOrder) {
  // numpy.arange(24).reshape(2, 3, 4), saved in Fortran order: the first index runs fastest.
  std::vector<float> column, row(24);
  for (int k = 0; k < 4; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i)
        column.push_back(float(i * 12 + j * 4 + k));
  for (int i = 0; i < 24; ++i)
    row[i] = float(i);
  Result<NpyArray> array = parseNpy(
      npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 4), }", raw(column)), "f");
  ASSERT_EQ(array.message(), "");
  EXPECT_EQ(array->toF32(), row);
}

TEST(Npy, Shapes) {
  auto shapeOf = [](const std::string &shape, size_t bytes) {
    Result<NpyArray> array =
        parseNpy(npy("{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }",
                     std::vector<uint8_t>(bytes)),
                 "f");
    return array.failed() ? array.message() : shapeText(array->shape);
  };
  EXPECT_EQ(shapeOf("()", 1), "[]");
  EXPECT_EQ(shapeOf("(3,)", 3), "[3]");
  EXPECT_EQ(shapeOf("(3, 0)", 0), "[3, 0]");
  EXPECT_EQ(shapeOf("(4611686018427387904, 4)", 0),
            "f: the .npy shape [4611686018427387904, 4] exceeds 2^63 bytes");
  std::string deep = "(";
  for (int i = 0; i < 65; ++i)
    deep += "1, ";
  EXPECT_EQ(shapeOf(deep + ")", 1), "f: the .npy array has rank 65, expected at most 64");
  for (const char *wrong :
       {"(3)", "(3,,)", "(-1,)", "(99999999999999999999,)", "3", "(1, 2", "(1 2)"})
    EXPECT_TRUE(shapeOf(wrong, 3).starts_with("f: malformed .npy header: '")) << wrong;
}

TEST(Npy, Refuses) {
  std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  std::vector<uint8_t> data(8);
  EXPECT_EQ(errorOf({}), "f: the file is empty, expected .npy data");
  EXPECT_EQ(errorOf(bytesOf("PK\x03\x04 a zip file")),
            "f: no .npy file: it does not start with \\x93NUMPY and a version");
  EXPECT_EQ(errorOf(npy(good, data, 4)), "f: the .npy version is 4.0, expected 1.0, 2.0 or 3.0");
  std::vector<uint8_t> bytes = npy(good, data);
  EXPECT_EQ(errorOf({bytes.begin(), bytes.begin() + 50}),
            "f: truncated: the .npy header ends at byte 128, the file has 50 bytes");
  EXPECT_EQ(errorOf({bytes.begin(), bytes.end() - 1}),
            "f: truncated: the shape [2] of f32 makes 8 bytes of data, the file has 7");
  bytes.push_back(0);
  EXPECT_EQ(errorOf(bytes),
            "f: bytes after the end: the shape [2] of f32 makes 8 bytes of data, the file has 9");
  for (const char *descr : {"<f2", ">f4", "|b1", "|O", "<c8"})
    EXPECT_EQ(errorOf(npy("{'descr': '" + std::string(descr) +
                              "', 'fortran_order': False, 'shape': (2,), }",
                          data)),
              "f: the .npy elements are '" + std::string(descr) +
                  "', expected <f4, <f8, <i4, <i8 or |u1\n"
                  "  hint: convert the array with .astype('<f4') before saving it");
  EXPECT_EQ(errorOf(npy("{'descr': '<f4', 'shape': (2,), }", data)),
            "f: malformed .npy header: '{'descr': '<f4', 'shape': (2,), }', expected {'descr': "
            "..., 'fortran_order': ..., 'shape': (...), }");
  for (const char *wrong :
       {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", "", "{", "'"})
    EXPECT_TRUE(errorOf(npy(wrong, data)).starts_with("f: malformed .npy header: '")) << wrong;
  EXPECT_EQ(readNpy("/none/x.npy").message(),
            "/none/x.npy: cannot read: No such file or directory");
}
