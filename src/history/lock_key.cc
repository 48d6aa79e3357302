#include "history/lock_key.h"

#include <bit>

#include "whimbrel/base/hash.h"
#include "whimbrel/history/ledger.h"

namespace whimbrel::history {

std::int64_t LockKey(std::initializer_list<std::string_view> parts) {
  constexpr std::string_view kNul("\0", 1);
  Sha256 hash;
  hash.Update("whimbrel");
  for (std::string_view part : parts) hash.Update(kNul).Update(part);
  const Sha256::Digest digest = hash.Finish();
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < sizeof key; ++i) key = key << 8 | digest[i];
  return std::bit_cast<std::int64_t>(key);
}

std::int64_t SetLockKey(std::string_view database, std::string_view schema, std::string_view set) {
  return LockKey({database, schema, set});
}

std::int64_t BootstrapLockKey(std::string_view schema) { return LockKey({schema}); }

}  // namespace whimbrel::history
