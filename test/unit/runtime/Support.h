// What the tests of runtime/core and runtime/data share: a folder that goes away, whole files, and
// a manifest to work with.
#ifndef CNNC_TEST_UNIT_RUNTIME_SUPPORT_H
#define CNNC_TEST_UNIT_RUNTIME_SUPPORT_H

#include "runtime/core/Manifest.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace cnn::test {

/// A fresh folder below the system's temporary folder, removed at the end.
class TempFolder {
public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cnnc-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::string operator/(const std::string &name) const { return folder + "/" + name; }
  const std::string &path() const { return folder; }

private:
  std::string folder;
};

inline std::string slurp(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <typename Bytes> void spill(const std::string &path, const Bytes &bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char *>(bytes.data()), std::streamsize(bytes.size()));
}

inline std::vector<uint8_t> bytesOf(const std::string &text) { return {text.begin(), text.end()}; }

/// Names in `folder`, sorted.
inline std::vector<std::string> listing(const std::string &folder) {
  std::vector<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

/// A net of two layers with momentum for one of them: tensors a.weight [2, 3], a.bias [2], b.weight
/// [1, 2], and the optimizer's a.weight.momentum [2, 3].
inline std::string smallManifestText() {
  return R"({"abi":2,"net":"small","batch":4,"element":"f32","cpu":"generic","state_bytes":256,"prepared_bytes":0,
"state":[
 {"name":"a.weight","kind":"parameter","element":"f32","shape":[2,3],"offset":0,
  "init":{"kind":"xavier_uniform","fan_in":3,"fan_out":2}},
 {"name":"a.bias","kind":"parameter","element":"f32","shape":[2],"offset":64,
  "init":{"kind":"constant","value":0.5}},
 {"name":"b.weight","kind":"parameter","element":"f32","shape":[1,2],"offset":128,
  "init":{"kind":"kaiming_normal","fan_in":2,"fan_out":1}},
 {"name":"a.weight.momentum","kind":"optimizer","element":"f32","shape":[2,3],"offset":192,
  "init":{"kind":"zeros"}}],
"entries":[{"name":"infer","symbol":"small_infer","flops":48,"buffers":[
 {"role":"state_in","bytes":256},
 {"role":"input","name":"image","element":"f32","shape":[4,3]},
 {"role":"input","name":"rows","element":"i32","shape":[]},
 {"role":"output","name":"logits","element":"f32","shape":[4,1]},
 {"role":"arena","bytes":128},
 {"role":"scratch","bytes":64}]}]})";
}

inline Manifest smallManifest() {
  Result<Manifest> manifest = parseManifest(smallManifestText());
  EXPECT_EQ(manifest.message(), "");
  return *manifest;
}

} // namespace cnn::test

#endif
