// Images in a folder for each class: names sorted, files sorted below each class; decoded when a
// batch wants them.
#include "runtime/data/ImageFile.h"
#include "runtime/data/Sets.h"

#include <algorithm>
#include <filesystem>

namespace cnn {

namespace {

namespace fs = std::filesystem;

class FolderSource : public SampleSource {
public:
  struct File {
    std::string path;
    int32_t label;
  };
  explicit FolderSource(std::vector<File> files) : files(std::move(files)) {}

  int64_t size() const override { return int64_t(files.size()); }
  ImageShape shape() const override { return {3, -1, -1}; }
  int32_t label(int64_t index) const override { return files[size_t(index)].label; }
  Status read(int64_t index, float *) const override {
    return Status::failure(files[size_t(index)].path, "has a shape of its own");
  }
  Result<ImageShape> load(int64_t index, std::vector<float> &pixels) const override {
    Result<ImageFile> file = readImageFile(files[size_t(index)].path);
    if (file.failed())
      return file.status();
    convertChannels(*file, 3);
    pixels.swap(file->image.pixels);
    return file->image.shape;
  }

private:
  std::vector<File> files;
};

bool isFolder(const std::string &path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// What is in a folder and not hidden, sorted by the bytes of the names.
Result<std::vector<std::string>> entries(const std::string &folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (std::string name = it->path().filename().string(); name.front() != '.')
      names.push_back(std::move(name));
  if (error)
    return Status::failure(folder, "cannot read: " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> subfolders(const std::string &folder) {
  Result<std::vector<std::string>> names = entries(folder);
  if (names.isOk())
    std::erase_if(*names, [&](const std::string &name) { return !isFolder(folder + "/" + name); });
  return names;
}

/// Adds the images below `folder`; links are followed once, so at most 16 levels.
Status addImages(const std::string &folder, int32_t label, std::vector<FolderSource::File> &files,
                 int levels = 16) {
  Result<std::vector<std::string>> names = entries(folder);
  if (names.failed())
    return names.status();
  for (const std::string &name : *names) {
    std::string path = folder + "/" + name;
    if (isFolder(path)) {
      if (levels == 0)
        return Status::failure(path, "lies deeper than 16 folders below its class");
      if (Status status = addImages(path, label, files, levels - 1); status.failed())
        return status;
    } else if (isImageName(name)) {
      files.push_back({path, label});
    }
  }
  return Status::success();
}

/// The images of the classes' folders in `folder`.
Result<std::shared_ptr<const SampleSource>> openClasses(const std::string &folder,
                                                        const std::vector<std::string> &classes) {
  std::vector<FolderSource::File> files;
  for (size_t i = 0; i < classes.size(); ++i) {
    size_t before = files.size();
    std::string path = folder + "/" + classes[i];
    if (!isFolder(path))
      return Status::failure(path, "the folder of class '" + classes[i] + "' is missing");
    if (Status status = addImages(path, int32_t(i), files); status.failed())
      return status;
    if (files.size() == before)
      return Status::failure(path,
                             "has no images (.png, .jpg or .jpeg) of class '" + classes[i] + "'");
  }
  return std::shared_ptr<const SampleSource>(std::make_shared<FolderSource>(std::move(files)));
}

} // namespace

Result<RawDataset> openImageFolder(const DataCall &set, const DataPlace &place, bool withTraining) {
  RawDataset raw;
  raw.path = placedPath(set.text("dir"), place);
  while (raw.path.size() > 1 && raw.path.back() == '/')
    raw.path.pop_back();
  if (!isFolder(raw.path))
    return Status::failure(raw.path, fileExists(raw.path) ? "is no folder" : "does not exist")
        .withHint(
            "image_folder(\"DIR\"): DIR has a folder of images for each class, or train and "
            "test, which have them; a relative DIR is looked for in --data, else beside the file");
  std::string train = raw.path + "/train", test = raw.path + "/test";
  if (!isFolder(test))
    test = raw.path + "/val"; // what some sets call the images that judge
  bool divided = isFolder(train);
  if (!divided)
    train = raw.path;
  Result<std::vector<std::string>> classes = subfolders(train);
  if (classes.failed())
    return classes.status();
  raw.classNames = *classes;
  if (classes->empty())
    return Status::failure(train, "has no folders of classes");
  bool tests = divided && isFolder(test);
  if (tests) {
    Result<std::vector<std::string>> tested = subfolders(test);
    if (tested.failed())
      return tested.status();
    for (const std::string &name : *tested)
      if (std::find(classes->begin(), classes->end(), name) == classes->end())
        return Status::failure(test, "has the class '" + name + "', which " + train + " has not");
  }
  for (bool training : {true, false}) {
    // Without test images, something must be known of the images.
    if (training ? !withTraining && tests : !tests)
      continue;
    Result<std::shared_ptr<const SampleSource>> split =
        openClasses(training ? train : test, *classes);
    if (split.failed())
      return split.status();
    (training ? raw.train : raw.test) = std::move(*split);
  }
  return raw;
}

} // namespace cnn
