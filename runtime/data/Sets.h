// How the data sets of the schema are opened, before any stage. Internal to runtime/data.
#ifndef CNNC_RUNTIME_DATA_SETS_H
#define CNNC_RUNTIME_DATA_SETS_H

#include "runtime/data/Dataset.h"

#include <functional>

namespace cnn {

struct RawDataset {
  std::string path;
  std::vector<std::string> classNames;
  /// `train` is null when it was not asked for; `test` when the set has none.
  std::shared_ptr<const SampleSource> train, test;
};

/// Opens the set that `set` calls.
Result<RawDataset> openSet(const DataCall &set, const DataPlace &place, bool withTraining);

Result<RawDataset> openIdxSet(const DataCall &set, const DataPlace &place, bool withTraining);
Result<RawDataset> openCifarSet(const DataCall &set, const DataPlace &place, bool withTraining);
Result<RawDataset> openImageFolder(const DataCall &set, const DataPlace &place, bool withTraining);
Result<RawDataset> openNpySet(const DataCall &set, const DataPlace &place, bool withTraining);

/// A path that a recipe names: below --data where that is given, else below the recipe's folder.
std::string placedPath(const std::string &path, const DataPlace &place);

/// Where a set of known files lies.
struct SetFolders {
  const char *folder;      ///< below /usr/share/datasets and below --data
  const char *torchFolder; ///< where torchvision puts it, below --data
  const char *howToGet;
};

/// The first folder for which `has` says that it holds files of the set `name`: `dataDir`, else
/// $CNNC_DATA, else the system's; itself, then its subfolders. Fails with where it looked.
Result<std::string> findSetFolder(const std::string &name, const SetFolders &folders,
                                  const std::string &dataDir,
                                  const std::function<bool(const std::string &)> &has);

bool fileExists(const std::string &path);

} // namespace cnn

#endif
