#include "engine/script_stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include "whimbrel/sql/statement_facts.h"

namespace whimbrel::engine {

using postgres::StreamStatement;

namespace {

/// Settings by which a run stays bounded; pg_dump's preamble sets three of them to 0.
constexpr std::array<std::string_view, 6> kOurTimeouts = {
    "lock_timeout",        "statement_timeout",    "idle_in_transaction_session_timeout",
    "transaction_timeout", "idle_session_timeout", "all"};

bool ChangesOurTimeouts(const sql::StatementFacts& facts) {
  return std::any_of(facts.settings.begin(), facts.settings.end(),
                     [](const sql::SettingChange& change) {
                       return std::find(kOurTimeouts.begin(), kOurTimeouts.end(), change.name) !=
                              kOurTimeouts.end();
                     });
}

bool EndsTransaction(sql::TransactionVerb verb) {
  switch (verb) {
    case sql::TransactionVerb::kNone:
    case sql::TransactionVerb::kSavepoint:
    case sql::TransactionVerb::kRelease:
    case sql::TransactionVerb::kRollbackTo:
      return false;
    default:
      return true;
  }
}

}  // namespace

Result<std::unique_ptr<ScriptStream>> ScriptStream::Open(const migration::Script& script,
                                                         const ScriptOutline& outline,
                                                         Options options) {
  Result<std::unique_ptr<ByteSource>> bytes = script.Open();
  if (!bytes) return tl::make_unexpected(bytes.error());
  return std::unique_ptr<ScriptStream>(
      new ScriptStream(std::move(*bytes), script, outline, options));
}

ScriptStream::ScriptStream(std::unique_ptr<ByteSource> bytes, const migration::Script& script,
                           const ScriptOutline& outline, Options options)
    : bytes_(std::move(bytes)),
      hashed_(*bytes_),
      script_(script),
      outline_(outline),
      options_(options),
      session_strings_(options_.standard_conforming_strings),
      splitter_(hashed_, {.file = script.file->path(),
                          .standard_conforming_strings = options_.standard_conforming_strings,
                          .start = script.start}) {}

void ScriptStream::EnterStep(std::size_t index) {
  step_ = index;
  step_hash_ = StepHash();
  left_ = step().statements;
}

/// The next statement that is sent; nullopt at the end of the script.
Result<std::optional<sql::Statement>> ScriptStream::ReadStatement() {
  while (true) {
    Result<std::optional<sql::Piece>> piece = splitter_.Next();
    if (!piece) return tl::make_unexpected(piece.error());
    if (!*piece) return std::nullopt;
    const auto* statement = std::get_if<sql::Statement>(&**piece);
    if (statement == nullptr || outline_.replaced.contains(statement->position.offset)) continue;
    return *statement;
  }
}

Result<void> ScriptStream::SkipStep() {
  while (left_ > 0) {
    Result<std::optional<sql::Statement>> statement = ReadStatement();
    if (!statement) return tl::make_unexpected(statement.error());
    if (!*statement) return Changed();
    const sql::StatementFacts facts =
        sql::Classify((*statement)->text, options_.standard_conforming_strings);
    step_hash_.AddStatement((*statement)->text);
    copy_ended_ = !(*statement)->copy_from_stdin;
    while (!copy_ended_) {
      if (Result<std::string_view> data = NextCopyData(); !data)
        return tl::make_unexpected(data.error());
    }
    OnStandardConformingStrings(sql::StandardConformingStringsAfter(
        facts, options_.standard_conforming_strings, session_strings_));
    --left_;
    ++statements_;
  }
  return FinishStep();
}

StreamStatement ScriptStream::OurOwn(std::string_view text) const {
  return {.text = text, .position = {.file = script_.file->path()}};
}

Result<std::optional<StreamStatement>> ScriptStream::Next() {
  if (held_) return HandOut(*std::exchange(held_, std::nullopt));
  if (std::exchange(restore_timeouts_, false)) {
    own_sql_ = options_.timeouts.LocalSql();
    return OurOwn(own_sql_);
  }
  if (left_ == 0) {
    if (Result<void> finished = FinishStep(); !finished)
      return tl::make_unexpected(finished.error());
    return std::nullopt;
  }
  Result<std::optional<sql::Statement>> statement = ReadStatement();
  if (!statement) return tl::make_unexpected(statement.error());
  if (!*statement) return Changed();
  directives_ = outline_.DirectivesAt((*statement)->position.offset);
  const bool own_timeouts = directives_.lock_timeout || directives_.statement_timeout;
  if (!own_timeouts || step().single) return HandOut(**statement);
  held_ = **statement;
  own_sql_ = options_.timeouts.With(directives_).LocalSql();
  return OurOwn(own_sql_);
}

Result<std::optional<StreamStatement>> ScriptStream::HandOut(const sql::Statement& statement) {
  const sql::StatementFacts facts =
      sql::Classify(statement.text, options_.standard_conforming_strings);
  // Pass 1 let none through; the hash at the end would come too late for a COMMIT.
  if (!step().single && EndsTransaction(facts.transaction.verb)) return Changed();
  --left_;
  ++statements_;
  if (!outline_.is_one_transaction()) step_hash_.AddStatement(statement.text);
  // A single statement commits by itself: now or never.
  if (step().single && step_hash_.Hex() != step().sha256) return Changed();
  restore_timeouts_ = !step().single && (ChangesOurTimeouts(facts) || directives_.lock_timeout ||
                                         directives_.statement_timeout);
  copy_ended_ = !statement.copy_from_stdin;
  copied_ = 0;
  if (options_.progress != nullptr) {
    const SourcePosition at = script_.Locate(statement.position);
    options_.progress->BeginStatement(statements_, static_cast<int>(at.line));
  }
  return StreamStatement{.text = statement.text,
                         .position = statement.position,
                         .barrier_before = std::exchange(barrier_next_, facts.may_change_lexing) ||
                                           facts.may_change_lexing || statement.copy_from_stdin,
                         .copy_from_stdin = statement.copy_from_stdin};
}

Result<std::string_view> ScriptStream::NextCopyData() {
  while (!copy_ended_) {
    Result<std::optional<sql::Piece>> piece = splitter_.Next();
    if (!piece) return tl::make_unexpected(piece.error());
    const auto* data = *piece ? std::get_if<sql::CopyData>(&**piece) : nullptr;
    copy_ended_ = !*piece || (data != nullptr && data->last);
    if (data == nullptr || data->bytes.empty()) continue;
    if (!outline_.is_one_transaction()) step_hash_.AddCopyData(data->bytes);
    copied_ += data->bytes.size();
    if (options_.progress != nullptr) options_.progress->Copied(copied_);
    return data->bytes;
  }
  return std::string_view();
}

void ScriptStream::OnStandardConformingStrings(bool on) {
  options_.standard_conforming_strings = on;
  splitter_.SetStandardConformingStrings(on);
}

Result<void> ScriptStream::FinishStep() {
  if (!outline_.is_one_transaction() && step_hash_.Hex() != step().sha256) return Changed();
  if (step_ + 1 < outline_.steps.size()) return {};
  Result<std::optional<sql::Statement>> statement = ReadStatement();
  if (!statement) return tl::make_unexpected(statement.error());
  if (*statement || hashed_.Hex() != outline_.sha256) return Changed();
  return {};
}

tl::unexpected<Error> ScriptStream::Changed() const {
  const std::string& file = script_.file->path();
  const bool began = step_ > 0 || step().single;
  return tl::make_unexpected(Error{
      .kind = ErrorKind::kSourceChanged,
      .message =
          file + " changed while it was being run; " +
          (began ? "its steps from number " + std::to_string(step_ + 1) + " on were not applied"
                 : std::string("nothing of it was applied")),
      .position = SourcePosition{.file = file}});
}

}  // namespace whimbrel::engine
