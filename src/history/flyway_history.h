#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/history/applied_row.h"

namespace whimbrel::history {

/// One row of flyway_schema_history.
struct FlywayRow {
  std::optional<std::string> version;  ///< nullopt: repeatables, schema markers.
  std::string description;
  std::string type;
  std::string script;
  std::optional<std::string> checksum;  ///< Signed decimal.
  bool success = true;
  std::optional<SystemTime> installed_on;
};

/// What Flyway would say is applied: a scan by rank in which DELETE and UNDO rows cancel what
/// stands before them, the newest row of a repeatable is current, and baselines cover what is below
/// them (reference/engines.md §2). `rows` by installed_rank. Pure.
[[nodiscard]] ToolHistory ReadFlywayHistory(std::vector<FlywayRow> rows,
                                            const migration::ResolvedMigrations& source);

/// As Flyway stores them (internal/util/AbbreviationUtils.java): a description of more than 200
/// characters loses its end, a script of more than 1,000 its first and last.
[[nodiscard]] std::string FlywayDescription(std::string_view description);
[[nodiscard]] std::string FlywayScript(std::string_view path);

/// The advisory lock under which Flyway works on a table: `Flyway` in ASCII plus the hash of the
/// quoted name (`"schema"."table"`), in Java's arithmetic.
[[nodiscard]] std::int64_t FlywayLockKey(std::string_view quoted_name);

}  // namespace whimbrel::history
