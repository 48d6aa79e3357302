#include "migration/tar_header.h"

#include <algorithm>
#include <charconv>

namespace whimbrel::migration {
namespace {

struct Field {
  std::size_t offset;
  std::size_t length;
};
constexpr Field kName{0, 100};
constexpr Field kSize{124, 12};
constexpr Field kSum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kMagic{257, 6};
constexpr Field kPrefix{345, 155};

std::string_view Bytes(std::string_view block, Field field) {
  return block.substr(field.offset, field.length);
}

/// Up to the NUL that ends it, where there is one.
std::string_view Text(std::string_view block, Field field) {
  const std::string_view bytes = Bytes(block, field);
  return bytes.substr(0, bytes.find('\0'));
}

std::optional<std::uint64_t> WholeNumber(std::string_view digits, int base) {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// GNU tar's way to write what octal digits cannot hold: the first bit is set, the rest is a number
/// with the highest byte first. A negative one, which begins with 0xff, is no size.
std::optional<std::uint64_t> Base256(std::string_view bytes) {
  if (bytes.front() != '\x80') return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : bytes.substr(1)) {
    if (number >> 56 != 0) return std::nullopt;
    number = number << 8 | static_cast<unsigned char>(c);
  }
  return number;
}

/// Octal digits, with spaces before and a space or NUL after them; empty is 0.
std::optional<std::uint64_t> Number(std::string_view block, Field field) {
  std::string_view bytes = Bytes(block, field);
  if ((static_cast<unsigned char>(bytes.front()) & 0x80) != 0) return Base256(bytes);
  bytes.remove_prefix(std::min(bytes.find_first_not_of(' '), bytes.size()));
  const std::size_t end = std::min(bytes.find_first_of(std::string_view(" \0", 2)), bytes.size());
  if (bytes.find_first_not_of(std::string_view(" \0", 2), end) != std::string_view::npos) {
    return std::nullopt;
  }
  return end == 0 ? 0 : WholeNumber(bytes.substr(0, end), 8);
}

std::uint32_t SumOfBytes(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (const char byte : bytes) sum += static_cast<unsigned char>(byte);
  return sum;
}

/// The sum of all bytes, those of the sum itself counted as spaces.
std::uint64_t SumOf(std::string_view block) {
  return SumOfBytes(block) - SumOfBytes(block.substr(kSum.offset, kSum.length)) + kSum.length * ' ';
}

tl::unexpected<Error> BadRecord() {
  return Fail(ErrorKind::kInvalidArgument, "has an extended header that cannot be read");
}

Result<void> Take(std::string_view key, std::string_view value, PaxRecords& into) {
  if (key.starts_with("GNU.sparse.") || key == "SCHILY.realsize") into.sparse = true;
  if (key == "path") {  // An empty value takes back what an earlier record said.
    into.path = value.empty() ? std::nullopt : std::optional(std::string(value));
  } else if (key == "size") {
    into.size = value.empty() ? std::nullopt : WholeNumber(value, 10);
    if (!value.empty() && !into.size) return BadRecord();
  }
  return {};
}

}  // namespace

Result<TarHeader> ParseTarHeader(std::string_view block) {
  if (Number(block, kSum) != SumOf(block)) {
    return Fail(ErrorKind::kInvalidArgument, "is no header of tar, or is damaged");
  }
  const std::optional<std::uint64_t> size = Number(block, kSize);
  if (!size) return Fail(ErrorKind::kInvalidArgument, "has a size that is no number");
  TarHeader header{.type = block[kType], .path = std::string(Text(block, kName)), .size = *size};
  if (header.type == '\0') header.type = '0';
  // GNU tar writes `ustar  ` and has other things where POSIX has the prefix.
  const std::string_view prefix = Text(block, kPrefix);
  if (Bytes(block, kMagic) == std::string_view("ustar\0", 6) && !prefix.empty()) {
    header.path = std::string(prefix) + "/" + header.path;
  }
  return header;
}

Result<PaxRecords> ParsePaxRecords(std::string_view text) {
  PaxRecords records;
  while (!text.empty()) {  // `<length> <key>=<value>\n`, where length is that of all of it.
    const std::size_t space = text.find(' ');
    const std::optional<std::uint64_t> length = WholeNumber(text.substr(0, space), 10);
    if (space == std::string_view::npos || !length || *length > text.size() ||
        *length < space + 2 || text[*length - 1] != '\n') {
      return BadRecord();
    }
    const std::string_view record = text.substr(space + 1, *length - space - 2);
    const std::size_t equals = record.find('=');
    if (equals == 0 || equals == std::string_view::npos) return BadRecord();
    if (Result<void> taken = Take(record.substr(0, equals), record.substr(equals + 1), records);
        !taken) {
      return tl::make_unexpected(taken.error());
    }
    text.remove_prefix(*length);
  }
  return records;
}

}  // namespace whimbrel::migration
