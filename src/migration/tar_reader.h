#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "migration/tar_header.h"
#include "whimbrel/base/byte_source.h"

namespace whimbrel::migration {

/// One file or folder of a tar archive.
struct TarEntry {
  std::string path;  ///< As it stands in the archive.
  bool is_folder = false;
  std::string bytes;
};

/// Reads an archive of tar from its beginning to its end. What it does not understand to the last
/// bit it refuses, because another reader may see other files in it. Never more than one file is in
/// memory. Errors (kInvalidArgument) are sentences that name the entry.
class TarReader {
 public:
  /// `bytes` must outlive the reader. A file may have `max_file_bytes`; files, folders and extended
  /// headers may be `max_entries`.
  TarReader(ByteSource& bytes, std::uint64_t max_file_bytes, std::size_t max_entries)
      : source_(bytes), max_file_bytes_(max_file_bytes), max_entries_(max_entries) {}

  /// The next one; nullopt at the end, after which all of the source has been read.
  Result<std::optional<TarEntry>> Next();

 private:
  /// What extended headers say of the entry that follows them.
  struct Extension {
    std::optional<std::string> gnu_path;
    std::optional<PaxRecords> pax;
  };

  Result<std::optional<TarHeader>> ReadHeader();
  Result<void> ReadExtension(const TarHeader& header, Extension& extension);
  Result<void> ReadGlobalExtension(const TarHeader& header);
  Result<TarEntry> ReadEntry(TarHeader header, const Extension& extension);
  Result<void> ReadToEnd();
  /// The content of an entry, without what fills its last block.
  Result<std::string> ReadContent(const TarHeader& header, std::uint64_t most);
  /// Adds `length` bytes of the source to `to`; null: passes over them.
  Result<void> Take(std::size_t length, std::string* to);
  /// Makes piece_ hold something, except at the end.
  Result<void> Fill();

  ByteSource& source_;
  const std::uint64_t max_file_bytes_;
  const std::size_t max_entries_;
  std::string_view piece_;  ///< What the source gave and nobody took yet.
  std::uint64_t taken_ = 0;
  std::size_t entries_ = 0;
  std::string block_;  ///< Of the newest header; one for all of them.
};

}  // namespace whimbrel::migration
