#include <optional>
#include <utility>
#include <vector>

#include "whimbrel/history/tool_tables.h"

namespace whimbrel::history {

namespace {

/// NAMEDATALEN - 1 (pg_config_manual.h): the server cuts longer names silently, and we would look
/// for one that is not there.
constexpr std::size_t kMaxIdentifierBytes = 63;

bool IsIdentifierStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

bool IsIdentifierPart(char c) { return IsIdentifierStart(c) || (c >= '0' && c <= '9') || c == '$'; }

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Takes identifiers and punctuation off the front of a text. Identifiers as in SQL (scan.l).
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool AtEnd() const { return rest_.empty(); }

  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// nullopt: there is none here, or its quote does not end.
  std::optional<std::string> TakeIdentifier() { return Take('"') ? TakeQuoted() : TakePlain(); }

 private:
  std::optional<std::string> TakeQuoted() {
    std::string name;
    while (!rest_.empty()) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"' && !Take('"')) return name;
      name += c;
    }
    return std::nullopt;
  }

  std::optional<std::string> TakePlain() {
    if (rest_.empty() || !IsIdentifierStart(rest_[0])) return std::nullopt;
    std::string name;
    while (!rest_.empty() && IsIdentifierPart(rest_[0])) {
      name += ToLower(rest_[0]);
      rest_.remove_prefix(1);
    }
    return name;
  }

  std::string_view rest_;
};

std::optional<TableName> Parse(std::string_view text) {
  Scanner scanner(text);
  std::optional<std::string> first = scanner.TakeIdentifier();
  if (!first) return std::nullopt;
  TableName name;
  name.table = std::move(*first);
  if (scanner.Take('.')) {
    std::optional<std::string> second = scanner.TakeIdentifier();
    if (!second) return std::nullopt;
    name.schema = std::exchange(name.table, std::move(*second));
    if (name.schema.empty()) return std::nullopt;
  }
  if (scanner.Take('(')) {
    std::optional<std::string> column = scanner.TakeIdentifier();
    if (!column || column->empty() || !scanner.Take(')')) return std::nullopt;
    name.column = std::move(*column);
  }
  if (!scanner.AtEnd() || name.table.empty()) return std::nullopt;
  return name;
}

}  // namespace

Result<TableName> ParseTableName(std::string_view text) {
  std::optional<TableName> name = Parse(text);
  if (!name) {
    return Fail(
        ErrorKind::kInvalidArgument,
        "history.table is `" + std::string(text) +
            "`, but must be `[schema.]table[(column)]`, for example `public.migrations(name)`; put "
            "names with other characters than letters, digits and _ in double quotes");
  }
  for (const std::string* part : {&name->schema, &name->table, &name->column}) {
    if (part->size() > kMaxIdentifierBytes) {
      return Fail(ErrorKind::kInvalidArgument,
                  "history.table: the name `" + *part +
                      "` is longer than the 63 bytes that PostgreSQL keeps");
    }
  }
  return *std::move(name);
}

}  // namespace whimbrel::history
