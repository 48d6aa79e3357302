#include "postgres/cancel.h"

#include <array>
#include <chrono>
#include <memory>

#include "postgres/detached_call.h"
#include "postgres/pq_handles.h"
#include "postgres/wire.h"
#include "whimbrel/base/log.h"

namespace whimbrel::postgres {
namespace {

constexpr std::string_view kLogger = "postgres";
/// For libpq's cancel request, once the second session has used up its own time.
constexpr std::chrono::milliseconds kCancelRequest{500};

/// The signal, for the session of `conn` alone: a pooler and a server that took over the address
/// have sessions of others under the same process id.
std::string SignalSql(std::string_view function, PGconn* conn) {
  const char* name = PQparameterStatus(conn, "application_name");
  return "SELECT pg_catalog." + std::string(function) +
         "(pid) FROM pg_catalog.pg_stat_activity WHERE pid = " +
         std::to_string(PQbackendPID(conn)) +
         " AND application_name = " + QuoteLiteral(name == nullptr ? "" : name);
}

/// Calls `function` in a session of its own; false when that did not work.
bool SignalBackend(std::string_view function, PGconn* conn, const ConnectionParameters& parameters,
                   const ConnectOptions& options, SteadyTime deadline) {
  ConnectOptions own = options;
  own.limits = {.deadline = deadline, .stop = {}};
  auto wire = Wire::Open(parameters, own, Wire::OnLimit::kGiveUp);
  std::optional<PgError> error;
  bool found = false;
  if (!wire) {
    error = std::move(wire).error();
  } else if (error = (*wire)->Begin(Wire::Effect::kOnTransaction); !error) {
    (*wire)->SendQuery(SignalSql(function, conn));
    std::optional<PgError> first;
    while (const ResultPtr result = (*wire)->Next()) {
      if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) {
        found = PQntuples(result.get()) > 0;
      } else if (!first) {
        first = PgError{.message = PQresultErrorMessage(result.get())};
      }
    }
    error = (*wire)->End(std::move(first));
  }
  if (error) {
    log::Debug(kLogger, "could not signal a backend from a second session",
               {{"function", function}, {"error", error->ToString()}});
  }
  return !error && found;
}

void SendCancelRequest(PGconn* conn, SteadyTime deadline) {
  std::shared_ptr<PGcancel> cancel(PQgetCancel(conn), &PQfreeCancel);
  if (!cancel) return;
  CallDetached(
      [cancel] {
        std::array<char, 256> message{};
        return PQcancel(cancel.get(), message.data(), static_cast<int>(message.size()));
      },
      deadline, {});
}

}  // namespace

bool CancelBackend(PGconn* conn, const ConnectionParameters& parameters,
                   const ConnectOptions& options, SteadyTime deadline) {
  if (SignalBackend("pg_cancel_backend", conn, parameters, options, deadline)) return true;
  SendCancelRequest(conn, deadline + kCancelRequest);
  return false;
}

void TerminateBackend(PGconn* conn, const ConnectionParameters& parameters,
                      const ConnectOptions& options, SteadyTime deadline) {
  SignalBackend("pg_terminate_backend", conn, parameters, options, deadline);
}

}  // namespace whimbrel::postgres
