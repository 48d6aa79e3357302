#include "migration/folder_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "whimbrel/base/file_descriptor.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::migration {
namespace {

/// Large enough that the system calls do not count, small enough for a runner of a few MiB.
constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
/// Of one file: beside the bytes of a larger one, opening it again does not count.
constexpr std::size_t kLargestKept = std::size_t{64} << 10;

tl::unexpected<Error> TooLarge(const std::string& path) {
  return Fail(ErrorKind::kInvalidArgument,
              path + " is larger than the " + std::to_string(kMaxFolderFileBytes >> 20) +
                  " MiB that a file may have: split it or move it elsewhere");
}

/// Reads a file of the system in chunks, through a buffer that it owns.
class FileByteSource final : public ByteSource {
 public:
  /// `path` begins in the folder that `descriptor` is; `location` is the file's name for errors.
  static Result<std::unique_ptr<FileByteSource>> Open(int descriptor, const std::string& path,
                                                      std::string location) {
    FileDescriptor fd(::openat(descriptor, path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return FailedTo("open", location);
    std::unique_ptr<FileByteSource> file(new FileByteSource(std::move(fd), std::move(location)));
    struct stat status = {};
    if (::fstat(file->fd_.get(), &status) != 0) return FailedTo("open", file->location_);
    file->Expect(static_cast<std::uint64_t>(status.st_size));
    if (file->expected_size_ > kMaxFolderFileBytes) return TooLarge(file->location_);
    return file;
  }

  Result<std::string_view> Read() override {
    ssize_t got = -1;
    do {
      got = ::read(fd_.get(), buffer_.get(), buffer_size_);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return FailedTo("read", location_);
    total_ += static_cast<std::uint64_t>(got);
    if (total_ > kMaxFolderFileBytes)
      return TooLarge(location_);  // It has grown since it was looked at.
    return std::string_view(buffer_.get(), static_cast<std::size_t>(got));
  }

  /// As the system says it.
  [[nodiscard]] std::uint64_t expected_size() const { return expected_size_; }

 private:
  FileByteSource(FileDescriptor fd, std::string location)
      : fd_(std::move(fd)), location_(std::move(location)) {}

  void Expect(std::uint64_t size) {
    expected_size_ = size;
    // Small files get a small buffer, with a byte to spare so that their end shows at once.
    buffer_size_ = std::min<std::uint64_t>(size + 1, kChunkBytes);
    buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size_);
  }

  const FileDescriptor fd_;
  const std::string location_;
  std::uint64_t expected_size_ = 0;
  std::size_t buffer_size_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::uint64_t total_ = 0;
};

/// What the first reading found.
struct Contents {
  std::uint64_t size = 0;
  std::string sha256;
  std::optional<std::string> bytes;  ///< Where they are kept.
};

class FolderFile final : public SourceFile {
 public:
  FolderFile(std::shared_ptr<const std::string> root, std::string path, Contents contents)
      : root_(std::move(root)), path_(std::move(path)), contents_(std::move(contents)) {}

  const std::string& path() const override { return path_; }
  std::uint64_t size() const override { return contents_.size; }
  const std::string& sha256() const override { return contents_.sha256; }
  const std::string* bytes() const override {
    return contents_.bytes ? &*contents_.bytes : nullptr;
  }
  Result<std::unique_ptr<ByteSource>> Open() const override {
    const std::string location = *root_ + "/" + path_;
    return FileByteSource::Open(AT_FDCWD, location, location);
  }

 private:
  const std::shared_ptr<const std::string> root_;
  const std::string path_;
  const Contents contents_;
};

/// Reads a file to its end. `room`: the bytes of files that may still be kept.
Result<Contents> ReadThrough(FileByteSource& file, std::atomic<std::int64_t>& room) {
  Contents contents;
  const auto expected = static_cast<std::int64_t>(file.expected_size());
  if (file.expected_size() <= kLargestKept && room.fetch_sub(expected) >= expected)
    contents.bytes.emplace();
  Sha256 sum;
  do {
    const Result<std::string_view> chunk = file.Read();
    if (!chunk) return tl::make_unexpected(chunk.error());
    if (chunk->empty()) break;
    contents.size += chunk->size();
    if (contents.size > kLargestKept) contents.bytes.reset();
    if (contents.bytes) contents.bytes->append(*chunk);
    sum.Update(*chunk);
  } while (contents.size != file.expected_size());
  contents.sha256 = sum.FinishHex();
  return contents;
}

}  // namespace

tl::unexpected<Error> FailedTo(std::string_view verb, const std::string& path) {
  const std::error_code code(errno, std::generic_category());
  ErrorKind kind = ErrorKind::kUnavailable;
  if (code == std::errc::no_such_file_or_directory) kind = ErrorKind::kNotFound;
  if (code == std::errc::not_a_directory) kind = ErrorKind::kInvalidArgument;
  if (code == std::errc::too_many_symbolic_link_levels) kind = ErrorKind::kInvalidArgument;
  if (code == std::errc::permission_denied) kind = ErrorKind::kPermissionDenied;
  return Fail(kind, "cannot " + std::string(verb) + " " + path + ": " + code.message());
}

Result<SourceFilePtr> FolderReader::Read(std::string path) {
  const Result<std::unique_ptr<FileByteSource>> file =
      FileByteSource::Open(descriptor_, path, *root_ + "/" + path);
  if (!file) return tl::make_unexpected(file.error());
  Result<Contents> contents = ReadThrough(**file, room_);
  if (!contents) return tl::make_unexpected(std::move(contents).error());
  return std::make_shared<FolderFile>(root_, std::move(path), *std::move(contents));
}

}  // namespace whimbrel::migration
