#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "whimbrel/history/applied_row.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::history {

/// The letter that the ledger stores.
[[nodiscard]] std::string_view ToText(migration::Kind kind);

/// What to select so that ToLedgerRow understands it. Times are whole microseconds since 1970: no
/// session setting changes their spelling, and 10,000 of them need no date arithmetic.
inline constexpr std::string_view kLedgerRowColumns =
    "kind, id, run, state, attempt, version, description, path, sum, "
    "CASE WHEN origin = 'imported' THEN raw_sum END, sum_verified, "
    "origin, "
    "(date_part('epoch', applied_at) * 1000000)::int8, duration_ms";

/// A row of that SELECT. The table's CHECK constraints guarantee the words.
[[nodiscard]] LedgerRow ToLedgerRow(const postgres::Rows::Row& row);

/// One INSERT of all rows (at least one) into `table`, a quoted name.
[[nodiscard]] std::string InsertLedgerRowsSql(const std::string& table, std::string_view set,
                                              std::span<const LedgerRow> rows);

/// Microseconds since 1970, as `date_part('epoch', …) * 1000000` gives them; nullopt for NULL.
[[nodiscard]] std::optional<SystemTime> ToTime(std::optional<std::string_view> microseconds);
/// A decimal number that the server sent; 0 for NULL.
[[nodiscard]] std::int64_t ToNumber(std::optional<std::string_view> text);

}  // namespace whimbrel::history
