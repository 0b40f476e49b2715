// PNG files of every colour type, depth and interlacing, made here so that the decoder is not
// tested by its own library.
#ifndef CNNC_TEST_UNIT_RUNTIME_PNGFILES_H
#define CNNC_TEST_UNIT_RUNTIME_PNGFILES_H

#include "test/unit/runtime/Support.h"

#include <functional>
#include <zlib.h>

namespace cnn::test {

struct PngKind {
  int colour; ///< 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
  int depth;
  bool interlaced = false;
  bool transparency = false; ///< a tRNS chunk
  int samples() const { return colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1; }
};

inline void putWord(std::string &text, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    text += char(value >> shift);
}

inline void putChunk(std::string &png, const std::string &type, const std::string &data) {
  putWord(png, uint32_t(data.size()));
  std::string body = type + data;
  png += body;
  putWord(png, uint32_t(crc32(0, reinterpret_cast<const Bytef *>(body.data()), uInt(body.size()))));
}

/// A file of `width` x `height` whose sample `s` of pixel (x, y) is sample(x, y, s); palette entry
/// i is (i * 5, 255 - i, i ^ 90) modulo 256.
inline std::string pngFile(PngKind kind, int width, int height,
                           const std::function<int(int, int, int)> &sample) {
  std::string png("\x89PNG\r\n\x1a\n"), header;
  putWord(header, uint32_t(width));
  putWord(header, uint32_t(height));
  header += {char(kind.depth), char(kind.colour), 0, 0, char(kind.interlaced)};
  putChunk(png, "IHDR", header);
  if (kind.colour == 3) {
    std::string palette;
    for (int i = 0; i < 1 << kind.depth; ++i)
      palette += {char(i * 5), char(255 - i), char(i ^ 90)};
    putChunk(png, "PLTE", palette);
  }
  if (kind.transparency)
    putChunk(png, "tRNS",
             kind.colour == 3 ? std::string("\x80") : std::string(kind.colour == 2 ? 6 : 2, '\0'));
  // Adam7: first column and row, steps (PNG specification, 8.2).
  static const int passes[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                   {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  static const int whole[1][4] = {{0, 0, 1, 1}};
  std::string raw;
  for (int p = 0; p < (kind.interlaced ? 7 : 1); ++p) {
    const int *pass = kind.interlaced ? passes[p] : whole[p];
    if (pass[0] >= width)
      continue;
    for (int y = pass[1]; y < height; y += pass[3]) {
      raw += '\0'; // no filter
      uint32_t bits = 0, held = 0;
      for (int x = pass[0]; x < width; x += pass[2])
        for (int s = 0; s < kind.samples(); ++s) {
          bits = bits << kind.depth | uint32_t(sample(x, y, s));
          for (held += uint32_t(kind.depth); held >= 8; held -= 8)
            raw += char(bits >> (held - 8));
        }
      if (held)
        raw += char(bits << (8 - held));
    }
  }
  std::string packed(compressBound(raw.size()), '\0');
  uLongf size = packed.size();
  EXPECT_EQ(compress(reinterpret_cast<Bytef *>(packed.data()), &size,
                     reinterpret_cast<const Bytef *>(raw.data()), raw.size()),
            Z_OK);
  packed.resize(size);
  // In two pieces, as large files have them.
  putChunk(png, "IDAT", packed.substr(0, size / 2));
  putChunk(png, "IDAT", packed.substr(size / 2));
  putChunk(png, "IEND", "");
  return png;
}

} // namespace cnn::test

#endif
