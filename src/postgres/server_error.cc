#include "postgres/server_error.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "whimbrel/base/redact.h"

namespace whimbrel::postgres {
namespace {

constexpr std::size_t kMaxMessage = 1024;
constexpr std::size_t kSqlStateLength = 5;

std::string_view Field(const PGresult* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool IsSqlState(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

/// Offset of `28P01: ` behind a severity's colon; npos where there is none.
std::size_t FindSqlState(std::string_view text) {
  constexpr std::string_view kBefore = ":  ";
  constexpr std::string_view kAfter = ": ";
  for (auto at = text.find(kBefore); at != std::string_view::npos;
       at = text.find(kBefore, at + 1)) {
    const std::string_view rest = text.substr(at + kBefore.size());
    if (rest.size() < kSqlStateLength + kAfter.size()) break;
    if (IsSqlState(rest.substr(0, kSqlStateLength)) &&
        rest.substr(kSqlStateLength).starts_with(kAfter)) {
      return at + kBefore.size();
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::string CleanMessage(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const char shown = (c == '\n' || c == '\t' || c == '\r') ? ' ' : c;
    if (shown == ' ' && (line.empty() || line.back() == ' ')) continue;
    line += shown;
  }
  while (line.ends_with(' ')) line.pop_back();
  return TruncateUtf8(Redact(line), kMaxMessage);
}

PgError ErrorFromResult(const PGresult* result) {
  PgError error;
  error.sql_state = Field(result, PG_DIAG_SQLSTATE);
  error.message = CleanMessage(Field(result, PG_DIAG_MESSAGE_PRIMARY));
  // A failure of libpq's own has no fields, only a text.
  if (error.message.empty()) error.message = CleanMessage(PQresultErrorMessage(result));
  error.hint = CleanMessage(Field(result, PG_DIAG_MESSAGE_HINT));
  const std::string_view constraint = Field(result, PG_DIAG_CONSTRAINT_NAME);
  const std::string_view schema = Field(result, PG_DIAG_SCHEMA_NAME);
  if (!constraint.empty() && !schema.empty()) error.constraint.append(schema).append(".");
  error.constraint += constraint;
  const std::string_view position = Field(result, PG_DIAG_STATEMENT_POSITION);
  std::from_chars(position.data(), position.data() + position.size(), error.position);
  return error;
}

PgError ErrorFromConnectText(std::string_view text) {
  PgError error;
  error.connecting = true;
  std::string message;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.starts_with("LOCATION:") || line.starts_with("DETAIL:")) continue;
    if (line.starts_with("HINT:")) {
      error.hint = CleanMessage(std::string_view(line).substr(5));
      continue;
    }
    if (const auto at = FindSqlState(line); at != std::string::npos) {
      if (error.sql_state.empty()) error.sql_state = line.substr(at, kSqlStateLength);
      line.erase(at, kSqlStateLength + 2);
    }
    // With sslmode=prefer libpq tries twice, and both may end with the same words.
    if (message.find(line) == std::string::npos) message.append(line).append(" ");
  }
  error.message = CleanMessage(message);
  return error;
}

}  // namespace whimbrel::postgres
