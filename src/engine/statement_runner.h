#pragma once

#include <memory>

#include "engine/run_context.h"
#include "engine/run_session.h"
#include "engine/script_stream.h"
#include "whimbrel/engine/plan.h"

namespace whimbrel::engine {

/// Sends the statements of one migration, step by step, and says of a failure what a person has to
/// know.
class StatementRunner {
 public:
  StatementRunner(RunContext& context, RunSession& session, const Step& step,
                  const ScriptOutline& outline, Timeouts timeouts)
      : context_(context), session_(session), step_(step), outline_(outline), timeouts_(timeouts) {}

  /// Opens the text. Before anything else.
  RunResult<void> Open();
  /// A step that an earlier attempt did.
  RunResult<void> Skip(std::size_t index);
  /// A step of statements, in the transaction that the caller has begun.
  RunResult<void> RunInTransaction(std::size_t index);
  /// The one statement of a step that is no transaction, to be sent with RunAlone; its text is
  /// valid until the next call of another step.
  RunResult<postgres::StreamStatement> ReadSingle(std::size_t index);
  RunResult<void> RunAlone(const postgres::StreamStatement& statement,
                           postgres::Connection& connection);

  /// As the text of the file is read now.
  [[nodiscard]] bool standard_conforming_strings() const {
    return stream_->standard_conforming_strings();
  }
  /// Of the statement that ReadSingle returned last.
  [[nodiscard]] const sql::Directives& directives() const { return stream_->directives(); }

 private:
  RunResult<void> Send(postgres::StatementStream& stream, postgres::Connection& connection,
                       std::chrono::milliseconds statement_timeout);
  Result<std::uint64_t, postgres::StreamError> Watched(postgres::StatementStream& stream,
                                                       postgres::Connection& connection);
  [[nodiscard]] RunFailure StatementFailure(const postgres::StreamError& error,
                                            std::chrono::milliseconds statement_timeout) const;
  [[nodiscard]] RunFailure SourceFailure(const Error& error) const;

  RunContext& context_;
  RunSession& session_;
  const Step& step_;
  const ScriptOutline& outline_;
  Timeouts timeouts_;
  std::unique_ptr<ScriptStream> stream_;
};

}  // namespace whimbrel::engine
