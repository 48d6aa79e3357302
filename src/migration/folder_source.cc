#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "migration/folder_file.h"
#include "migration/make_source.h"
#include "migration/source_path.h"
#include "whimbrel/base/c_ptr.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {
namespace {

using FolderPtr = CPtr<DIR, ::closedir>;

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

/// Reads the files of a folder, by a few threads where they are many: nearly all of it is opening,
/// and a volume that is slow to answer answers several at once.
class FolderReading {
 public:
  FolderReading(FolderReader& reader, std::vector<std::string> paths)
      : reader_(reader), paths_(std::move(paths)), files_(paths_.size()) {}

  Result<std::vector<SourceFilePtr>> Read() && {
    {
      std::vector<std::jthread> helpers;
      try {
        while (helpers.size() < Helpers()) helpers.emplace_back([this] { Work(); });
      } catch (const std::system_error&) {
        // No thread to be had: those that are there read all.
      }
      Work();
    }
    if (error_) return tl::make_unexpected(*std::move(error_));
    return std::move(files_);
  }

 private:
  static constexpr std::size_t kBatch = 64;
  static constexpr std::size_t kMostHelpers = 3;

  [[nodiscard]] std::size_t Helpers() const {
    const std::size_t others = std::max(1U, std::thread::hardware_concurrency()) - 1;
    return std::min({others, kMostHelpers, paths_.size() / (4 * kBatch)});
  }

  void Work() {
    for (;;) {
      const std::size_t begin = next_.fetch_add(kBatch);
      const std::size_t end = std::min(begin + kBatch, paths_.size());
      if (begin >= end) return;
      for (std::size_t i = begin; i < end; ++i) {
        Result<SourceFilePtr> file = reader_.Read(std::move(paths_[i]));
        if (!file) return Stop(std::move(file).error());
        files_[i] = *std::move(file);
      }
    }
  }

  void Stop(Error error) {
    next_ = paths_.size();
    const std::scoped_lock lock(mutex_);
    if (!error_) error_ = std::move(error);
  }

  FolderReader& reader_;
  std::vector<std::string> paths_;
  std::vector<SourceFilePtr> files_;
  std::atomic<std::size_t> next_{0};  ///< The first file that nobody has taken.
  std::mutex mutex_;
  std::optional<Error> error_;  ///< Guarded by mutex_ while there are helpers.
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
  Result<std::vector<SourceFilePtr>> files =
      FolderReading(reader, std::move(walk).TakePaths()).Read();
  if (!files) return tl::make_unexpected(std::move(files).error());
  return MakeSource(*std::move(files));
}

}  // namespace whimbrel::migration
