#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/hashing_byte_source.h"
#include "engine/progress_reporter.h"
#include "engine/script_outline.h"
#include "engine/step_hash.h"
#include "engine/timeouts.h"
#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/postgres/statement_stream.h"
#include "whimbrel/sql/statement_splitter.h"

namespace whimbrel::engine {

/// Pass 2: gives the statements of a script to be sent, step by step, without those that ours take
/// the place of. Where a statement changes one of our timeouts, or brings its own, it puts them
/// back by a statement of its own. What is not as in pass 1 is ErrorKind::kSourceChanged: at the
/// end of a step, before its COMMIT; a single statement before it is handed out; the whole script
/// at the end of the last step. Positions are those of the script's text, of which
/// migration::Script::Locate knows the file.
class ScriptStream final : public postgres::StatementStream {
 public:
  struct Options {
    bool standard_conforming_strings = true;
    Timeouts timeouts;
    ProgressReporter* progress = nullptr;  ///< Outlives the stream.
  };
  /// `outline` outlives the stream.
  static Result<std::unique_ptr<ScriptStream>> Open(const migration::Script& script,
                                                    const ScriptOutline& outline, Options options);

  /// From now on statements of this step; steps are entered in order, each once, and each is read
  /// to its end before the next.
  void EnterStep(std::size_t index);
  /// Reads the step that was entered to its end without handing anything out.
  Result<void> SkipStep();

  /// nullopt at the end of the step.
  Result<std::optional<postgres::StreamStatement>> Next() override;
  Result<std::string_view> NextCopyData() override;
  void OnStandardConformingStrings(bool on) override;

  /// As the text was cut so far.
  [[nodiscard]] bool standard_conforming_strings() const {
    return options_.standard_conforming_strings;
  }
  /// Of the statement that was handed out last.
  [[nodiscard]] const sql::Directives& directives() const { return directives_; }

 private:
  ScriptStream(std::unique_ptr<ByteSource> bytes, const migration::Script& script,
               const ScriptOutline& outline, Options options);
  Result<std::optional<sql::Statement>> ReadStatement();
  Result<std::optional<postgres::StreamStatement>> HandOut(const sql::Statement& statement);
  Result<void> FinishStep();
  [[nodiscard]] postgres::StreamStatement OurOwn(std::string_view text) const;
  [[nodiscard]] tl::unexpected<Error> Changed() const;
  [[nodiscard]] const ScriptStep& step() const { return outline_.steps[step_]; }

  std::unique_ptr<ByteSource> bytes_;
  HashingByteSource hashed_;
  const migration::Script& script_;
  const ScriptOutline& outline_;
  Options options_;
  const bool session_strings_;  ///< standard_conforming_strings when the script began.
  sql::StatementSplitter splitter_;

  std::size_t step_ = 0;
  StepHash step_hash_;
  std::uint64_t left_ = 0;  ///< Statements of the step that were not yet read.
  std::uint64_t statements_ = 0;
  sql::Directives directives_;
  std::optional<sql::Statement> held_;  ///< Its own timeouts are being set before it.
  std::string own_sql_;                 ///< Of the statement of ours that was handed out last.
  bool restore_timeouts_ = false;
  bool barrier_next_ = false;
  bool copy_ended_ = true;
  std::uint64_t copied_ = 0;
};

}  // namespace whimbrel::engine
