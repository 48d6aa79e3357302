#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "migration/make_source.h"
#include "migration/source_path.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {
namespace {

namespace fs = std::filesystem;

/// Large enough that the system calls do not count, small enough for a runner of a few MiB.
constexpr std::size_t kChunkBytes = std::size_t{256} << 10;

tl::unexpected<Error> FailedTo(std::string_view verb, const std::string& path,
                               const std::error_code& code) {
  ErrorKind kind = ErrorKind::kUnavailable;
  if (code == std::errc::no_such_file_or_directory) kind = ErrorKind::kNotFound;
  if (code == std::errc::not_a_directory) kind = ErrorKind::kInvalidArgument;
  if (code == std::errc::too_many_symbolic_link_levels) kind = ErrorKind::kInvalidArgument;
  if (code == std::errc::permission_denied) kind = ErrorKind::kPermissionDenied;
  return Fail(kind, "cannot " + std::string(verb) + " " + path + ": " + code.message());
}

std::error_code LastError() { return {errno, std::generic_category()}; }

tl::unexpected<Error> TooLarge(const std::string& path) {
  return Fail(ErrorKind::kInvalidArgument,
              path + " is larger than the " + std::to_string(kMaxFolderFileBytes >> 20) +
                  " MiB that a file may have: split it or move it elsewhere");
}

/// Reads a file of the system in chunks, through a buffer that it owns.
class FileByteSource final : public ByteSource {
 public:
  FileByteSource(int fd, std::string path, std::uint64_t expected_size)
      : fd_(fd),
        path_(std::move(path)),
        // Small files get a small buffer, with a byte to spare so that their end shows at once.
        buffer_(std::min<std::uint64_t>(expected_size + 1, kChunkBytes), '\0') {}
  FileByteSource(const FileByteSource&) = delete;
  FileByteSource& operator=(const FileByteSource&) = delete;
  ~FileByteSource() override { ::close(fd_); }

  Result<std::string_view> Read() override {
    ssize_t got = -1;
    do {
      got = ::read(fd_, buffer_.data(), buffer_.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) return FailedTo("read", path_, LastError());
    total_ += static_cast<std::uint64_t>(got);
    if (total_ > kMaxFolderFileBytes)
      return TooLarge(path_);  // It has grown since it was looked at.
    return std::string_view(buffer_).substr(0, static_cast<std::size_t>(got));
  }

 private:
  const int fd_;
  const std::string path_;
  std::string buffer_;
  std::uint64_t total_ = 0;
};

Result<std::unique_ptr<ByteSource>> OpenFile(const std::string& path, std::uint64_t expected_size) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FailedTo("open", path, LastError());
  return std::make_unique<FileByteSource>(fd, path, expected_size);
}

class FolderFile final : public SourceFile {
 public:
  FolderFile(std::string path, std::string location, std::uint64_t size, std::string sha256)
      : path_(std::move(path)),
        location_(std::move(location)),
        size_(size),
        sha256_(std::move(sha256)) {}

  const std::string& path() const override { return path_; }
  std::uint64_t size() const override { return size_; }
  const std::string& sha256() const override { return sha256_; }
  Result<std::unique_ptr<ByteSource>> Open() const override { return OpenFile(location_, size_); }

 private:
  const std::string path_;
  const std::string location_;  ///< In the file system.
  const std::uint64_t size_;
  const std::string sha256_;
};

Result<SourceFilePtr> HashFile(std::string path, std::string location,
                               std::uint64_t expected_size) {
  if (expected_size > kMaxFolderFileBytes) return TooLarge(location);
  Result<std::unique_ptr<ByteSource>> bytes = OpenFile(location, expected_size);
  if (!bytes) return tl::make_unexpected(bytes.error());
  Sha256 sum;
  std::uint64_t size = 0;
  for (;;) {
    const Result<std::string_view> chunk = (*bytes)->Read();
    if (!chunk) return tl::make_unexpected(chunk.error());
    if (chunk->empty()) break;
    sum.Update(*chunk);
    size += chunk->size();
  }
  return std::make_shared<FolderFile>(std::move(path), std::move(location), size, sum.FinishHex());
}

/// Walks through a folder and collects its files.
class FolderWalk {
 public:
  /// `prefix` is the folder's path within the source: empty, or ending with `/`.
  Result<void> Enter(const fs::path& folder, const std::string& prefix) {
    std::error_code code;
    const fs::path real = fs::canonical(folder, code);
    if (code) return FailedTo("open the folder", folder, code);
    if (std::find(ancestors_.begin(), ancestors_.end(), real) != ancestors_.end()) {
      return Fail(
          ErrorKind::kInvalidArgument,
          folder.string() + " leads back to a folder that it lies in: remove the symbolic link");
    }
    ancestors_.push_back(real);
    fs::directory_iterator entries(folder, code);
    if (code) return FailedTo("open the folder", folder, code);
    for (; entries != fs::directory_iterator(); entries.increment(code)) {
      if (Result<void> added = Add(*entries, prefix); !added) return added;
    }
    if (code) return FailedTo("read the folder", folder, code);
    ancestors_.pop_back();
    return {};
  }

  std::vector<SourceFilePtr> TakeFiles() && { return std::move(files_); }

 private:
  Result<void> Add(const fs::directory_entry& entry, const std::string& prefix) {
    const std::string name = entry.path().filename();
    if (name.front() == '.') return {};
    std::error_code code;
    const fs::file_status status = entry.status(code);  // Follows symbolic links.
    if (code) return FailedTo("open", entry.path(), code);
    if (status.type() == fs::file_type::not_found) {
      return FailedTo("open", entry.path(),
                      std::make_error_code(std::errc::no_such_file_or_directory));
    }
    if (status.type() == fs::file_type::directory) return Enter(entry.path(), prefix + name + "/");
    if (status.type() != fs::file_type::regular) return {};
    std::string path = prefix + name;
    if (Result<void> valid = CheckPath(path, "a folder"); !valid) return valid;
    const std::uint64_t size = entry.file_size(code);
    if (code) return FailedTo("open", entry.path(), code);
    Result<SourceFilePtr> file = HashFile(std::move(path), entry.path(), size);
    if (!file) return tl::make_unexpected(std::move(file).error());
    files_.push_back(*std::move(file));
    return {};
  }

  std::vector<fs::path> ancestors_;
  std::vector<SourceFilePtr> files_;
};

}  // namespace

Result<std::shared_ptr<const Source>> OpenFolder(const std::string& folder) {
  FolderWalk walk;
  if (Result<void> walked = walk.Enter(folder, ""); !walked)
    return tl::make_unexpected(std::move(walked).error());
  return MakeSource(std::move(walk).TakeFiles());
}

}  // namespace whimbrel::migration
