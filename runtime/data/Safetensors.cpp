// safetensors: file <-> named tensors. Every number of the header is checked against the file's
// true size before it is used.
#include "runtime/data/Safetensors.h"

#include "runtime/core/File.h"
#include "runtime/core/Json.h"

#include <algorithm>
#include <bit>
#include <new>

namespace cnn {

// Tensors are copied between file and memory as they are.
static_assert(std::endian::native == std::endian::little);

const NamedTensor *Safetensors::find(std::string_view name) const {
  for (const NamedTensor &tensor : tensors)
    if (tensor.name == name)
      return &tensor;
  return nullptr;
}

namespace {

constexpr uint64_t maxHeader = 100'000'000; // of the reference implementation

struct ElementSpelling {
  ElementType element;
  const char *name;
};
constexpr ElementSpelling spellings[] = {{ElementType::F32, "F32"},
                                         {ElementType::F64, "F64"},
                                         {ElementType::I64, "I64"},
                                         {ElementType::I32, "I32"},
                                         {ElementType::U8, "U8"}};

std::optional<uint64_t> unsignedOf(const Json &value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > INT64_MAX)
    return std::nullopt;
  return value.get<uint64_t>();
}

/// One member of the header -> one tensor. `dataSize`: bytes after the header.
Status readTensor(const std::string &name, const Json &json, const uint8_t *data, uint64_t dataSize,
                  NamedTensor &tensor) {
  std::string what = "tensor " + quotedText(name);
  tensor.name = name;
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    return Status::failure(what + ": expected an object of dtype, shape and data_offsets");
  const Json &dtype = json["dtype"], &shape = json["shape"], &offsets = json["data_offsets"];
  std::string spelling = dtype.is_string() ? dtype.get<std::string>() : jsonText(dtype);
  auto known = std::find_if(std::begin(spellings), std::end(spellings),
                            [&](const ElementSpelling &s) { return spelling == s.name; });
  if (!dtype.is_string() || known == std::end(spellings))
    return Status::failure(what + ": elements of type " + quotedText(spelling) +
                           ", expected F32, F64, I64, I32 or U8");
  tensor.element = known->element;
  if (!shape.is_array())
    return Status::failure(what + ": the shape is no array");
  for (const Json &extent : shape) {
    std::optional<uint64_t> value = unsignedOf(extent);
    if (!value)
      return Status::failure(what + ": an extent of the shape is no integer from 0 to 2^63 - 1");
    tensor.shape.push_back(int64_t(*value));
  }
  std::optional<int64_t> count = elementCount(tensor.shape);
  int64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, int64_t(elementBytes(tensor.element)), &bytes))
    return Status::failure(what + ": the shape " + shapeText(tensor.shape) + " exceeds 2^63 bytes");
  std::optional<uint64_t> begin, end;
  if (offsets.is_array() && offsets.size() == 2) {
    begin = unsignedOf(offsets[0]);
    end = unsignedOf(offsets[1]);
  }
  if (!begin || !end || *begin > *end)
    return Status::failure(what + ": data_offsets must be [begin, end] with 0 <= begin <= end");
  if (*end > dataSize)
    return Status::failure(formatText("%s: ends at byte %llu of the data, which has %llu",
                                      what.c_str(), (unsigned long long)*end,
                                      (unsigned long long)dataSize));
  if (*end - *begin != uint64_t(bytes))
    return Status::failure(formatText("%s: the shape %s of %s makes %lld bytes, the offsets span "
                                      "%llu",
                                      what.c_str(), shapeText(tensor.shape).c_str(),
                                      spelling.c_str(), (long long)bytes,
                                      (unsigned long long)(*end - *begin)));
  tensor.data = data + *begin;
  tensor.bytes = uint64_t(bytes);
  return Status::success();
}

Status readMetadata(const Json &json, std::map<std::string, std::string> &metadata) {
  if (!json.is_object())
    return Status::failure("__metadata__ is no object");
  for (const auto &[key, value] : json.items()) {
    if (!value.is_string())
      return Status::failure("__metadata__: the value of " + quotedText(key) + " is no string");
    metadata[key] = value.get<std::string>();
  }
  return Status::success();
}

