#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "migration/folder_file.h"
#include "migration/make_source.h"
#include "migration/source_path.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using FolderPtr = std::unique_ptr<DIR, CloseFolder>;

Result<FolderPtr> OpenForListing(const std::string& location) {
  FolderPtr folder(::opendir(location.c_str()));
  if (folder == nullptr) return FailedTo("open the folder", location);
  return folder;
}

/// Walks through a folder and collects the paths of its files.
class FolderWalk {
 public:
  explicit FolderWalk(std::string root) : root_(std::move(root)) {}

  /// `path` is a folder's within the source; empty for the source itself.
  Result<void> Enter(const std::string& path) {
    const std::string location = path.empty() ? root_ : root_ + "/" + path;
    const Result<FolderPtr> folder = OpenForListing(location);
    if (!folder) return tl::make_unexpected(folder.error());
    struct stat status = {};
    if (::fstat(::dirfd(folder->get()), &status) != 0) return FailedTo("open the folder", location);
    const Identity self(status.st_dev, status.st_ino);
    if (std::find(ancestors_.begin(), ancestors_.end(), self) != ancestors_.end()) {
      return Fail(ErrorKind::kInvalidArgument,
                  location + " leads back to a folder that it lies in: remove the symbolic link");
    }
    ancestors_.push_back(self);
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(folder->get());
      if (entry == nullptr && errno != 0) return FailedTo("read the folder", location);
      if (entry == nullptr) break;
      if (Result<void> added = Add(*entry, path); !added) return added;
    }
    ancestors_.pop_back();
    return {};
  }

  std::vector<std::string> TakePaths() && { return std::move(paths_); }

 private:
  using Identity = std::pair<dev_t, ino_t>;

  Result<void> Add(const dirent& entry, const std::string& folder) {
    const std::string_view name = entry.d_name;
    if (name.front() == '.') return {};
    std::string path = folder.empty() ? std::string(name) : folder + "/" + std::string(name);
    unsigned char type = entry.d_type;
    if (type == DT_LNK || type == DT_UNKNOWN) {  // Symbolic links are followed.
      const std::string location = root_ + "/" + path;
      struct stat status = {};
      if (::stat(location.c_str(), &status) != 0) return FailedTo("open", location);
      type = S_ISDIR(status.st_mode) ? DT_DIR : S_ISREG(status.st_mode) ? DT_REG : DT_UNKNOWN;
    }
    if (type == DT_DIR) return Enter(path);
    if (type != DT_REG) return {};
    if (Result<void> valid = CheckPath(path, "a folder"); !valid) return valid;
    paths_.push_back(std::move(path));
    return {};
  }

  const std::string root_;
  std::vector<Identity> ancestors_;
  std::vector<std::string> paths_;
};

}  // namespace

Result<std::shared_ptr<const Source>> OpenFolder(const std::string& folder) {
  std::string root = folder;
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  const Result<FolderPtr> opened = OpenForListing(root);
  if (!opened) return tl::make_unexpected(opened.error());
  FolderWalk walk(root);
  if (Result<void> walked = walk.Enter(""); !walked)
    return tl::make_unexpected(std::move(walked).error());
  FolderReader reader(std::move(root), ::dirfd(opened->get()));
  std::vector<SourceFilePtr> files;
  for (std::string& path : std::move(walk).TakePaths()) {
    Result<SourceFilePtr> file = reader.Read(std::move(path));
    if (!file) return tl::make_unexpected(std::move(file).error());
    files.push_back(*std::move(file));
  }
  return MakeSource(std::move(files));
}

}  // namespace whimbrel::migration
