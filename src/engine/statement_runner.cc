#include "engine/statement_runner.h"

#include <utility>

#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::engine {

using postgres::StreamStatement;
using std::chrono::milliseconds;

namespace {

/// A stream of one statement.
class OneStatement final : public postgres::StatementStream {
 public:
  explicit OneStatement(StreamStatement statement) : statement_(std::move(statement)) {}

  Result<std::optional<StreamStatement>> Next() override {
    return std::exchange(statement_, std::nullopt);
  }
  Result<std::string_view> NextCopyData() override { return std::string_view(); }
  void OnStandardConformingStrings(bool /*on*/) override {}

 private:
  std::optional<StreamStatement> statement_;
};

/// What the server says only while it runs: how the file can be run after all.
std::string HintFor(std::string_view sql_state) {
  if (sql_state == postgres::kActiveSqlTransaction) {
    return "the server runs this only outside of a transaction: write `-- whimbrel: "
           "transaction=none` on the line before the statement";
  }
  if (sql_state == postgres::kInvalidTransactionTermination) {
    return "it commits inside, which works only outside of a transaction: when running it twice "
           "does no harm, write `-- whimbrel: transaction=none idempotent` on the line before the "
           "statement";
  }
  if (sql_state == postgres::kUnsafeNewEnumValue) {
    return "a new enum value can be used only after the transaction that adds it: write `-- "
           "whimbrel: file transaction=none` at the beginning of the file, or use the value in a "
           "later migration";
  }
  return "";
}

}  // namespace

RunFailure StatementRunner::SourceFailure(const Error& error) const {
  // A text that was replaced half-way explains more than what reading it says.
  const Result<void> same = CheckUnchanged(*step_.migration);
  return FromSourceError(same ? error : same.error(), step_.migration->Label());
}

RunResult<void> StatementRunner::Open() {
  auto stream = ScriptStream::Open(
      step_.migration->up, outline_,
      {.standard_conforming_strings = session_.connection().standard_conforming_strings(),
       .timeouts = timeouts_,
       .progress = &context_.progress});
  if (!stream) return tl::make_unexpected(SourceFailure(stream.error()));
  stream_ = std::move(*stream);
  return {};
}

RunResult<void> StatementRunner::Skip(std::size_t index) {
  stream_->EnterStep(index);
  if (Result<void> skipped = stream_->SkipStep(); !skipped)
    return tl::make_unexpected(SourceFailure(skipped.error()));
  return {};
}

RunResult<void> StatementRunner::RunInTransaction(std::size_t index) {
  stream_->EnterStep(index);
  postgres::Connection& connection = session_.connection();
  if (RunResult<void> sent = Send(*stream_, connection, timeouts_.statement()); !sent) return sent;
  if (connection.standard_conforming_strings() == stream_->standard_conforming_strings()) return {};
  return tl::make_unexpected(FromSourceError(
      {.kind = ErrorKind::kInvalidArgument,
       .message = "a function that the file calls changed standard_conforming_strings, so that its "
                  "text may have been cut in the wrong places: set it by a statement of its own",
       .position = SourcePosition{.file = step_.migration->path}},
      step_.migration->Label()));
}

RunResult<StreamStatement> StatementRunner::ReadSingle(std::size_t index) {
  stream_->EnterStep(index);
  Result<std::optional<StreamStatement>> next = stream_->Next();
  if (!next) return tl::make_unexpected(SourceFailure(next.error()));
  return **next;
}

RunResult<void> StatementRunner::RunAlone(const StreamStatement& statement,
                                          postgres::Connection& connection) {
  OneStatement stream(statement);
  return Send(stream, connection, milliseconds(0));
}

RunResult<void> StatementRunner::Send(postgres::StatementStream& stream,
                                      postgres::Connection& connection,
                                      milliseconds statement_timeout) {
  auto ran = Watched(stream, connection);
  if (ran) return {};
  RunFailure failure = StatementFailure(ran.error(), statement_timeout);
  if (failure.cause && failure.transient) return tl::make_unexpected(std::move(failure));
  // A text that was replaced half-way explains more than what the server thought of it.
  if (Result<void> same = CheckUnchanged(*step_.migration); !same)
    return tl::make_unexpected(FromSourceError(same.error(), step_.migration->Label()));
  return tl::make_unexpected(std::move(failure));
}

Result<std::uint64_t, postgres::StreamError> StatementRunner::Watched(
    postgres::StatementStream& stream, postgres::Connection& connection) {
  const SessionWatch::Scope watch = session_.watch().Watch(connection);
  return connection.Run(stream);
}

RunFailure StatementRunner::StatementFailure(const postgres::StreamError& error,
                                             milliseconds statement_timeout) const {
  RunFailure failure = FromStreamError(error, step_.migration->Label());
  failure.failure.position = step_.migration->up.Locate(failure.failure.position);
  const std::string& sql_state = failure.failure.sql_state;
  if (std::string hint = HintFor(sql_state); !hint.empty()) failure.failure.hint = std::move(hint);
  if (const std::string holder = session_.LastBlockers();
      sql_state == postgres::kLockNotAvailable && !holder.empty()) {
    failure.failure.message += "; the lock was held by " + holder;
  }
  const sql::Directives& directives = stream_->directives();
  failure.lock_budget = directives.lock_budget ? directives.lock_budget : outline_.file.lock_budget;
  const milliseconds limit = directives.statement_timeout.value_or(statement_timeout);
  // The same code says that an administrator cancelled it, which may be tried again.
  const bool timed_out =
      sql_state == postgres::kQueryCanceled && limit.count() > 0 && error.statement_ran >= limit;
  if (!timed_out) return failure;
  failure.transient = false;
  failure.cause.reset();
  failure.failure.hint =
      "the statement took longer than execution.statementTimeoutSeconds: raise it, split the work, "
      "or write `-- whimbrel: statement-timeout=…` on the line before the statement";
  return failure;
}

}  // namespace whimbrel::engine
