#include "history/ledger_row_text.h"

#include <array>
#include <charconv>
#include <utility>

namespace whimbrel::history {

using migration::Kind;
using postgres::QuoteLiteral;

namespace {

template <class T>
using Word = std::pair<T, std::string_view>;

constexpr std::array kKinds{Word<Kind>{Kind::kVersioned, "V"}, Word<Kind>{Kind::kRepeatable, "R"},
                            Word<Kind>{Kind::kBaseline, "B"}, Word<Kind>{Kind::kUndo, "U"}};
constexpr std::array kStates{Word<LedgerState>{LedgerState::kRunning, "running"},
                             Word<LedgerState>{LedgerState::kApplied, "applied"},
                             Word<LedgerState>{LedgerState::kWithdrawn, "withdrawn"},
                             Word<LedgerState>{LedgerState::kUndone, "undone"}};
constexpr std::array kOrigins{Word<Origin>{Origin::kOwn, "own"},
                              Word<Origin>{Origin::kImported, "imported"},
                              Word<Origin>{Origin::kBaseline, "baseline"}};

template <class T, std::size_t N>
std::string_view WordOf(const std::array<Word<T>, N>& words, T value) {
  for (const auto& [known, word] : words) {
    if (known == value) return word;
  }
  return {};
}

template <class T, std::size_t N>
T ValueOf(const std::array<Word<T>, N>& words, std::optional<std::string_view> text) {
  for (const auto& [value, word] : words) {
    if (text == word) return value;
  }
  return words[0].first;
}

std::string Nullable(const std::optional<std::string>& text) {
  return text ? QuoteLiteral(*text) : "NULL";
}

std::string TimeLiteral(const std::optional<SystemTime>& time) {
  return time ? QuoteLiteral(FormatRfc3339Micro(*time)) : "NULL";
}

}  // namespace

std::string_view ToText(Kind kind) { return WordOf(kKinds, kind); }

std::int64_t ToNumber(std::optional<std::string_view> text) {
  std::int64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

std::optional<SystemTime> ToTime(std::optional<std::string_view> microseconds) {
  if (!microseconds) return std::nullopt;
  return SystemTime(std::chrono::microseconds(ToNumber(microseconds)));
}

LedgerRow ToLedgerRow(const postgres::Rows::Row& row) {
  LedgerRow result;
  result.kind = ValueOf(kKinds, row.View(0));
  result.id = row.View(1).value_or("");
  result.run = static_cast<int>(ToNumber(row.View(2)));
  result.state = ValueOf(kStates, row.View(3));
  result.attempt = static_cast<int>(ToNumber(row.View(4)));
  result.version = row.View(5).value_or("");
  result.description = row.View(6).value_or("");
  result.path = row.View(7).value_or("");
  result.sum = row[8];
  result.raw_sum = row[9];
  result.sum_verified = row.View(10) == "t";
  result.origin = ValueOf(kOrigins, row.View(11));
  result.applied_at = ToTime(row.View(12));
  result.duration_ms = ToNumber(row.View(13));
  return result;
}

std::string InsertLedgerRowsSql(const std::string& table, std::string_view set,
                                std::span<const LedgerRow> rows) {
  std::string sql =
      "INSERT INTO " + table +
      " (set, kind, id, run, state, version, description, path, sum, raw_sum, sum_verified,"
      " origin, applied_at, duration_ms, recorded_with) VALUES ";
  const std::string quoted_set = QuoteLiteral(set);
  for (const LedgerRow& row : rows) {
    if (&row != rows.data()) sql += ", ";
    sql += "(" + quoted_set + ", '" + std::string(ToText(row.kind)) + "', " + QuoteLiteral(row.id) +
           ", " + std::to_string(row.run) + ", '" + std::string(WordOf(kStates, row.state)) +
           "', " + QuoteLiteral(row.version) + ", " + QuoteLiteral(row.description) + ", " +
           QuoteLiteral(row.path) + ", " + Nullable(row.sum) + ", " + Nullable(row.raw_sum) + ", " +
           (row.sum_verified ? "true" : "false") + ", '" +
           std::string(WordOf(kOrigins, row.origin)) + "', " + TimeLiteral(row.applied_at) + ", " +
           std::to_string(row.duration_ms) + ", 'whimbrel " WHIMBREL_VERSION "')";
  }
  return sql;
}

}  // namespace whimbrel::history
