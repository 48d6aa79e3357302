#pragma once

#include <string>
#include <string_view>

namespace whimbrel::history {

inline constexpr std::string_view kMetaTable = "whimbrel_meta";
inline constexpr std::string_view kMigrationTable = "whimbrel_migration";
inline constexpr std::string_view kJournalTable = "whimbrel_journal";
inline constexpr std::string_view kScriptTable = "whimbrel_script";
/// The constraint that a second claim violates.
inline constexpr std::string_view kClaimConstraint = "whimbrel_migration_pkey";

/// `"schema"."table"`.
[[nodiscard]] std::string LedgerTable(std::string_view schema, std::string_view table);

/// All tables of one ledger, and the row of whimbrel_meta; the schema is there already.
[[nodiscard]] std::string CreateLedgerSql(std::string_view schema, int schema_version);

}  // namespace whimbrel::history
