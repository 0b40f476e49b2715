// Which function opens which set, and where sets of known files are looked for.
#include "runtime/data/Sets.h"

#include "runtime/schema/DataSchema.h"

#include <cstdlib>
#include <unistd.h>

namespace cnn {

bool fileExists(const std::string &path) { return access(path.c_str(), F_OK) == 0; }

std::string placedPath(const std::string &path, const DataPlace &place) {
  if (path.empty() || path.front() == '/')
    return path;
  if (!place.dataDir.empty())
    return place.dataDir + (place.dataDir.back() == '/' ? "" : "/") + path;
  return place.folder + path;
}

Result<std::string> findSetFolder(const std::string &name, const SetFolders &folders,
                                  const std::string &dataDir,
                                  const std::function<bool(const std::string &)> &has) {
  const char *variable = std::getenv("CNNC_DATA");
  std::string base, origin;
  if (!dataDir.empty()) {
    base = dataDir;
    origin = " (--data)";
  } else if (variable && *variable) {
    base = variable;
    origin = " (CNNC_DATA)";
  } else {
    base = std::string("/usr/share/datasets/") + folders.folder;
  }
  while (base.size() > 1 && base.back() == '/')
    base.pop_back();
  for (const std::string &folder :
       {base, base + "/" + folders.folder, base + "/" + folders.torchFolder})
    if (has(folder))
      return folder;
  std::string reason = fileExists(base) ? "has none of its files" : "does not exist";
  return Status::failure("the data set '" + name + "' was not found: " + base + origin + " " +
                         reason)
      .withHint(folders.howToGet);
}

Result<RawDataset> openSet(const DataCall &set, const DataPlace &place, bool withTraining) {
  struct Opener {
    const char *name;
    Result<RawDataset> (*open)(const DataCall &, const DataPlace &, bool);
  };
  static const Opener openers[] = {{"fashion_mnist", openIdxSet},
                                   {"mnist", openIdxSet},
                                   {"cifar10", openCifarSet},
                                   {"image_folder", openImageFolder},
                                   {"npy", openNpySet}};
  for (const Opener &opener : openers)
    if (set.name == opener.name)
      return opener.open(set, place, withTraining);
  std::string known;
  for (const DataSchema &each : dataSets())
    known += (known.empty() ? "" : ", ") + each.name;
  return Status::failure("unknown data set '" + set.name + "'").withHint("known are " + known);
}

} // namespace cnn
