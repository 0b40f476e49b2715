// Any bytes -> the PNG and JPEG readers. Fails on a crash, a sanitizer's finding, or an image whose
// pixels do not have the number of its shape or lie outside of 0 to 1.
#include "runtime/data/ImageFile.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cnn::Result<cnn::ImageFile> file = cnn::parseImageFile({data, size}, "f");
  if (file.failed())
    return file.message().empty() ? (__builtin_trap(), 0) : 0;
  const cnn::Image &image = file->image;
  if (image.shape.channels != 1 && image.shape.channels != 3)
    __builtin_trap();
  if (uint64_t(image.shape.elements()) != image.pixels.size())
    __builtin_trap();
  for (float pixel : image.pixels)
    if (!(pixel >= 0 && pixel <= 1))
      __builtin_trap();
  cnn::convertChannels(*file, 4 - image.shape.channels);
  return 0;
}
