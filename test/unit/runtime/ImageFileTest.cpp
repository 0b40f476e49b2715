// Image files: PNG of every kind against the pixels that they were made of, JPEG against what
// Pillow decodes (test/parity/make_data_goldens.py), and the full message of everything that is
// refused.
#include "runtime/data/ImageFile.h"

#include "runtime/data/Safetensors.h"
#include "test/unit/runtime/PngFiles.h"

#include <cmath>

using namespace cnn;
using namespace cnn::test;

static int pattern(const PngKind &kind, int x, int y, int s) {
  return (x * 37 + y * 101 + s * 59 + 11) * 7919 % (1 << kind.depth);
}

static std::string errorOf(const std::string &content) {
  return parseImageFile(bytesOf(content), "f").message();
}

static std::string makePng(const PngKind &kind, int width = 9, int height = 13) {
  return pngFile(kind, width, height, [&](int x, int y, int s) { return pattern(kind, x, y, s); });
}

TEST(ImageFile, EveryKindOfPng) {
  int kinds = 0;
  for (int colour : {0, 2, 3, 4, 6})
    for (int depth : {1, 2, 4, 8, 16})
      for (bool interlaced : {false, true})
        for (bool transparency : {false, true}) {
          PngKind kind{colour, depth, interlaced, transparency};
          if ((colour == 3 && depth == 16) || (colour != 0 && colour != 3 && depth < 8) ||
              (transparency && (colour == 4 || colour == 6)))
            continue;
          ++kinds;
          Result<ImageFile> file = parseImageFile(bytesOf(makePng(kind)), "f");
          ASSERT_EQ(file.message(), "") << colour << " " << depth;
          int channels = colour == 0 || colour == 4 ? 1 : 3;
          ASSERT_EQ(file->image.shape, (ImageShape{channels, 13, 9}));
          bool alpha = transparency || colour == 4 || colour == 6;
          EXPECT_EQ(file->notes,
                    alpha ? std::vector<std::string>{"alpha dropped"} : std::vector<std::string>{});
          EXPECT_EQ(file->brightest, depth == 16 ? 65535 : 255);
          for (int c = 0; c < channels; ++c)
            for (int y = 0; y < 13; ++y)
              for (int x = 0; x < 9; ++x) {
                int i = pattern(kind, x, y, colour == 3 ? 0 : c);
                int entry[] = {i * 5 & 255, 255 - i, (i ^ 90) & 255};
                float expected = colour == 3  ? float(entry[c]) / 255.0f
                                 : depth < 8  ? float(i * (255 / ((1 << depth) - 1))) / 255.0f
                                 : depth == 8 ? float(i) / 255.0f
                                              : float(i) / 65535.0f;
                ASSERT_EQ(file->image.pixels[size_t((c * 13 + y) * 9 + x)], expected)
                    << colour << " " << depth << " " << interlaced;
              }
        }
  EXPECT_EQ(kinds, 2 * (2 * 5 + 2 * 4 + 2 * 2 + 2 + 2));
}

// 2 / 255: Pillow brings its own libjpeg-turbo, whose arithmetic may round otherwise.
TEST(ImageFile, JpegAsPillow) {
  Result<Safetensors> goldens = readSafetensors(CNN_TEST_DIR "/parity/data.safetensors");
  ASSERT_EQ(goldens.message(), "");
  for (std::string kind : {"grey", "colour", "progressive", "cmyk", "turned"}) {
    const NamedTensor *content = goldens->find("jpeg." + kind + ".file"),
                      *pixels = goldens->find("jpeg." + kind + ".pixels");
    ASSERT_TRUE(content && pixels) << kind;
    Result<ImageFile> file = parseImageFile({content->data, content->bytes}, "f");
    ASSERT_EQ(file.message(), "") << kind;
    EXPECT_EQ(file->image.shape.dims(), pixels->shape) << kind;
    double worst = 0;
    for (size_t i = 0; i < file->image.pixels.size(); ++i) {
      float expected;
      std::memcpy(&expected, pixels->data + 4 * i, 4);
      worst = std::max(worst, std::abs(double(expected - file->image.pixels[i])));
    }
    EXPECT_LE(worst, 2.01 / 255) << kind;
    std::vector<std::string> notes;
    if (kind == "turned")
      notes = {"EXIF orientation 6 ignored"};
    if (kind == "cmyk")
      notes = {"CMYK to colour"};
    EXPECT_EQ(file->notes, notes) << kind;
    // Every prefix is refused.
    for (size_t size = 3; size + 2 < content->bytes; size += 7)
      EXPECT_TRUE(parseImageFile({content->data, size}, "f").failed()) << kind << " " << size;
  }
}

TEST(ImageFile, Channels) {
  ImageFile file;
  file.image = {{1, 1, 2}, {0.25f, 1}};
  convertChannels(file, 3);
  EXPECT_EQ(file.image.pixels, (std::vector<float>{0.25f, 1, 0.25f, 1, 0.25f, 1}));
  EXPECT_TRUE(file.notes.empty());
  convertChannels(file, 1);
  EXPECT_NEAR(file.image.pixels[0], 0.25, 1e-7);
  EXPECT_EQ(file.image.pixels.size(), 2u);
  EXPECT_EQ(file.notes, std::vector<std::string>{"colour to grey"});
  EXPECT_TRUE(isImageName("a/B.PNG") && isImageName("x.jpeg") && isImageName("x.JPG"));
  EXPECT_FALSE(isImageName("png") || isImageName(".png") || isImageName("a.gif"));
}

TEST(ImageFile, Refused) {
  EXPECT_EQ(errorOf(""), "f: the file is empty, expected a PNG or JPEG image");
  EXPECT_EQ(errorOf("GIF89a"), "f: is neither a PNG nor a JPEG image");
  std::string png = makePng({2, 8});
  for (size_t size = 8; size < png.size(); size += 3) {
    std::string message = errorOf(png.substr(0, size));
    EXPECT_EQ(message, "f: the PNG image is corrupt: truncated: it ends after " +
                           std::to_string(size) + " bytes");
  }
  std::string broken = png;
  broken[60] = char(broken[60] ^ 1); // in the first IDAT
  EXPECT_EQ(errorOf(broken), "f: the PNG image is corrupt: IDAT: CRC error");
  EXPECT_EQ(errorOf(makePng({0, 8}, 20000, 1)),
            "f: the image has 1x20000 pixels, expected at most 16384 a side and 134217728 in all");
  // A header that promises more than the file can hold.
  std::string header("\x89PNG\r\n\x1a\n"), fields;
  putWord(fields, 8000);
  putWord(fields, 8000);
  fields += {8, 2, 0, 0, 0};
  putChunk(header, "IHDR", fields);
  putChunk(header, "IDAT", "");
  EXPECT_EQ(errorOf(header), "f: the PNG image is corrupt: it ends after 45 bytes, too few for "
                             "8000x8000 pixels");
  EXPECT_EQ(errorOf("\xff\xd8\xff\xd9"),
            "f: the JPEG image is corrupt: JPEG datastream contains no "
            "image");
  EXPECT_EQ(readImageFile("/nowhere.png").message(),
            "/nowhere.png: cannot read: No such file or directory");
}
