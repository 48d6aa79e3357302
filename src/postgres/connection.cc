#include "whimbrel/postgres/connection.h"

#include <algorithm>
#include <utility>

#include "postgres/run_stream.h"
#include "postgres/server_error.h"
#include "postgres/wire.h"

namespace whimbrel::postgres {
namespace {

/// Reads a command to its end. Keeps the last result and the first error: what libpq reports after
/// a fatal error has no SQLSTATE any more.
PgResult<Rows> Collect(Wire& wire) {
  ResultPtr last;
  std::optional<PgError> first_error;
  while (ResultPtr result = wire.Next()) {
    switch (PQresultStatus(result.get())) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
      case PGRES_EMPTY_QUERY:
        last = std::move(result);
        break;
      case PGRES_COPY_IN:
        wire.EndCopyIn("no data is given here");
        break;
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        wire.DrainCopyOut();
        break;
      default:
        if (!first_error) first_error = ErrorFromResult(result.get());
        break;
    }
  }
  if (auto error = wire.End(std::move(first_error))) return tl::make_unexpected(*std::move(error));
  return last ? Rows(std::move(last)) : Rows();
}

}  // namespace

Connection::Connection(std::unique_ptr<Wire> wire) : wire_(std::move(wire)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

PgResult<Connection> Connection::Open(const ConnectionParameters& parameters,
                                      const ConnectOptions& options) {
  const auto on_limit = options.give_up_at_limit ? Wire::OnLimit::kGiveUp : Wire::OnLimit::kCancel;
  auto wire = Wire::Open(parameters, options, on_limit);
  if (!wire) return tl::make_unexpected(std::move(wire).error());
  return Connection(*std::move(wire));
}

void Connection::SetLimits(CallLimits limits) { wire_->SetLimits(std::move(limits)); }

PgResult<Rows> Connection::Execute(std::string_view sql) {
  if (auto refused = wire_->Begin(Wire::Effect::kOnTransaction)) {
    return tl::make_unexpected(*std::move(refused));
  }
  wire_->SendQuery(sql);
  return Collect(*wire_);
}

PgResult<Rows> Connection::Query(std::string_view sql, std::span<const Parameter> parameters) {
  if (auto refused = wire_->Begin(Wire::Effect::kOnTransaction)) {
    return tl::make_unexpected(*std::move(refused));
  }
  wire_->SendQueryParams(sql, parameters);
  return Collect(*wire_);
}

PgResult<void> Connection::Commit() {
  constexpr std::string_view kCommit = "COMMIT";
  if (wire_->usable() && wire_->transaction_status() == PQTRANS_IDLE) {
    return tl::make_unexpected(PgError{.sql_state = "25P01",
                                       .message = "there is no transaction to commit",
                                       .connection_usable = true});
  }
  if (auto refused = wire_->Begin(Wire::Effect::kCommit)) {
    return tl::make_unexpected(*std::move(refused));
  }
  wire_->SendQuery(kCommit);
  const auto rows = Collect(*wire_);
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->command_tag() == kCommit) return {};
  return tl::make_unexpected(
      PgError{.sql_state = "25P02",
              .message = "the transaction had failed, so the server rolled it back on COMMIT",
              .connection_usable = wire_->usable()});
}

void Connection::Rollback() {
  if (!wire_->usable() || wire_->transaction_status() == PQTRANS_IDLE) return;
  wire_->BeginRollback();
  wire_->SendQuery("ROLLBACK");
  // Whatever went wrong, a session that is still in a transaction must not be used again.
  const auto rows = Collect(*wire_);
  if (!rows && wire_->transaction_status() != PQTRANS_IDLE) wire_->Close();
}

Result<std::uint64_t, StreamError> Connection::Run(StatementStream& stream) {
  return RunStream(*wire_, stream);
}

void Connection::Close() { wire_->Close(); }

TransactionStatus Connection::transaction_status() const {
  if (!wire_->usable()) return TransactionStatus::kUnknown;
  switch (wire_->transaction_status()) {
    case PQTRANS_IDLE:
      return TransactionStatus::kIdle;
    case PQTRANS_ACTIVE:
      return TransactionStatus::kActive;
    case PQTRANS_INTRANS:
      return TransactionStatus::kInTransaction;
    case PQTRANS_INERROR:
      return TransactionStatus::kInFailedTransaction;
    case PQTRANS_UNKNOWN:
      break;
  }
  return TransactionStatus::kUnknown;
}

bool Connection::usable() const { return wire_->usable(); }

int Connection::backend_pid() const { return wire_->conn() ? PQbackendPID(wire_->conn()) : 0; }

const ConnectionParameters& Connection::parameters() const { return wire_->parameters(); }

int Connection::server_version() const {
  return wire_->conn() ? PQserverVersion(wire_->conn()) : 0;
}

std::string Connection::ParameterStatus(std::string_view name) const {
  if (wire_->conn() == nullptr) return "";
  const char* value = PQparameterStatus(wire_->conn(), std::string(name).c_str());
  return value == nullptr ? "" : value;
}

bool Connection::standard_conforming_strings() const {
  return ParameterStatus("standard_conforming_strings") != "off";
}

}  // namespace whimbrel::postgres
