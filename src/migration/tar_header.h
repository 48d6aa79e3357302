#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "whimbrel/base/error.h"

namespace whimbrel::migration {

inline constexpr std::size_t kTarBlock = 512;

/// What Whimbrel needs to know of a header block (POSIX.1-2017, pax, "ustar Interchange Format";
/// GNU tar manual, "Basic Tar Format").
struct TarHeader {
  char type = '0';  ///< The field typeflag; '\0' is given as '0'.
  std::string path;
  std::uint64_t size = 0;  ///< Bytes that follow, before they are filled up to whole blocks.
};

/// A header of the formats v7, ustar, pax or GNU. Errors (kInvalidArgument): a sum that is wrong, a
/// size that is no number. They say what is wrong, not where.
[[nodiscard]] Result<TarHeader> ParseTarHeader(std::string_view block);

/// What an extended header (types `x` and `g` of pax) says about the next file; all other records
/// are of no meaning here.
struct PaxRecords {
  std::optional<std::string> path;
  std::optional<std::uint64_t> size;
  bool sparse = false;  ///< It has holes, and then what follows is not its text.
};

[[nodiscard]] Result<PaxRecords> ParsePaxRecords(std::string_view text);

}  // namespace whimbrel::migration
