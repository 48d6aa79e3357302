#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/bookkeeping.h"
#include "engine/statement_runner.h"
#include "engine/step_executor.h"
#include "engine/verifier.h"
#include "whimbrel/history/journal.h"

namespace whimbrel::engine {

/// Whether the steps that an earlier attempt did are the first ones of the file as it is now: their
/// number; else what differs, as a failure for a person (Reason::kPartiallyApplied). Pure.
[[nodiscard]] Result<std::size_t, report::Failure> CountDoneSteps(const Step& step,
                                                                  const ScriptOutline& outline);

/// A migration that is not one transaction (design §3, "A file that is not one transaction"): the
/// claim says running and is committed with the first step, or with its intent; each step is
/// recorded in the journal, those that can in their own transaction, the others with an intent
/// before and a look into the catalog after. Whoever dies in between, the next attempt takes the
/// claim over and goes on behind the last step that is done.
///
/// Between two steps the session is always as new: what the file has SET so far is replayed before
/// each step, so that a file runs the same whether it was interrupted or not.
class SteppedRun {
 public:
  SteppedRun(RunContext& context, RunSession& session, const Step& step,
             const ScriptOutline& outline, std::string tool_state);

  RunResult<StepResult> Execute();

 private:
  RunResult<void> ExecuteSteps(std::size_t done);
  RunResult<void> TakeOver();
  RunResult<void> ExecuteOne(std::size_t index);

  // A step in a transaction.
  RunResult<void> RunTransaction(std::size_t index);

  // A step of one statement outside of any transaction.
  struct Single;
  RunResult<void> RunSingle(std::size_t index);
  RunResult<void> Prepare(Single& single);
  [[nodiscard]] bool MayGuard(const Single& single) const;
  RunResult<void> CarryGuarded(const Single& single);
  RunResult<void> Carry(const Single& single);
  RunResult<void> Send(const Single& single);
  RunResult<void> Conclude(const Single& single);
  void ClearAway(const Single& single);
  RunResult<postgres::Connection> FreshSession();

  // Pieces of both.
  /// Begins a transaction that holds the claim, which the first one makes; `fence_sql` answers 1
  /// when it is held.
  RunResult<void> BeginFenced(const std::string& modes, const std::string& fence_sql);
  RunResult<void> ReplaySettings(const std::string& timeouts_sql);
  void Remember(std::size_t index);
  RunResult<std::string> Look(const Single& single);
  /// Records the step as done, the migration as applied with the last one, and commits.
  RunResult<void> Finish(std::size_t index, const std::string& step_sql);
  RunResult<postgres::Rows> Ours(const std::string& sql, const std::string& doing);
  [[nodiscard]] const history::JournalRow* JournalOf(std::size_t index) const;
  [[nodiscard]] int Number(std::size_t index) const { return static_cast<int>(index) + 1; }
  [[nodiscard]] RunFailure WithProgress(RunFailure failure, std::size_t index) const;

  RunContext& context_;
  RunSession& session_;
  const Step& step_;
  const ScriptOutline& outline_;
  std::string tool_state_;
  Bookkeeping books_;
  history::Journal journal_;
  history::Claim claim_;
  StatementRunner statements_;
  SteadyTime began_;
  bool claimed_ = false;
  std::string replay_;  ///< What the steps so far have SET.
};

}  // namespace whimbrel::engine
