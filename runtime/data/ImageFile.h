// PNG and JPEG files as images of numbers, by libpng and libjpeg-turbo.
#ifndef CNNC_RUNTIME_DATA_IMAGEFILE_H
#define CNNC_RUNTIME_DATA_IMAGEFILE_H

#include "runtime/data/Dataset.h"

#include <span>

namespace cnn {

/// A decoded file.
struct ImageFile {
  Image image;         ///< of 1 channel (grey) or 3 (red, green, blue), values 0 to 1
  int brightest = 255; ///< what 1 was in the file
  /// What a person might not expect: "alpha dropped", "EXIF orientation 6 ignored".
  std::vector<std::string> notes;
};

/// Whether a file is called like one that readImageFile can read: .png, .jpg or .jpeg.
bool isImageName(std::string_view path);

/// Reads the file at `path`; PNG and JPEG are told apart by their content. PNG: every kind of
/// colour and depth, interlaced or not; palettes become colours, alpha is dropped, 16 bits are
/// kept. JPEG: grey, colour, and CMYK by the usual rule (1 - C)(1 - K); the orientation that EXIF
/// data may ask for is ignored. Refused: other formats, corrupt or truncated content, sides above
/// 16384 pixels and images above 2^27 of them.
Result<ImageFile> readImageFile(const std::string &path);
Result<ImageFile> parseImageFile(std::span<const uint8_t> content, const std::string &name);

/// Makes an image of `channels` (1 or 3) of one of 1 or 3: grey is repeated, colour becomes 0.299
/// red + 0.587 green + 0.114 blue; adds a note when that loses something.
void convertChannels(ImageFile &file, int64_t channels);

/// The decoders; `content` starts as such a file does.
Result<ImageFile> parsePng(std::span<const uint8_t> content, const std::string &name);
Result<ImageFile> parseJpeg(std::span<const uint8_t> content, const std::string &name);

/// Fails on sides and sizes that are refused.
Status checkImageSize(uint64_t width, uint64_t height, const std::string &name);

} // namespace cnn

#endif
