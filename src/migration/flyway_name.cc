#include "migration/flyway_name.h"

#include <algorithm>
#include <array>
#include <utility>

#include "migration/file_name.h"

namespace whimbrel::migration {
namespace {

using Kind = FlywayName::Kind;

constexpr std::string_view kSeparator = "__";

/// The events that `flyway migrate` fires (api/callback/Event.java).
constexpr std::array<std::string_view, 19> kMigrateEvents = {
    "beforeMigrate",
    "beforeEachMigrate",
    "beforeEachMigrateStatement",
    "afterEachMigrateStatement",
    "afterEachMigrateStatementError",
    "afterEachMigrate",
    "afterEachMigrateError",
    "beforeRepeatables",
    "afterVersioned",
    "afterMigrateApplied",
    "afterMigrate",
    "afterMigrateError",
    "afterMigrateOperationFinish",
    "beforeValidate",
    "afterValidate",
    "createSchema",
    "beforeCreateSchema",
    "beforeConnect",
    "afterConnect",
};

/// Suffixes of migrations that are programs.
constexpr std::array<std::string_view, 8> kScriptSuffixes = {".sh",  ".bash", ".ps1",  ".bat",
                                                             ".cmd", ".py",   ".java", ".class"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsCallback(std::string_view stem) {
  const std::string_view event = stem.substr(0, stem.find(kSeparator));
  return std::find(kMigrateEvents.begin(), kMigrateEvents.end(), event) != kMigrateEvents.end();
}

/// Whether a name without its suffix is likely meant as a V, R or B migration. An upper-case letter
/// before a digit, sign or `_` is enough; a lower-case one also begins names of other kinds
/// (`v_orders`).
bool LooksLikeMigration(std::string_view stem) {
  if (stem.size() < 2) return false;
  const std::string_view rest = stem.substr(1);
  switch (stem.front()) {
    case 'V':
    case 'B':
    case 'R':
      return IsDigit(rest.front()) ||
             std::string_view("_+-").find(rest.front()) != std::string_view::npos;
    case 'v':
    case 'b':
      return IsDigit(rest.front()) && rest.find(kSeparator) != std::string_view::npos;
    case 'r':
      return rest.starts_with(kSeparator);
    default:
      return false;
  }
}

tl::unexpected<Error> BadName(std::string_view path, std::string_view rule) {
  return Fail(
      ErrorKind::kInvalidArgument,
      std::string(path) +
          ": Flyway does not take this name for a migration, and would leave the file out: " +
          std::string(rule));
}

/// `stem` is what LooksLikeMigration takes for one.
Result<FlywayName> ParseMigration(std::string_view path, std::string_view stem) {
  const char prefix = stem.front();
  const std::size_t separator = std::min(stem.find(kSeparator), stem.size());
  const std::string_view version = stem.substr(1, separator - 1);
  FlywayName name;
  name.description = stem.substr(std::min(separator + kSeparator.size(), stem.size()));
  std::replace(name.description.begin(), name.description.end(), '_', ' ');
  if (prefix == 'R') {
    name.kind = Kind::kRepeatable;
    if (!version.empty()) {
      return BadName(path,
                     "a repeatable has no version and two underscores, as in R__order_totals.sql");
    }
    if (name.description.empty())
      return BadName(path, "a repeatable needs a description, as in R__order_totals.sql");
    return name;
  }
  if (prefix != 'V' && prefix != 'B')
    return BadName(path, "the letters V, B and R are written in upper case");
  name.kind = prefix == 'V' ? Kind::kVersioned : Kind::kBaseline;
  Result<Version> parsed = Version::Parse(version);
  if (!parsed) {
    return BadName(
        path,
        "after the letter comes a version of digits, with `.` or `_` between its parts, then two "
        "underscores, as in V1_2__add_orders.sql");
  }
  name.version = *std::move(parsed);
  return name;
}

}  // namespace

Result<FlywayName> ParseFlywayName(std::string_view path) {
  std::string_view stem = BaseName(path);
  const bool is_sql = EndsWithIgnoringCase(stem, ".sql");
  const auto suffix =
      std::find_if(kScriptSuffixes.begin(), kScriptSuffixes.end(),
                   [stem](std::string_view s) { return EndsWithIgnoringCase(stem, s); });
  if (!is_sql && suffix == kScriptSuffixes.end()) return FlywayName{};
  stem.remove_suffix(is_sql ? std::string_view(".sql").size() : suffix->size());
  if (IsCallback(stem)) return FlywayName{.kind = is_sql ? Kind::kCallback : Kind::kScript};
  if (!LooksLikeMigration(stem)) return FlywayName{};
  Result<FlywayName> name = ParseMigration(path, stem);
  if (is_sql) return name;
  return FlywayName{.kind = name ? Kind::kScript : Kind::kOther};
}

}  // namespace whimbrel::migration
