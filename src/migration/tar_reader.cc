#include "migration/tar_reader.h"

#include <algorithm>
#include <utility>

#include "migration/source_path.h"

namespace whimbrel::migration {
namespace {

/// As GNU tar and Go have it: names are short, and an extended header holds little else.
constexpr std::uint64_t kMaxExtensionBytes = std::uint64_t{1} << 20;

tl::unexpected<Error> Invalid(std::string message) {
  return Fail(ErrorKind::kInvalidArgument, std::move(message));
}

bool IsEmpty(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

std::string Named(std::string_view path) { return "the entry `" + PrintablePath(path) + "` "; }

/// What an entry is that is neither file nor folder, and what to do about it.
std::string Foreign(char type) {
  switch (type) {
    case '1':
      return "is a hard link: pack a copy of the file (`tar --hard-dereference`)";
    case '2':
      return "is a symbolic link: pack what it points to (`tar --dereference --hard-dereference`)";
    case '3':
    case '4':
      return "is a device: leave it out";
    case '6':
      return "is a FIFO: leave it out";
    case 'S':
      return "is a sparse file: pack it without `tar --sparse`";
    default:
      return "is of a type that Whimbrel does not know (byte " +
             std::to_string(static_cast<unsigned char>(type)) +
             "): pack files and folders only, with `tar --format=ustar` or `--format=pax`";
  }
}

}  // namespace

Result<std::optional<TarEntry>> TarReader::Next() {
  Extension extension;
  for (;;) {
    Result<std::optional<TarHeader>> header = ReadHeader();
    if (!header) return tl::make_unexpected(std::move(header).error());
    if (!*header) {
      if (extension.pax || extension.gnu_path) {
        return Invalid("the archive ends after an extended header: pack it again");
      }
      return std::nullopt;
    }
    Result<void> extended;
    switch ((*header)->type) {
      case 'x':
      case 'L':
      case 'K':
        extended = ReadExtension(**header, extension);
        break;
      case 'g':
        extended = ReadGlobalExtension(**header);
        break;
      default:
        return ReadEntry(**std::move(header), extension);
    }
    if (!extended) return tl::make_unexpected(std::move(extended).error());
  }
}

Result<std::optional<TarHeader>> TarReader::ReadHeader() {
  const std::uint64_t at = taken_;
  block_.clear();
  if (Result<void> read = Take(kTarBlock, &block_); !read) return tl::make_unexpected(read.error());
  if (IsEmpty(block_)) {
    if (Result<void> end = ReadToEnd(); !end) return tl::make_unexpected(end.error());
    return std::nullopt;
  }
  if (++entries_ > max_entries_) {
    return Invalid("the archive has more than " + std::to_string(max_entries_) +
                   " entries: pack fewer files");
  }
  Result<TarHeader> header = ParseTarHeader(block_);
  if (!header) {
    return Invalid("what stands at byte " + std::to_string(at) + " of the unpacked archive " +
                   header.error().message + ": pack it again");
  }
  return *std::move(header);
}

/// The end is marked by two blocks of zeros; tar fills the last record with more of them.
Result<void> TarReader::ReadToEnd() {
  std::string second;
  if (Result<void> read = Take(kTarBlock, &second); !read) return read;
  bool clean = IsEmpty(second);
  while (clean) {
    if (Result<void> filled = Fill(); !filled) return filled;
    if (piece_.empty()) return {};
    clean = IsEmpty(piece_);
    piece_ = {};
  }
  return Invalid("there are bytes after the end of the archive: pack it again");
}

Result<void> TarReader::ReadExtension(const TarHeader& header, Extension& extension) {
  const Result<std::string> text = ReadContent(header, kMaxExtensionBytes);
  if (!text) return tl::make_unexpected(text.error());
  if (header.type == 'K') return {};  // Where a link leads to: the link itself is refused.
  // Readers differ in which of two names they take.
  if (extension.gnu_path || extension.pax) {
    return Invalid(Named(header.path) + "is a second extended header of a file: pack it again");
  }
  if (header.type == 'L') {
    extension.gnu_path = text->substr(0, text->find_last_not_of('\0') + 1);
    return {};
  }
  Result<PaxRecords> records = ParsePaxRecords(*text);
  if (!records) return Invalid(Named(header.path) + records.error().message + ": pack it again");
  extension.pax = *std::move(records);
  return {};
}

/// Records for all files that follow; git writes one with its commit.
Result<void> TarReader::ReadGlobalExtension(const TarHeader& header) {
  const Result<std::string> text = ReadContent(header, kMaxExtensionBytes);
  if (!text) return tl::make_unexpected(text.error());
  const Result<PaxRecords> records = ParsePaxRecords(*text);
  if (!records) return Invalid(Named(header.path) + records.error().message + ": pack it again");
  if (records->path || records->size || records->sparse) {
    return Invalid(Named(header.path) + "gives all files one name or size: pack it again");
  }
  return {};
}

Result<TarEntry> TarReader::ReadEntry(TarHeader header, const Extension& extension) {
  if (extension.gnu_path) header.path = *extension.gnu_path;
  if (extension.pax && extension.pax->path) header.path = *extension.pax->path;
  if (extension.pax && extension.pax->size) header.size = *extension.pax->size;
  const char type = extension.pax && extension.pax->sparse ? 'S' : header.type;
  const bool is_file = type == '0' || type == '7';  // 7: contiguous, which is a file elsewhere.
  if (!is_file && type != '5') return Invalid(Named(header.path) + Foreign(type));
  // The oldest format has folders as empty files with a slash.
  const bool is_folder = type == '5' || (header.path.ends_with('/') && header.size == 0);
  if (is_folder && header.size != 0) {
    return Invalid(Named(header.path) + "is a folder with content: pack it again");
  }
  Result<std::string> bytes = ReadContent(header, max_file_bytes_);
  if (!bytes) return tl::make_unexpected(std::move(bytes).error());
  return TarEntry{
      .path = std::move(header.path), .is_folder = is_folder, .bytes = *std::move(bytes)};
}

Result<std::string> TarReader::ReadContent(const TarHeader& header, std::uint64_t most) {
  if (header.size > most) {
    return Invalid(Named(header.path) + "has " + std::to_string(header.size) + " bytes; at most " +
                   std::to_string(most) + " are allowed");
  }
  std::string bytes;
  if (Result<void> read = Take(header.size, &bytes); !read)
    return tl::make_unexpected(read.error());
  const std::size_t over = header.size % kTarBlock;
  if (over != 0) {
    if (Result<void> read = Take(kTarBlock - over, nullptr); !read) {
      return tl::make_unexpected(read.error());
    }
  }
  return bytes;
}

Result<void> TarReader::Take(std::size_t length, std::string* to) {
  taken_ += length;
  while (length > 0) {
    if (Result<void> filled = Fill(); !filled) return filled;
    if (piece_.empty()) return Invalid("the archive is cut short: pack it again");
    const std::size_t part = std::min(length, piece_.size());
    if (to != nullptr) to->append(piece_.substr(0, part));
    piece_.remove_prefix(part);
    length -= part;
  }
  return {};
}

Result<void> TarReader::Fill() {
  if (!piece_.empty()) return {};
  Result<std::string_view> next = source_.Read();
  if (!next) return tl::make_unexpected(std::move(next).error());
  piece_ = *next;
  return {};
}

}  // namespace whimbrel::migration
