#include "whimbrel/migration/mounted_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <optional>
#include <utility>

#include "migration/folder_file.h"
#include "whimbrel/base/c_ptr.h"
#include "whimbrel/base/file_descriptor.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {
namespace {

constexpr const char* kDataLink = "..data";
/// The kubelet writes at most once in its sync period (a minute); reading takes milliseconds.
constexpr int kTries = 5;

/// Name of the folder that holds the version of now, a new one for each; empty: a plain folder.
std::string VersionOf(const std::string& folder) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink((folder + "/" + kDataLink).c_str(), target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<std::size_t>(size)) : std::string();
}

/// nullopt: no regular file.
Result<std::optional<std::string>> ReadKey(int folder, const char* key, const std::string& path) {
  const FileDescriptor file(::openat(folder, key, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return FailedTo("open", path);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return FailedTo("open", path);
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  std::string bytes;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailedTo("read", path);
    if (got == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    if (bytes.size() > kMaxMemoryFileBytes) {
      return Fail(ErrorKind::kInvalidArgument,
                  path + " has more than " + std::to_string(kMaxMemoryFileBytes) + " bytes");
    }
  }
}

Result<MountedFiles> ReadVersion(const std::string& location) {
  const CPtr<DIR, ::closedir> folder(::opendir(location.c_str()));
  if (folder == nullptr) return FailedTo("open the folder", location);
  MountedFiles files;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());
    if (entry == nullptr && errno != 0) return FailedTo("read the folder", location);
    if (entry == nullptr) return files;
    const std::string key = entry->d_name;
    if (key == "." || key.starts_with("..")) continue;
    auto bytes = ReadKey(::dirfd(folder.get()), key.c_str(), location + "/" + key);
    if (!bytes) return tl::make_unexpected(std::move(bytes).error());
    if (*bytes) files.emplace(key, **std::move(bytes));
  }
}

}  // namespace

Result<MountedFiles> ReadMountedFolder(const std::string& folder) {
  for (int tries = 0; tries < kTries; ++tries) {
    const std::string version = VersionOf(folder);
    Result<MountedFiles> files = ReadVersion(version.empty() ? folder : folder + "/" + version);
    // The kubelet removes the old version while we read: files are then missing without an error.
    if (VersionOf(folder) == version) return files;
  }
  return Fail(ErrorKind::kUnavailable, folder + " changed each time that it was read");
}

}  // namespace whimbrel::migration