/// Puts the tensors in the order of their data; fails unless they fill it without a gap.
Status checkOffsets(std::vector<NamedTensor> &tensors, const uint8_t *data, uint64_t dataSize) {
  std::sort(tensors.begin(), tensors.end(), [](const NamedTensor &a, const NamedTensor &b) {
    return a.data != b.data ? a.data < b.data : a.bytes < b.bytes;
  });
  const uint8_t *end = data;
  const NamedTensor *before = nullptr;
  for (const NamedTensor &tensor : tensors) {
    if (tensor.data < end)
      return Status::failure("the tensors " + quotedText(before->name) + " and " +
                             quotedText(tensor.name) + " overlap");
    if (tensor.data > end)
      return Status::failure(formatText("%zu bytes before tensor %s belong to no tensor",
                                        size_t(tensor.data - end),
                                        quotedText(tensor.name).c_str()));
    end = tensor.data + tensor.bytes;
    before = &tensor;
  }
  if (uint64_t unused = uint64_t(data + dataSize - end))
    return Status::failure(
        formatText("%llu bytes at the end belong to no tensor", (unsigned long long)unused));
  return Status::success();
}

} // namespace

static Result<Safetensors> parseContent(std::vector<uint8_t> content, const std::string &name) {
  if (content.empty())
    return Status::failure(name, "the file is empty, expected safetensors data");
  if (content.size() < 8)
    return Status::failure(name, formatText("truncated: a safetensors file starts with 8 bytes, "
                                            "this one has %zu",
                                            content.size()));
  if (std::equal(content.begin(), content.begin() + 4, "PK\3\4"))
    return Status::failure(name, "no safetensors file, but a zip archive, as torch.save writes it")
        .withHint("in Python: safetensors.torch.save_file(model.state_dict(), PATH)");
  uint64_t headerSize = 0;
  for (int i = 7; i >= 0; --i)
    headerSize = headerSize << 8 | content[size_t(i)];
  if (headerSize > maxHeader)
    return Status::failure(name, formatText("no safetensors file: its header would have %llu "
                                            "bytes, at most %llu are allowed",
                                            (unsigned long long)headerSize,
                                            (unsigned long long)maxHeader));
  if (headerSize > content.size() - 8)
    return Status::failure(name, formatText("truncated: the header has %llu bytes, the file has "
                                            "%zu after the length",
                                            (unsigned long long)headerSize, content.size() - 8));
  std::string_view text(reinterpret_cast<const char *>(content.data()) + 8, headerSize);
  if (text.empty() || text.front() != '{')
    return Status::failure(name, "no safetensors file: its header does not start with '{'");
  Result<Json> json = parseJson(text, name + ": header");
  if (json.failed())
    return json.status();
  Safetensors file;
  file.content = std::move(content);
  const uint8_t *data = file.content.data() + 8 + headerSize;
  uint64_t dataSize = file.content.size() - 8 - headerSize;
  for (const auto &[key, value] : json->items()) {
    Status status = key == "__metadata__"
                        ? readMetadata(value, file.metadata)
                        : readTensor(key, value, data, dataSize, file.tensors.emplace_back());
    if (status.failed())
      return Status::failure(name, status.message());
  }
  if (Status status = checkOffsets(file.tensors, data, dataSize); status.failed())
    return Status::failure(name, status.message());
  return file;
}

Result<Safetensors> parseSafetensors(std::vector<uint8_t> content, const std::string &name) {
  try {
    return parseContent(std::move(content), name);
  } catch (const std::bad_alloc &) {
    return Status::failure(name, "does not fit into memory");
  }
}

Result<Safetensors> readSafetensors(const std::string &path) {
  Result<std::vector<uint8_t>> content = readFile(path);
  if (content.failed())
    return content.status();
  return parseSafetensors(std::move(*content), path);
}

Status writeSafetensors(const std::string &path, std::span<const NamedTensor> tensors,
                        const std::map<std::string, std::string> &metadata, bool keepBackup) {
  Json header = Json::object();
  if (!metadata.empty())
    header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const NamedTensor &tensor : tensors) {
    auto known =
        std::find_if(std::begin(spellings), std::end(spellings),
                     [&](const ElementSpelling &s) { return tensor.element == s.element; });
    header[tensor.name] = {{"dtype", known->name},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.bytes}}};
    offset += tensor.bytes;
  }
  std::string text = jsonText(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > maxHeader)
    return Status::failure(path, "the header would have more than 100 MB");
  uint8_t length[8];
  for (int i = 0; i < 8; ++i)
    length[i] = uint8_t(uint64_t(text.size()) >> 8 * i);

  Result<AtomicFile> file = AtomicFile::create(path);
  if (file.failed())
    return file.status();
  Status status = file->write(length, sizeof length);
  if (status.isOk())
    status = file->write(text);
  for (const NamedTensor &tensor : tensors)
    if (status.isOk())
      status = file->write(tensor.data, tensor.bytes);
  if (status.failed())
    return status;
  return file->commit(keepBackup);
}

} // namespace cnn
