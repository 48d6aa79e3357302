#include "postgres/wire.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "postgres/cancel.h"
#include "postgres/connect.h"
#include "postgres/large_query.h"
#include "postgres/server_error.h"
#include "whimbrel/base/log.h"

namespace whimbrel::postgres {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

/// For the end of a cancelled command. With kSignal after it, well within the 10 s that a process
/// has to end after it was asked to stop.
constexpr seconds kGrace{5};
/// A cancel that reaches the server before the command does has no effect: it is sent again.
constexpr seconds kCancelInterval{1};
/// For the second session that cancels or terminates.
constexpr seconds kSignal{2};
/// Pieces of COPY data: large enough to cost nothing, small beside any statement.
constexpr std::size_t kCopyPiece = std::size_t{64} * 1024;

PgError LimitReached(Interruption interruption) {
  PgError error;
  error.message = interruption == Interruption::kStopRequested
                      ? "stopped on request before the statement was sent"
                      : "the deadline was reached before the statement was sent";
  error.interruption = interruption;
  error.connection_usable = true;
  return error;
}

}  // namespace

PgResult<std::unique_ptr<Wire>> Wire::Open(const ConnectionParameters& parameters,
                                           const ConnectOptions& options, OnLimit on_limit) {
  std::unique_ptr<Wire> wire(new Wire(parameters, options, on_limit));
  if (!wire->interrupt_.valid()) {
    return tl::make_unexpected(
        PgError{.message = "no file descriptor is left", .connecting = true});
  }
  wire->SetLimits(options.limits);
  auto conn = Connect(parameters, options, wire->interrupt_);
  if (!conn) return tl::make_unexpected(std::move(conn).error());
  wire->conn_ = *std::move(conn);
  // A process id means something on this server alone.
  PinServer(wire->parameters_, wire->conn());
  PQsetnonblocking(wire->conn(), 1);
  PQsetNoticeReceiver(wire->conn(), &Wire::OnNotice, wire.get());
  return wire;
}

bool Wire::usable() const { return conn_ && PQstatus(conn()) == CONNECTION_OK; }

PGTransactionStatusType Wire::transaction_status() const {
  return conn_ ? PQtransactionStatus(conn()) : PQTRANS_UNKNOWN;
}

void Wire::OnNotice(void* wire, const PGresult* notice) {
  const PgError told = ErrorFromResult(notice);
  // A crash of another backend arrives as a warning; what follows is a close without a word.
  if (told.sql_state.starts_with("57P0")) static_cast<Wire*>(wire)->shutdown_code_ = told.sql_state;
  log::Debug("postgres", "server notice",
             {{"sqlState", told.sql_state}, {"text", told.message}, {"hint", told.hint}});
}

std::optional<PgError> Wire::Begin(Effect effect) {
  if (!usable()) return Lost();
  if (const auto reached = interrupt_.Reached(); reached != Interruption::kNone) {
    return LimitReached(reached);
  }
  outcome_open_ = effect == Effect::kCommit || transaction_status() == PQTRANS_IDLE;
  interruption_ = Interruption::kNone;
  grace_until_.reset();
  can_signal_ = false;
  return std::nullopt;
}

void Wire::BeginRollback() {
  outcome_open_ = false;
  can_signal_ = false;
  grace_until_ = steady_clock::now() + kGrace;
  cancel_again_ = SteadyTime::max();
}

void Wire::SendQuery(std::string_view sql) {
  if (HoldsNul(sql)) return;
  if (sql.size() < kLargeQuery || !CanSendLargeQuery(conn())) {
    return Sent(PQsendQuery(conn(), std::string(sql).c_str()));
  }
  const auto wait = [this](short events) { return WaitSocket(events); };
  if (!Flush() || SendLargeQuery(conn(), sql, wait) || !conn_) return;
  // Half a message is on its way. What the server said before it went away is read as a notice.
  PQconsumeInput(conn());
  if (usable()) GiveUp("the statement could not be sent");
}

void Wire::SendQueryParams(std::string_view sql, std::span<const Parameter> parameters) {
  if (HoldsNul(sql)) return;
  std::vector<std::string> texts;
  texts.reserve(parameters.size());
  std::vector<const char*> values;
  for (const Parameter& parameter : parameters) {
    if (parameter && HoldsNul(*parameter)) return;
    texts.emplace_back(parameter.value_or(std::string_view()));
    values.push_back(parameter ? texts.back().c_str() : nullptr);
  }
  Sent(PQsendQueryParams(conn(), std::string(sql).c_str(), static_cast<int>(values.size()), nullptr,
                         values.data(), nullptr, nullptr, 0));
}

bool Wire::HoldsNul(std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return false;
  // libpq would send what stands before it.
  not_sent_ = PgError{.sql_state = "22021", .message = "the text to send holds a NUL byte"};
  return true;
}

void Wire::Sent(int accepted) {
  // No result will come, and silence would read as success.
  if (accepted == 0) not_sent_ = PgError{.message = CleanMessage(PQerrorMessage(conn()))};
}

