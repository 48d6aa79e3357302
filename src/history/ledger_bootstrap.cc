#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "history/ledger_schema.h"
#include "history/lock_key.h"
#include "whimbrel/history/ledger.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::history {

using postgres::Connection;
using postgres::PgError;
using postgres::PgResult;
using postgres::QuoteIdentifier;
using postgres::QuoteLiteral;

namespace {

/// nullopt: the tables are not there. On the very first contact with a database this leaves one
/// line in the server's log; asking the catalog first would cost every run a round trip.
PgResult<std::optional<int>> ReadSchemaVersion(Connection& connection, std::string_view schema) {
  auto rows = connection.Execute("SELECT schema_version FROM " + LedgerTable(schema, kMetaTable));
  if (!rows) {
    if (rows.error().sql_state == postgres::kUndefinedTable) return std::nullopt;
    return tl::make_unexpected(std::move(rows).error());
  }
  int version = 0;  // Tables of which nobody said what they are count as older than any.
  if (!rows->empty()) {
    const std::string_view text = (*rows)[0].View(0).value_or("");
    std::from_chars(text.data(), text.data() + text.size(), version);
  }
  return version;
}

PgResult<void> CheckVersion(int version, std::string_view schema) {
  if (version == Ledger::kSchemaVersion) return {};
  PgError error;
  error.sql_state = "0A000";
  error.connection_usable = true;
  error.message = LedgerTable(schema, kMetaTable) + " says schema version " +
                  std::to_string(version) + ", but this Whimbrel knows " +
                  std::to_string(Ledger::kSchemaVersion);
  error.hint = version > Ledger::kSchemaVersion
                   ? "A newer Whimbrel has upgraded this history: run that version or a newer one."
                   : "Restore the row of this table, or the tables, from a backup.";
  return tl::make_unexpected(std::move(error));
}

/// Begins a transaction that holds the bootstrap lock. Polls: a session that waits inside the
/// server would take part in deadlocks. Between two tries the server sleeps, which obeys the
/// connection's limits; the lock is held for milliseconds.
PgResult<void> BeginLocked(Connection& connection, std::string_view schema) {
  // READ COMMITTED whatever the default is: what the former holder did must be seen.
  const std::string begin =
      "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_try_advisory_xact_lock(" +
      std::to_string(BootstrapLockKey(schema)) + ")";
  for (;;) {
    auto locked = connection.Execute(begin);
    if (!locked) {
      connection.Rollback();
      return tl::make_unexpected(std::move(locked).error());
    }
    if ((*locked)[0][0] == "t") return {};
    connection.Rollback();
    if (auto slept = connection.Execute("SELECT pg_sleep(0.02)"); !slept) {
      return tl::make_unexpected(std::move(slept).error());
    }
  }
}

/// What is there, as far as creating and permissions are concerned.
struct Present {
  std::string role;
  bool schema = false;
  bool tables = false;
};

PgResult<Present> Look(Connection& connection, std::string_view schema) {
  // By the catalog: names that do not exist are no errors there, and nothing need be permitted.
  auto rows = connection.Execute(
      "SELECT current_user, n.oid IS NOT NULL, c.oid IS NOT NULL FROM (SELECT " +
      QuoteLiteral(schema) +
      "::name AS nspname) wanted LEFT JOIN pg_catalog.pg_namespace n USING (nspname) "
      "LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = " +
      QuoteLiteral(kMetaTable));
  if (!rows) return tl::make_unexpected(std::move(rows).error());
  const auto& row = (*rows)[0];
  return Present{.role = row[0].value_or(""), .schema = row[1] == "t", .tables = row[2] == "t"};
}

PgResult<void> CreateMissing(Connection& connection, const std::string& schema) {
  auto present = Look(connection, schema);
  if (!present) return tl::make_unexpected(std::move(present).error());
  if (present->tables) return {};
  // Not IF NOT EXISTS, which wants the right to create schemas even where there is nothing to
  // create.
  std::string sql;
  if (!present->schema) sql = "CREATE SCHEMA " + QuoteIdentifier(schema) + ";";
  sql += CreateLedgerSql(schema, Ledger::kSchemaVersion);
  if (auto created = connection.Execute(sql); !created) {
    return tl::make_unexpected(std::move(created).error());
  }
  return {};
}

/// The statements that give `role` what it lacks.
std::string AdministratorSql(const Present& present, std::string_view schema) {
  const std::string role = QuoteIdentifier(present.role);
  const std::string name = QuoteIdentifier(schema);
  if (!present.schema) return "CREATE SCHEMA " + name + " AUTHORIZATION " + role + ";";
  if (!present.tables) return "GRANT USAGE, CREATE ON SCHEMA " + name + " TO " + role + ";";
  std::string tables;
  for (std::string_view table : {kMetaTable, kMigrationTable, kJournalTable, kScriptTable}) {
    if (!tables.empty()) tables += ", ";
    tables += LedgerTable(schema, table);
  }
  return "GRANT USAGE ON SCHEMA " + name + " TO " + role +
         "; GRANT SELECT, INSERT, UPDATE, DELETE ON " + tables + " TO " + role + ";";
}

/// Outside a transaction. Any other error stays as it is.
PgError WithAdvice(Connection& connection, PgError error, std::string_view schema) {
  if (error.sql_state != postgres::kInsufficientPrivilege) return error;
  if (auto present = Look(connection, schema)) {
    error.hint =
        "Whimbrel keeps its history in the schema " + QuoteIdentifier(schema) +
        ". Let an administrator run in this database: " + AdministratorSql(*present, schema);
  }
  return error;
}

PgResult<void> CreateUnderLock(Connection& connection, const std::string& schema) {
  if (auto begun = BeginLocked(connection, schema); !begun) return begun;
  auto created = CreateMissing(connection, schema);
  if (created) created = connection.Commit();
  if (!created) connection.Rollback();
  return created;
}

}  // namespace

PgResult<void> Ledger::Bootstrap(Connection& connection) const {
  auto version = ReadSchemaVersion(connection, schema_);
  if (version && !*version) {
    if (auto created = CreateUnderLock(connection, schema_); !created) {
      return tl::make_unexpected(WithAdvice(connection, std::move(created).error(), schema_));
    }
    version = ReadSchemaVersion(connection, schema_);
  }
  if (!version)
    return tl::make_unexpected(WithAdvice(connection, std::move(version).error(), schema_));
  return CheckVersion(version->value_or(0), schema_);
}

}  // namespace whimbrel::history
