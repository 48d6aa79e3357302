#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/script_outline.h"
#include "engine/step_hash.h"
#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/statement_splitter.h"

namespace whimbrel::engine {

/// Follows the statements of one file and cuts it into steps (OutlineScript says how). Pure.
class StepCutter {
 public:
  explicit StepCutter(const OutlineOptions& options) : options_(options) {}

  /// `standard_conforming_strings` as `statement` was cut under it.
  Result<void> Add(const sql::Statement& statement, const sql::StatementFacts& facts,
                   bool standard_conforming_strings);
  /// Of the statement that was added last.
  void AddCopyData(std::string_view bytes) {
    if (step_) step_->hash.AddCopyData(bytes);
  }
  /// All but the hash of the script.
  Result<ScriptOutline> Finish() &&;

 private:
  /// What decides how a step goes with others.
  struct Traits {
    bool is_block = false;  ///< The file's own BEGIN … COMMIT.
    /// Cut off only in case that the file is not one transaction anyway.
    bool may_join_next = false;
    /// Where it leaves something in the session that a later step would miss.
    std::optional<SourcePosition> session_state;
  };
  struct OpenStep {
    ScriptStep step;
    StepHash hash;
    Traits traits;
    bool only_settings = true;
    bool block_ended = false;  ///< Its COMMIT was seen: only settings may join it.
  };

  Result<void> ReadDirectives(const sql::Statement& statement, const sql::StatementFacts& facts);
  [[nodiscard]] sql::TransactionMode ModeOf(const sql::Directives& directives) const;
  Result<void> AddControl(const sql::Statement& statement, const sql::TransactionControl& control);
  Result<void> BeginBlock(const sql::Statement& statement, const std::string& modes);
  Result<void> CommitBlock(const sql::Statement& statement, bool chain);
  Result<void> AddSingle(const sql::Statement& statement, const sql::StatementFacts& facts,
                         const sql::Directives& directives, bool standard_conforming_strings);
  void AddOrdinary(const sql::Statement& statement, const sql::StatementFacts& facts,
                   const sql::Directives& directives);
  void Append(const sql::Statement& statement, const sql::StatementFacts& facts);
  OpenStep& Open(const SourcePosition& position);
  void Close();
  void JoinSteps();
  [[nodiscard]] Result<void> CheckSteps() const;

  OutlineOptions options_;
  ScriptOutline outline_;
  std::optional<OpenStep> step_;
  std::vector<Traits> traits_;  ///< Of outline_.steps.
  bool is_first_ = true;
  bool in_block_ = false;
  SourcePosition begin_;
};

}  // namespace whimbrel::engine
