#pragma once

#include <cstdint>
#include <string>

#include "whimbrel/base/error.h"

namespace whimbrel::postgres {

/// What to do about an SQLSTATE: reference/reliability.md §5 table (c), kept as data in
/// sqlstate.cc.
enum class Verdict {
  kTransient,  ///< The same work may succeed later: roll back, reconnect when needed, run it again.
  kPermanent,  ///< The same work will fail again until somebody changes something.
  kAmbiguous,  ///< Nobody knows whether it was done: look at the ledger under the lock.
};

/// Why a call ended although the server did not fail: our own limits.
enum class Interruption { kNone, kStopRequested, kDeadlineReached };

/// A failure that PostgreSQL, libpq or one of our limits reported. It answers the three questions
/// that recovery asks: may one retry (sqlstate.h), is the connection still usable, is the outcome
/// unknown. Detail, context and query text of the server are dropped on purpose: they hold row
/// values.
struct PgError {
  /// Five characters; empty when the connection itself failed without the server saying why. Known
  /// for refused logins too, although libpq has no call for it there.
  std::string sql_state;
  std::string message;             ///< The primary message, redacted, at most 1 KiB.
  std::string hint;                ///< The server's hint, redacted; may be empty.
  std::string constraint;          ///< `schema.constraint` where the server told one; may be empty.
  std::uint32_t position = 0;      ///< 1-based, in characters of the text sent; 0 when unknown.
  bool connecting = false;         ///< Arose before the session existed.
  bool connection_usable = false;  ///< The session is alive (possibly in a failed transaction).
  /// The connection broke while a COMMIT or anything outside a transaction was under way.
  bool outcome_unknown = false;
  /// Ask it before the verdict: an interrupted call says nothing about the server.
  Interruption interruption = Interruption::kNone;

  /// `message (SQLSTATE 42P07)`.
  [[nodiscard]] std::string ToString() const;
};

template <class T>
using PgResult = Result<T, PgError>;

}  // namespace whimbrel::postgres