ResultPtr Wire::Next() {
  if (not_sent_) return nullptr;
  if (!Flush()) return nullptr;
  while (usable() && PQisBusy(conn()) != 0) {
    if (!WaitSocket(POLLIN)) return nullptr;
    // Reading fails with a broken connection, of which PQgetResult tells next; with anything else
    // (no memory), PQgetResult would block.
    if (PQconsumeInput(conn()) == 0 && usable()) GiveUp("libpq could not read from the server");
  }
  return ResultPtr(conn_ ? PQgetResult(conn()) : nullptr);
}

bool Wire::Flush() {
  while (usable()) {
    const int left = PQflush(conn());
    if (left == 0) return true;
    if (left < 0) return true;  // The reading side learns why.
    if (!WaitSocket(POLLIN | POLLOUT)) return false;
    // The server may have to get rid of its notices before it reads on.
    PQconsumeInput(conn());
  }
  return conn_ != nullptr;
}

bool Wire::WaitSocket(short events) {
  while (true) {
    if (!grace_until_) {
      switch (interrupt_.Wait(PQsocket(conn()), events)) {
        case Wake::kStop:
          Interrupted(Interruption::kStopRequested);
          break;
        case Wake::kLimit:
        case Wake::kTimeout:
          Interrupted(Interruption::kDeadlineReached);
          break;
        case Wake::kReady:
          return true;
      }
      if (!conn_) return false;
    }
    const SteadyTime next = std::min(*grace_until_, cancel_again_);
    if (WaitForSocket(PQsocket(conn()), events, next) == Wake::kReady) return true;
    if (steady_clock::now() >= *grace_until_) {
      GiveUp("the server did not end the statement in time after a cancel request");
      return false;
    }
    RequestCancel();
  }
}

void Wire::Interrupted(Interruption interruption) {
  interruption_ = interruption;
  grace_until_ = steady_clock::now() + kGrace;
  if (on_limit_ == OnLimit::kGiveUp) return GiveUp("the deadline was reached");
  RequestCancel();
}

void Wire::RequestCancel() {
  can_signal_ = CancelBackend(conn(), parameters_, options_,
                              std::min(*grace_until_, SteadyTime(steady_clock::now() + kSignal)));
  cancel_again_ = steady_clock::now() + kCancelInterval;
}

void Wire::GiveUp(std::string why) {
  if (can_signal_) {
    TerminateBackend(conn(), parameters_, options_, steady_clock::now() + kSignal);
  }
  given_up_ = std::move(why) + "; the session was ended";
  Close();
}

PgError Wire::Lost() const {
  PgError error;
  error.sql_state = shutdown_code_;
  error.message = CleanMessage(conn_ ? PQerrorMessage(conn()) : given_up_);
  if (error.message.empty()) error.message = "the connection is closed";
  return error;
}

std::optional<PgError> Wire::End(std::optional<PgError> first) {
  grace_until_.reset();
  if (not_sent_) first = std::exchange(not_sent_, std::nullopt);
  const Interruption interruption = std::exchange(interruption_, Interruption::kNone);
  if (!first && usable()) return std::nullopt;
  PgError error = first ? *std::move(first) : Lost();
  if (error.sql_state.empty()) error.sql_state = shutdown_code_;
  error.interruption = interruption;
  error.connection_usable = usable();
  error.outcome_unknown = !error.connection_usable && outcome_open_;
  return error;
}

bool Wire::PutCopyData(std::string_view data) {
  while (!data.empty()) {
    if (!usable() || interruption_ != Interruption::kNone) return false;
    if (const auto reached = interrupt_.Reached(); reached != Interruption::kNone) {
      // The server waits for data and would not hear a cancel: ending the copy is the way.
      interruption_ = reached;
      grace_until_ = steady_clock::now() + kGrace;
      cancel_again_ = steady_clock::now() + kCancelInterval;
      return false;
    }
    const std::string_view piece = data.substr(0, kCopyPiece);
    if (PQputCopyData(conn(), piece.data(), static_cast<int>(piece.size())) != 1) return false;
    data.remove_prefix(piece.size());
    // Small pieces (lines) travel together.
    unflushed_ += piece.size();
    if (unflushed_ < kCopyPiece) continue;
    unflushed_ = 0;
    if (!Flush()) return false;
  }
  return interruption_ == Interruption::kNone;
}

void Wire::EndCopyIn(std::optional<std::string> failure) {
  if (!usable()) return;
  if (PQputCopyEnd(conn(), failure ? failure->c_str() : nullptr) != 1) {
    GiveUp("libpq could not end the COPY");
  }
}

void Wire::DrainCopyOut() {
  while (usable()) {
    char* data = nullptr;
    const int length = PQgetCopyData(conn(), &data, 1);
    const PqString owner(data);
    if (length < 0) return;  // The end; PQgetResult tells how it ended.
    if (length > 0) continue;
    if (!WaitSocket(POLLIN)) return;
    if (PQconsumeInput(conn()) == 0 && usable()) GiveUp("libpq could not read from the server");
  }
}

}  // namespace whimbrel::postgres
