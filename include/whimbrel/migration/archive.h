#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "whimbrel/base/error.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {

/// What an archive may become, whatever its own size: a ConfigMap holds at most 1 MiB, and gzip can
/// make a gigabyte of that. A single file has the bound of all files in memory,
/// kMaxMemoryFileBytes.
inline constexpr std::uint64_t kMaxArchiveBytes = std::uint64_t{64} << 20;  ///< The tar, inflated.
inline constexpr std::size_t kMaxArchiveEntries = 10'000;  ///< Files, folders and skipped entries.

/// Adds the files of a tar archive that was compressed with gzip (RFC 1952; several members are one
/// stream, as gzip reads them). Understood are the formats v7, ustar and pax of POSIX.1-2017 (pax,
/// "ustar Interchange Format") and GNU tar's long names and base-256 numbers.
///
/// Paths are as they stand in the archive, without `./` in front. Folders are not files and are
/// passed over. Left out are hidden files and files in hidden folders, as OpenFolder does; with
/// them go the `._name` files that macOS's tar adds.
///
/// `origin` names where the archive came from, for errors (`ConfigMap shop/orders-sql, key
/// migrations.tar.gz`). Every error is kInvalidArgument, says which entry, and leaves what was
/// added before in `files`, which is then of no use: not gzip, cut short, a sum that is wrong,
/// bytes after the end, more than the limits above, an entry that is neither file nor folder
/// (links, devices, sparse files), a path that leaves the source, the same path twice. Pure; any
/// bytes are fine as input.
Result<void> AddArchive(std::string_view tar_gz, std::string_view origin,
                        MemorySourceBuilder& files);

}  // namespace whimbrel::migration
