// CIFAR-10's binary version: files of records, each a label and the 3 x 32 x 32 bytes of an image,
// in a folder or in the archive as it is downloaded. Format:
// https://www.cs.toronto.edu/~kriz/cifar.html
#include "runtime/data/Cifar.h"

#include "runtime/core/File.h"
#include "runtime/data/Gzip.h"
#include "runtime/data/Sets.h"
#include "runtime/data/Tar.h"
#include "runtime/schema/DataSchema.h"

#include <algorithm>
#include <sys/stat.h>

namespace cnn {

namespace {

constexpr ImageShape imageShape{3, 32, 32};
constexpr size_t recordSize = 1 + 3 * 32 * 32;
constexpr const char *archiveName = "cifar-10-binary.tar.gz";
constexpr const char *folderName = "cifar-10-batches-bin";
constexpr int trainingFiles = 5;

const SetFolders folders{
    "cifar-10", folderName,
    "download cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and give the "
    "folder that has it, or what it unpacks to, by --data DIR or CNNC_DATA"};

/// Records of one file or several.
class CifarSource : public SampleSource {
public:
  CifarSource(std::vector<std::span<const uint8_t>> files,
              std::vector<std::shared_ptr<const std::vector<uint8_t>>> owners)
      : files(std::move(files)), owners(std::move(owners)) {
    perFile = int64_t(this->files.front().size() / recordSize);
  }
  int64_t size() const override { return perFile * int64_t(files.size()); }
  ImageShape shape() const override { return imageShape; }
  int32_t label(int64_t index) const override { return *record(index); }
  Status read(int64_t index, float *pixels) const override {
    bytesToPixels(record(index) + 1, imageShape.elements(), pixels);
    return Status::success();
  }
  Status readDouble(int64_t index, double *pixels) const override {
    bytesToPixels(record(index) + 1, imageShape.elements(), pixels);
    return Status::success();
  }

private:
  const uint8_t *record(int64_t index) const {
    return files[size_t(index / perFile)].data() + size_t(index % perFile) * recordSize;
  }

  std::vector<std::span<const uint8_t>> files; ///< of equal sizes
  std::vector<std::shared_ptr<const std::vector<uint8_t>>> owners;
  int64_t perFile;
};

std::vector<std::string> fileNames(bool training) {
  std::vector<std::string> names;
  for (int i = 1; training && i <= trainingFiles; ++i)
    names.push_back(formatText("data_batch_%d.bin", i));
  if (!training)
    names.push_back("test_batch.bin");
  return names;
}

/// The content of the files called so, by one of the two ways.
struct Files {
  std::string path; ///< of the folder or the archive
  std::vector<TarMember> members;
  std::shared_ptr<const std::vector<uint8_t>> archive; ///< null for a folder

  Result<std::shared_ptr<const SampleSource>> open(bool training) const {
    std::vector<std::span<const uint8_t>> contents;
    std::vector<std::shared_ptr<const std::vector<uint8_t>>> owners;
    if (archive)
      owners.push_back(archive);
    std::string first;
    for (const std::string &name : fileNames(training)) {
      std::string shown = archive ? path + " (" + name + ")" : path + "/" + name;
      std::span<const uint8_t> content;
      if (archive) {
        auto found = std::find_if(members.begin(), members.end(), [&](const TarMember &member) {
          return member.name == std::string(folderName) + "/" + name;
        });
        if (found == members.end())
          return Status::failure(path,
                                 "the archive has no file " + std::string(folderName) + "/" + name)
              .withHint(folders.howToGet);
        content = found->data;
      } else {
        if (!fileExists(shown))
          return Status::failure(shown, "the file is missing").withHint(folders.howToGet);
        Result<std::vector<uint8_t>> read = readFile(shown);
        if (read.failed())
          return read.status();
        owners.push_back(std::make_shared<std::vector<uint8_t>>(std::move(*read)));
        content = *owners.back();
      }
      if (Status status = checkCifarRecords(content, shown); status.failed())
        return status;
      if (contents.empty())
        first = shown;
      else if (content.size() != contents.front().size())
        return Status::failure(shown, formatText("has %zu images, and %s has %zu",
                                                 content.size() / recordSize, first.c_str(),
                                                 contents.front().size() / recordSize));
      contents.push_back(content);
    }
    return std::shared_ptr<const SampleSource>(
        std::make_shared<CifarSource>(std::move(contents), std::move(owners)));
  }
};

/// Whether `path` is a file, and so the archive itself, under whatever name.
bool isArchive(const std::string &path) {
  struct stat status;
  return path.ends_with(".tar.gz") && stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

/// The files of a folder, or of the archive in it or at the path.
Result<Files> openFiles(const std::string &folder) {
  Files files;
  files.path = folder;
  for (bool training : {true, false})
    for (const std::string &name : fileNames(training))
      if (fileExists(folder + "/" + name))
        return files;
  files.path = isArchive(folder) ? folder : folder + "/" + archiveName;
  Result<std::vector<uint8_t>> packed = readFile(files.path);
  if (packed.failed())
    return packed.status();
  constexpr uint64_t mostBytes = uint64_t(1) << 30; // the official archive has 184 MB
  Result<std::vector<uint8_t>> content = inflateGzip(*packed, files.path, mostBytes);
  if (content.failed())
    return content.status();
  files.archive = std::make_shared<std::vector<uint8_t>>(std::move(*content));
  Result<std::vector<TarMember>> members = parseTar(*files.archive, files.path);
  if (members.failed())
    return members.status();
  files.members = std::move(*members);
  return files;
}

} // namespace

Status checkCifarRecords(std::span<const uint8_t> content, const std::string &name) {
  if (content.empty() || content.size() % recordSize != 0)
    return Status::failure(name, formatText("has %zu bytes, expected records of %zu bytes (a label "
                                            "and 3 x 32 x 32 pixels)",
                                            content.size(), recordSize));
  for (size_t i = 0; i * recordSize < content.size(); ++i)
    if (content[i * recordSize] > 9)
      return Status::failure(
          name, formatText("label %zu is %d, expected 0 to 9", i, content[i * recordSize]));
  return Status::success();
}

Result<RawDataset> openCifarSet(const DataCall &set, const DataPlace &place, bool withTraining) {
  Result<std::string> folder =
      findSetFolder(set.name, folders, place.dataDir, [](const std::string &folder) {
        return isArchive(folder) || fileExists(folder + "/" + archiveName) ||
               fileExists(folder + "/data_batch_1.bin") || fileExists(folder + "/test_batch.bin");
      });
  if (folder.failed())
    return folder.status();
  Result<Files> files = openFiles(*folder);
  if (files.failed())
    return files.status();
  RawDataset raw;
  raw.path = files->path;
  raw.classNames = findDataSet(set.name)->view.classes;
  for (bool training : {true, false}) {
    if (training && !withTraining)
      continue;
    Result<std::shared_ptr<const SampleSource>> split = files->open(training);
    if (split.failed())
      return split.status();
    (training ? raw.train : raw.test) = std::move(*split);
  }
  return raw;
}

} // namespace cnn
