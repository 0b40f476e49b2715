// libjpeg reports errors by longjmp: everything with a destructor lives outside of the functions
// that it may jump over, in JpegReader.
#include "runtime/data/ImageFile.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <jpeglib.h>

#include <jerror.h> // what it declares depends on jpeglib.h

namespace cnn {

namespace {

struct JpegReader {
  jpeg_decompress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  jpeg_progress_mgr progress = {};
  std::jmp_buf escape;
  std::string error;
  bool cmyk = false;
  std::vector<uint8_t> row;

  ~JpegReader() { jpeg_destroy_decompress(&jpeg); }

  static JpegReader &of(j_common_ptr common) {
    return *static_cast<JpegReader *>(common->client_data);
  }
  static void fail(j_common_ptr common) {
    char text[JMSG_LENGTH_MAX];
    common->err->format_message(common, text);
    JpegReader &reader = of(common);
    reader.error = text;
    std::longjmp(reader.escape, 1);
  }
  /// Warnings say that the library goes on with pixels that it has made up.
  static void message(j_common_ptr common, int level) {
    if (level >= 0)
      return;
    int code = common->err->msg_code;
    if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
        code == JWRN_ARITH_BAD_CODE || code == JWRN_BOGUS_PROGRESSION || code == JWRN_MUST_RESYNC)
      fail(common);
  }
  /// Progressive files of a few bytes can ask for thousands of passes over a large image.
  static void watch(j_common_ptr common) {
    constexpr int mostScans = 500;
    JpegReader &reader = of(common);
    if (reader.jpeg.input_scan_number <= mostScans)
      return;
    reader.error = "it has more than 500 scans";
    std::longjmp(reader.escape, 1);
  }

  bool start();
  bool readHeader(std::span<const uint8_t> content);
  bool startDecoding();
  bool readRow();
  bool finish();
};

bool JpegReader::start() {
  jpeg.err = jpeg_std_error(&errors);
  jpeg.client_data = this;
  errors.error_exit = fail;
  errors.emit_message = message;
  errors.output_message = [](j_common_ptr) {};
  if (setjmp(escape))
    return false;
  jpeg_create_decompress(&jpeg);
  progress.progress_monitor = watch;
  jpeg.progress = &progress;
  jpeg_save_markers(&jpeg, JPEG_APP0 + 1, 0xffff); // EXIF
  return true;
}

bool JpegReader::readHeader(std::span<const uint8_t> content) {
  if (setjmp(escape))
    return false;
  jpeg_mem_src(&jpeg, content.data(), content.size());
  jpeg_read_header(&jpeg, TRUE);
  cmyk = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
  bool grey = jpeg.jpeg_color_space == JCS_GRAYSCALE;
  jpeg.out_color_space = cmyk ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
  return true;
}

bool JpegReader::startDecoding() {
  if (setjmp(escape))
    return false;
  jpeg_start_decompress(&jpeg);
  return true;
}

bool JpegReader::readRow() {
  if (setjmp(escape))
    return false;
  JSAMPROW target = row.data();
  jpeg_read_scanlines(&jpeg, &target, 1);
  return true;
}

bool JpegReader::finish() {
  if (setjmp(escape))
    return false;
  jpeg_finish_decompress(&jpeg);
  return true;
}

/// The orientation that EXIF data asks for, 1 where it asks for nothing: tag 0x0112 of the first
/// directory of the TIFF structure behind "Exif\0\0".
unsigned exifOrientation(const jpeg_decompress_struct &jpeg) {
  for (jpeg_saved_marker_ptr marker = jpeg.marker_list; marker; marker = marker->next) {
    const uint8_t *data = marker->data;
    size_t size = marker->data_length;
    if (marker->marker != JPEG_APP0 + 1 || size < 14 || std::memcmp(data, "Exif\0\0", 6) != 0)
      continue;
    data += 6;
    size -= 6;
    bool big = data[0] == 'M';
    auto number = [&](size_t at, size_t bytes) {
      uint64_t value = 0;
      for (size_t i = 0; i < bytes; ++i)
        value |= uint64_t(data[at + i]) << 8 * (big ? bytes - 1 - i : i);
      return value;
    };
    uint64_t directory = number(4, 4);
    if (directory > size - 2)
      continue;
    uint64_t entries = number(size_t(directory), 2);
    for (uint64_t i = 0; i < entries; ++i) {
      uint64_t at = directory + 2 + 12 * i;
      if (at + 12 > size)
        break;
      if (number(size_t(at), 2) == 0x0112)
        return unsigned(number(size_t(at) + 8, 2));
    }
  }
  return 1;
}

} // namespace

Result<ImageFile> parseJpeg(std::span<const uint8_t> content, const std::string &name) {
  JpegReader reader;
  auto corrupt = [&] {
    return Status::failure(name, "the JPEG image is corrupt: " + reader.error);
  };
  if (!reader.start() || !reader.readHeader(content))
    return corrupt();
  uint64_t width = reader.jpeg.image_width, height = reader.jpeg.image_height;
  if (Status status = checkImageSize(width, height, name); status.failed())
    return status;
  unsigned orientation = exifOrientation(reader.jpeg);
  if (!reader.startDecoding())
    return corrupt();

  ImageFile file;
  size_t stored = size_t(reader.jpeg.output_components), colours = reader.cmyk ? 3 : stored;
  reader.row.resize(width * stored);
  std::vector<uint8_t> bytes; // grows with what is there
  for (uint64_t y = 0; y < height; ++y) {
    if (!reader.readRow())
      return corrupt();
    if (reader.cmyk)
      for (uint64_t x = 0; x < width; ++x) {
        uint8_t *pixel = reader.row.data() + 4 * x;
        if (!reader.jpeg.saw_Adobe_marker) // which says that the values are inverted
          for (int c = 0; c < 4; ++c)
            pixel[c] = uint8_t(255 - pixel[c]);
        for (int c = 0; c < 3; ++c)
          bytes.push_back(uint8_t((pixel[c] * pixel[3] + 127) / 255));
      }
    else
      bytes.insert(bytes.end(), reader.row.begin(), reader.row.end());
  }
  if (!reader.finish())
    return corrupt();

  file.image.shape = {int64_t(colours), int64_t(height), int64_t(width)};
  size_t count = size_t(width * height);
  file.image.pixels.resize(count * colours);
  for (size_t c = 0; c < colours; ++c)
    for (size_t i = 0; i < count; ++i)
      file.image.pixels[c * count + i] = float(bytes[i * colours + c]) / 255.0f;
  if (orientation != 1)
    file.notes.push_back(formatText("EXIF orientation %u ignored", orientation));
  if (reader.cmyk)
    file.notes.push_back("CMYK to colour");
  return file;
}

} // namespace cnn
