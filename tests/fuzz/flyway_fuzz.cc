#include <zlib.h>

#include <cstdint>
#include <string>

#include "fuzz/fuzz.h"
#include "fuzz/resolved.h"

// A folder of files gives the same as a ConfigMap of them, and the sum is Flyway's: CRC-32 over the
// lines as Java's BufferedReader gives them.
namespace whimbrel::fuzz {
namespace {

std::string SumOf(std::string_view text) {
  uLong crc = crc32(0, nullptr, 0);
  for (const char c : text) {
    const auto byte = static_cast<Bytef>(c);
    if (c != '\n' && c != '\r') crc = crc32(crc, &byte, 1);
  }
  return std::to_string(static_cast<std::int32_t>(crc));
}

}  // namespace

void Try(std::string_view input) {
  const auto resolved = ResolveBothWays(input, migration::Format::kFlyway);
  if (!resolved) return;
  for (const auto* list : {&resolved->versioned, &resolved->repeatable}) {
    for (const migration::ResolvedMigration& found : *list) {
      const std::string text = migration::ReadAll(found.up.Open());
      Require(found.sum == SumOf(text), "the sum is Flyway's", text);
    }
  }
}

}  // namespace whimbrel::fuzz
