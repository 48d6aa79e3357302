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
                                                         bool standard_conforming_strings,
                                                         std::string timeouts_sql) {
  Result<std::unique_ptr<ByteSource>> bytes = script.Open();
  if (!bytes) return tl::make_unexpected(bytes.error());
  return std::unique_ptr<ScriptStream>(new ScriptStream(
      std::move(*bytes), script, outline, standard_conforming_strings, std::move(timeouts_sql)));
}

ScriptStream::ScriptStream(std::unique_ptr<ByteSource> bytes, const migration::Script& script,
                           const ScriptOutline& outline, bool standard_conforming_strings,
                           std::string timeouts_sql)
    : bytes_(std::move(bytes)),
      hashed_(*bytes_),
      outline_(outline),
      file_(script.file->path()),
      splitter_(hashed_, {.file = file_,
                          .standard_conforming_strings = standard_conforming_strings,
                          .start = script.start}),
      timeouts_sql_(std::move(timeouts_sql)),
      standard_conforming_strings_(standard_conforming_strings) {}

Result<std::optional<sql::Statement>> ScriptStream::NextStatement() {
  while (true) {
    Result<std::optional<sql::Piece>> piece = splitter_.Next();
    if (!piece) return tl::make_unexpected(piece.error());
    if (!*piece) return std::nullopt;
    const auto* statement = std::get_if<sql::Statement>(&**piece);
    if (statement == nullptr || outline_.Replaces(statement->position.offset)) continue;
    return *statement;
  }
}

Result<std::optional<StreamStatement>> ScriptStream::Next() {
  if (std::exchange(restore_timeouts_, false)) {
    return StreamStatement{.text = timeouts_sql_, .position = {.file = file_}};
  }
  Result<std::optional<sql::Statement>> statement = NextStatement();
  if (!statement) return tl::make_unexpected(statement.error());
  if (!*statement) {
    if (Result<void> same = CheckUnchanged(); !same) return tl::make_unexpected(same.error());
    return std::nullopt;
  }
  const sql::StatementFacts facts = sql::Classify((*statement)->text, standard_conforming_strings_);
  // Pass 1 let none through; the hash at the end would come too late for a COMMIT.
  if (EndsTransaction(facts.transaction.verb)) return tl::make_unexpected(Changed());
  restore_timeouts_ = ChangesOurTimeouts(facts);
  ++statements_;
  copy_ended_ = !(*statement)->copy_from_stdin;
  StreamStatement next{.text = (*statement)->text,
                       .position = std::move((*statement)->position),
                       .barrier_before = std::exchange(barrier_next_, facts.may_change_lexing) ||
                                         facts.may_change_lexing || (*statement)->copy_from_stdin,
                       .copy_from_stdin = (*statement)->copy_from_stdin};
  return next;
}

Result<std::string_view> ScriptStream::NextCopyData() {
  while (!copy_ended_) {
    Result<std::optional<sql::Piece>> piece = splitter_.Next();
    if (!piece) return tl::make_unexpected(piece.error());
    const auto* data = *piece ? std::get_if<sql::CopyData>(&**piece) : nullptr;
    copy_ended_ = !*piece || (data != nullptr && data->last);
    if (data != nullptr && !data->bytes.empty()) return data->bytes;
  }
  return std::string_view();
}

void ScriptStream::OnStandardConformingStrings(bool on) {
  standard_conforming_strings_ = on;
  splitter_.SetStandardConformingStrings(on);
}

Result<void> ScriptStream::CheckUnchanged() const {
  if (hashed_.Hex() == outline_.sha256) return {};
  return tl::make_unexpected(Changed());
}

Error ScriptStream::Changed() const {
  return {.kind = ErrorKind::kSourceChanged,
          .message = file_ + " changed while it was being run; nothing of it was applied",
          .position = SourcePosition{.file = file_}};
}

}  // namespace whimbrel::engine
