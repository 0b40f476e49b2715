// libpng reports errors by longjmp: everything with a destructor lives outside of the functions
// that it may jump over, in PngReader.
#include "runtime/data/ImageFile.h"

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <png.h>

namespace cnn {

namespace {

struct PngReader {
  std::span<const uint8_t> content;
  size_t at = 0;
  std::string error;
  png_structp png = nullptr;
  png_infop info = nullptr;
  uint32_t width = 0, height = 0;
  int channels = 0; ///< 1 or 3, and one more with alpha
  bool wide = false, alpha = false, transparent = false;
  size_t rowBytes = 0;
  std::vector<uint8_t> bytes;
  std::vector<png_bytep> rows;

  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }

  static void fail(png_structp png, png_const_charp message) {
    auto *reader = static_cast<PngReader *>(png_get_error_ptr(png));
    if (reader->error.empty())
      reader->error = message;
    longjmp(png_jmpbuf(png), 1);
  }
  static void warn(png_structp, png_const_charp) {}
  static void read(png_structp png, png_bytep target, size_t count) {
    auto *reader = static_cast<PngReader *>(png_get_io_ptr(png));
    if (reader->content.size() - reader->at < count) {
      reader->error =
          "truncated: it ends after " + std::to_string(reader->content.size()) + " bytes";
      longjmp(png_jmpbuf(png), 1);
    }
    std::memcpy(target, reader->content.data() + reader->at, count);
    reader->at += count;
  }

  bool start();
  bool readHeader();
  bool readRows();
};

bool PngReader::start() {
  png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, warn);
  if (png)
    info = png_create_info_struct(png);
  if (!info)
    error = "libpng is out of memory";
  return info != nullptr;
}

bool PngReader::readHeader() {
  if (setjmp(png_jmpbuf(png)))
    return false;
  png_set_read_fn(png, this, read);
  // What says how colours look on a screen is not asked for: pixels are taken as they are.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
  png_read_info(png, info);
  width = png_get_image_width(png, info);
  height = png_get_image_height(png, info);
  transparent = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  png_set_palette_to_rgb(png);
  if (png_get_bit_depth(png, info) < 8)
    png_set_expand_gray_1_2_4_to_8(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  channels = png_get_channels(png, info);
  wide = png_get_bit_depth(png, info) == 16;
  alpha = (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA) != 0;
  rowBytes = png_get_rowbytes(png, info);
  return true;
}

bool PngReader::readRows() {
  if (setjmp(png_jmpbuf(png)))
    return false;
  png_read_image(png, rows.data());
  png_read_end(png, nullptr);
  return true;
}

} // namespace

Result<ImageFile> parsePng(std::span<const uint8_t> content, const std::string &name) {
  PngReader reader;
  reader.content = content;
  auto corrupt = [&] { return Status::failure(name, "the PNG image is corrupt: " + reader.error); };
  if (!reader.start() || !reader.readHeader())
    return corrupt();
  if (Status status = checkImageSize(reader.width, reader.height, name); status.failed())
    return status;
  // Deflate makes at most 1032 bytes of one, so a short file cannot ask for much memory.
  size_t bytes = reader.rowBytes * reader.height;
  if (bytes / 1032 > content.size()) {
    reader.error = formatText("it ends after %zu bytes, too few for %ux%u pixels", content.size(),
                              reader.height, reader.width);
    return corrupt();
  }
  reader.bytes.resize(bytes);
  for (uint32_t y = 0; y < reader.height; ++y)
    reader.rows.push_back(reader.bytes.data() + y * reader.rowBytes);
  if (!reader.readRows())
    return corrupt();

  ImageFile file;
  int stored = reader.channels, colours = stored - reader.alpha;
  file.image.shape = {colours, int64_t(reader.height), int64_t(reader.width)};
  file.image.pixels.resize(size_t(file.image.shape.elements()));
  float *target = file.image.pixels.data();
  for (int c = 0; c < colours; ++c)
    for (uint32_t y = 0; y < reader.height; ++y) {
      const uint8_t *row = reader.rows[y];
      for (uint32_t x = 0; x < reader.width; ++x) {
        size_t i = size_t(x) * size_t(stored) + size_t(c);
        *target++ = reader.wide ? float(row[2 * i] << 8 | row[2 * i + 1]) / 65535.0f
                                : float(row[i]) / 255.0f;
      }
    }
  file.brightest = reader.wide ? 65535 : 255;
  if (reader.alpha || reader.transparent)
    file.notes.push_back("alpha dropped");
  return file;
}

} // namespace cnn
