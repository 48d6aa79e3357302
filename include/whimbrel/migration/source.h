#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/byte_source.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/source_position.h"

namespace whimbrel::migration {

/// One file of a source. Immutable, hence safe to share between threads.
class SourceFile {
 public:
  virtual ~SourceFile() = default;
  /// Path within the source, `/` between folders; unique, valid UTF-8 without control characters.
  [[nodiscard]] virtual const std::string& path() const = 0;
  /// In bytes, when the source was opened.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Lower-case hexadecimal SHA-256 of the bytes, when the source was opened.
  [[nodiscard]] virtual const std::string& sha256() const = 0;
  /// Reads it from the beginning, each time anew. Files in memory give the same bytes each time;
  /// files of a folder may have changed: whoever reads them compares the hash
  /// (ErrorKind::kSourceChanged). The result may outlive neither the file nor the source.
  [[nodiscard]] virtual Result<std::unique_ptr<ByteSource>> Open() const = 0;
  /// The bytes that sha256() is of, where they are kept in memory: all of a file in memory, small
  /// files of a folder. For what is found out about a source; what runs is read by Open(), so that
  /// a change in a folder is noticed, whatever a file's size. nullptr: not kept.
  [[nodiscard]] virtual const std::string* bytes() const { return nullptr; }
  /// Where a place in this text stands in the file that a person wrote: another place only where
  /// the text was put together of several files (psql's \i).
  [[nodiscard]] virtual SourcePosition Locate(const SourcePosition& position) const {
    return position;
  }
};
using SourceFilePtr = std::shared_ptr<const SourceFile>;

/// The files of one migration source, sorted bytewise by path, with their digest.
struct Source {
  std::vector<SourceFilePtr> files;
  /// `sha256:` + SHA-256 of the lines `<sha256 hex>  <path>\n` sorted bytewise by path: what
  /// `LC_ALL=C sha256sum * | sha256sum` prints (design §3, Sums). Over all files, used by the
  /// format or not.
  std::string digest;

  /// nullptr when there is none.
  [[nodiscard]] const SourceFile* Find(std::string_view path) const;
};

/// Limits of design §5: 16 MiB a file from ConfigMaps and inline, 1 GiB from folders.
inline constexpr std::uint64_t kMaxMemoryFileBytes = std::uint64_t{16} << 20;
inline constexpr std::uint64_t kMaxFolderFileBytes = std::uint64_t{1} << 30;

/// Collects files that are kept in memory: ConfigMap data and inline SQL. The order of adding has
/// no meaning.
class MemorySourceBuilder {
 public:
  /// Adds one file; `origin` names where it came from (`ConfigMap shop/orders-sql`) for errors. The
  /// caller puts a `directory` before the key: `<directory>/<key>`. Errors (kInvalidArgument): the
  /// same path twice, a file that is too large, a path that leaves the source (`..`, leading `/`)
  /// or cannot stand in a line of text.
  Result<void> Add(std::string path, std::string bytes, std::string_view origin);
  [[nodiscard]] std::shared_ptr<const Source> Build() &&;

 private:
  struct Entry {
    std::string bytes;
    std::string origin;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

/// All regular files below a folder. Hidden files and folders are left out, as the shell's `*` does
/// and as mounted ConfigMaps need it (`..data`); symbolic links are followed. Each file is hashed
/// once here, as a stream; the bytes of files up to 64 KiB are kept, up to 8 MiB in all. Errors
/// name the path: kNotFound, kPermissionDenied, kInvalidArgument (no folder, a file too large, a
/// loop of links), kUnavailable (cannot be read now).
[[nodiscard]] Result<std::shared_ptr<const Source>> OpenFolder(const std::string& folder);

}  // namespace whimbrel::migration
