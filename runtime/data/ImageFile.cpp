// Which decoder, and what the two have in common.
#include "runtime/data/ImageFile.h"

#include "runtime/core/File.h"

#include <algorithm>
#include <cctype>
#include <new>

namespace cnn {

bool isImageName(std::string_view path) {
  auto endsWith = [&](std::string_view ending) {
    return path.size() > ending.size() &&
           std::equal(ending.begin(), ending.end(), path.end() - ptrdiff_t(ending.size()),
                      [](char a, unsigned char b) { return a == std::tolower(b); });
  };
  return endsWith(".png") || endsWith(".jpg") || endsWith(".jpeg");
}

Status checkImageSize(uint64_t width, uint64_t height, const std::string &name) {
  constexpr uint64_t mostSide = 16384, mostPixels = uint64_t(1) << 27;
  if (width == 0 || height == 0)
    return Status::failure(name, formatText("the image has %llux%llu pixels",
                                            (unsigned long long)height, (unsigned long long)width));
  if (width > mostSide || height > mostSide || width * height > mostPixels)
    return Status::failure(
        name, formatText("the image has %llux%llu pixels, expected at most %llu a "
                         "side and %llu in all",
                         (unsigned long long)height, (unsigned long long)width,
                         (unsigned long long)mostSide, (unsigned long long)mostPixels));
  return Status::success();
}

void convertChannels(ImageFile &file, int64_t channels) {
  Image &image = file.image;
  if (image.shape.channels == channels)
    return;
  size_t count = size_t(image.shape.height * image.shape.width);
  image.shape.channels = channels;
  if (channels == 3) {
    image.pixels.resize(3 * count);
    for (size_t c = 1; c < 3; ++c)
      std::copy_n(image.pixels.begin(), count, image.pixels.begin() + ptrdiff_t(c * count));
    return;
  }
  for (size_t i = 0; i < count; ++i)
    image.pixels[i] = 0.299f * image.pixels[i] + 0.587f * image.pixels[count + i] +
                      0.114f * image.pixels[2 * count + i];
  image.pixels.resize(count);
  file.notes.push_back("colour to grey");
}

Result<ImageFile> parseImageFile(std::span<const uint8_t> content, const std::string &name) {
  try {
    if (content.empty())
      return Status::failure(name, "the file is empty, expected a PNG or JPEG image");
    if (content.size() >= 4 && content[0] == 0x89 && content[1] == 'P' && content[2] == 'N' &&
        content[3] == 'G')
      return parsePng(content, name);
    if (content.size() >= 3 && content[0] == 0xff && content[1] == 0xd8 && content[2] == 0xff)
      return parseJpeg(content, name);
    return Status::failure(name, "is neither a PNG nor a JPEG image");
  } catch (const std::bad_alloc &) {
    return Status::failure(name, "does not fit into memory");
  }
}

Result<ImageFile> readImageFile(const std::string &path) {
  Result<std::vector<uint8_t>> content = readFile(path);
  if (content.failed())
    return content.status();
  return parseImageFile(*content, path);
}

} // namespace cnn
