#include "chaos/snapshot.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "support/subprocess.h"

namespace whimbrel::chaos {

using testing::PgClient;
using testing::PgTarget;

namespace {

struct Part {
  const char* name;
  const char* sql;
};

/// A table that may not be there gives no row.
constexpr std::array<Part, 8> kParts = {{
    {"ledger",
     "SELECT set, kind, id, run, state, version, description, path, sum, raw_sum, sum_verified, "
     "origin, applied_at IS NULL FROM whimbrel.whimbrel_migration ORDER BY 1, 2, 3, 4"},
    {"journal",
     "SELECT set, kind, id, run, step, sql_hash, done_at IS NULL FROM whimbrel.whimbrel_journal "
     "ORDER BY 1, 2, 3, 4, 5"},
    {"scripts",
     "SELECT set, kind, id, run, path, down_sum, down_sql FROM whimbrel.whimbrel_script "
     "ORDER BY 1, 2, 3, 4"},
    {"invalid indexes",
     "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid ORDER BY 1"},
    {"pending detaches",
     "SELECT inhrelid::regclass FROM pg_inherits WHERE to_jsonb(pg_inherits)->>'inhdetachpending' "
     "= "
     "'true'"},
    {"enum values", "SELECT enumtypid::regtype, enumlabel FROM pg_enum ORDER BY 1, enumsortorder"},
    {"prepared transactions",
     "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"},
    {"marks", "SELECT mark FROM chaos.probe ORDER BY 1"},
}};

/// Columns of tools' tables that say when, and not what.
constexpr std::array<Part, 3> kToolTables = {{
    {"public.flyway_schema_history",
     "installed_rank, version, description, type, script, checksum, installed_by, success"},
    {"public.migrations", "name"},
    {"public.done", "name"},
}};

std::string ContentColumns(const std::string& table) {
  for (const Part& tool : kToolTables) {
    if (table == tool.name) return "(" + std::string(tool.sql) + ")::text";
  }
  return "t::text";
}

/// Rows and hash of each table of the user's and of tools.
std::string Contents(PgClient& sql) {
  std::string query;
  for (const auto& row :
       sql.Query("SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n "
                 "ON n.oid "
                 "= c.relnamespace WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', "
                 "'information_schema', 'whimbrel', 'chaos') AND n.nspname NOT LIKE 'pg\\_%' ORDER "
                 "BY 1")) {
    const std::string table = row[0].value_or("");
    const std::string columns = ContentColumns(table);
    if (!query.empty()) query += " UNION ALL ";
    query += "SELECT '" + table + "', count(*), md5(string_agg(" + columns + ", E'\\n' ORDER BY " +
             columns + ")) FROM " + table + " t";
  }
  return query.empty() ? "" : sql.Text(query + " ORDER BY 1");
}

/// Beside the server's own programs; Debian's newest where those have none.
std::string PgDump() {
  const char* bin = std::getenv("WHIMBREL_PG_BIN");
  if (bin != nullptr && std::filesystem::exists(std::string(bin) + "/pg_dump"))
    return std::string(bin) + "/pg_dump";
  return "/usr/lib/postgresql/15/bin/pg_dump";
}

/// nullopt: this pg_dump is too old for the server.
std::optional<std::string> SchemaDump(const PgTarget& database) {
  const testing::ProcessResult dump =
      testing::RunProcess({.argv = {PgDump(), "--schema-only", "--exclude-schema=chaos", "--dbname",
                                    database.KeywordValue()},
                           .environment = {{"PGSSLMODE", "disable"}, {"PGGSSENCMODE", "disable"}}});
  if (dump.err.find("server version mismatch") != std::string::npos) return std::nullopt;
  if (dump.exit_code != 0) throw std::runtime_error("pg_dump failed: " + dump.err);
  std::istringstream lines(dump.out);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    // The key of \restrict is another one each time.
    const bool kept = !line.empty() && !line.starts_with("--") && !line.starts_with("\\");
    if (kept) result += line + "\n";
  }
  return result;
}

/// Where the only pg_dump is older than the server, and refuses.
std::string Catalog(PgClient& sql) {
  return sql.Text(
      "SELECT 'column', attrelid::regclass::text, attname::text, format_type(atttypid, atttypmod), "
      "attnotnull::text FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid IN "
      "(SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) "
      "UNION ALL SELECT 'index', pg_get_indexdef(indexrelid), '', '', '' FROM pg_index WHERE "
      "indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) "
      "UNION ALL SELECT 'constraint', conrelid::regclass::text, conname::text, "
      "pg_get_constraintdef(oid), '' FROM pg_constraint WHERE connamespace = "
      "'public'::regnamespace "
      "UNION ALL SELECT 'view', viewname::text, definition, '', '' FROM pg_views WHERE schemaname "
      "= 'public' "
      "UNION ALL SELECT 'function', pg_get_functiondef(oid), '', '', '' FROM pg_proc WHERE "
      "pronamespace = 'public'::regnamespace "
      "UNION ALL SELECT 'partition', inhrelid::regclass::text, inhparent::regclass::text, '', '' "
      "FROM pg_inherits ORDER BY 1, 2, 3, 4");
}

std::vector<std::string> Lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> result;
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

/// Lines of `text` that `other` has not, each after `sign`.
std::string Only(const char* sign, const std::string& text, const std::string& other) {
  constexpr int kMost = 15;
  const std::vector<std::string> lines = Lines(other);
  std::multiset<std::string> there(lines.begin(), lines.end());
  std::string result;
  int shown = 0;
  for (const std::string& line : Lines(text)) {
    const auto found = there.find(line);
    if (found != there.end()) {
      there.erase(found);
    } else if (++shown <= kMost) {
      result += std::string("    ") + sign + " " + line + "\n";
    }
  }
  return result;
}

}  // namespace

Snapshot TakeSnapshot(const PgTarget& database) {
  PgClient sql(database);
  Snapshot result;
  for (const Part& part : kParts) result[part.name] = sql.Text(part.sql);
  result["contents"] = Contents(sql);
  const std::optional<std::string> dump = SchemaDump(database);
  result["schema"] = dump ? *dump : Catalog(sql);
  return result;
}

std::string Differences(const Snapshot& expected, const Snapshot& actual) {
  std::string result;
  for (const auto& [name, text] : expected) {
    const std::string& other = actual.at(name);
    if (other == text) continue;
    result += "  " + name + " (- undisturbed, + disturbed):\n" + Only("-", text, other) +
              Only("+", other, text);
    if (Lines(text).size() == Lines(other).size()) result += "    (the order counts)\n";
  }
  return result;
}

}  // namespace whimbrel::chaos
