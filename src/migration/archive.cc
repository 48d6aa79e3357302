#include "whimbrel/migration/archive.h"

#include <string>
#include <utility>

#include "migration/gzip_source.h"
#include "migration/source_path.h"
#include "migration/tar_reader.h"

namespace whimbrel::migration {
namespace {

/// `tar -C folder -cf … .` puts `./` before every path, and has the folder itself as `./`.
std::string_view WithoutDots(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  return path;
}

/// The path of a folder that is not the source itself, as a file in it would have it.
std::string_view FolderPath(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return path == "." ? std::string_view() : path;
}

bool IsHidden(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

Result<void> AddEntry(TarEntry entry, std::string_view origin, MemorySourceBuilder& files) {
  std::string_view path = WithoutDots(entry.path);
  if (entry.is_folder) {
    path = FolderPath(path);
    return path.empty() ? Result<void>() : CheckPath(path, origin);
  }
  // Before hidden files are left out: `..` is not hidden.
  if (Result<void> valid = CheckPath(path, origin); !valid) return valid;
  if (IsHidden(path)) return {};
  return files.Add(std::string(path), std::move(entry.bytes), origin);
}

tl::unexpected<Error> Within(std::string_view origin, Error error) {
  error.message = std::string(origin) + ": " + error.message;
  return tl::make_unexpected(std::move(error));
}

}  // namespace

Result<void> AddArchive(std::string_view tar_gz, std::string_view origin,
                        MemorySourceBuilder& files) {
  GzipSource unpacked(tar_gz, kMaxArchiveBytes);
  TarReader reader(unpacked, kMaxMemoryFileBytes, kMaxArchiveEntries);
  for (;;) {
    Result<std::optional<TarEntry>> entry = reader.Next();
    if (!entry) return Within(origin, std::move(entry).error());
    if (!*entry) return {};
    if (Result<void> added = AddEntry(**std::move(entry), origin, files); !added) return added;
  }
}

}  // namespace whimbrel::migration
