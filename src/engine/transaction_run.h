#pragma once

#include <string>

#include "engine/bookkeeping.h"
#include "engine/step_executor.h"

namespace whimbrel::engine {

/// One migration inside one transaction: claim, statements, history rows (design §3, "Transactional
/// migration"). The caller commits or rolls back.
class TransactionRun {
 public:
  TransactionRun(RunContext& context, RunSession& session, const Step& step,
                 const ScriptOutline& outline)
      : context_(context),
        session_(session),
        step_(step),
        outline_(outline),
        books_(context, session, step, outline) {}

  /// Begins a transaction with the modes that the file asks for.
  [[nodiscard]] std::string BeginSql() const {
    return books_.BeginSql(outline_.steps.front().transaction_modes);
  }
  /// For a file that shares the transaction of the files before it (execution.transaction All).
  [[nodiscard]] std::string GoOnSql() const { return books_.InTransactionSql(); }

  /// Everything but the COMMIT; `first_sql` is one of the two above.
  RunResult<StepResult> ApplyWithin(const std::string& first_sql, const std::string& tool_state);

 private:
  RunResult<void> Claim(const std::string& first_sql, const std::string& tool_state);
  RunResult<void> RunStatements();
  RunResult<void> Settle();
  /// The state of the tool's table afterwards.
  RunResult<std::string> Record(std::chrono::milliseconds duration);

  RunContext& context_;
  RunSession& session_;
  const Step& step_;
  const ScriptOutline& outline_;
  Bookkeeping books_;
};

/// What a failure of ReturnToOurselvesSql says: deferred constraints are the file's own, and fail
/// under its name, not under ours.
[[nodiscard]] RunFailure DeferredFailure(const postgres::PgError& error, const Step& step);

}  // namespace whimbrel::engine
