#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace whimbrel::history {

/// SHA-256 of `whimbrel` and the parts, each behind a NUL; its first 8 bytes, big-endian, signed.
[[nodiscard]] std::int64_t LockKey(std::initializer_list<std::string_view> parts);

/// The key of the transaction-level lock under which the ledger's tables are made. Advisory keys
/// are per database, so the schema is enough.
[[nodiscard]] std::int64_t BootstrapLockKey(std::string_view schema);

}  // namespace whimbrel::history
