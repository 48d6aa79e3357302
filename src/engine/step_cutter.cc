#include "engine/step_cutter.h"

#include <algorithm>
#include <utility>

#include "engine/verifier.h"
#include "whimbrel/sql/token.h"

namespace whimbrel::engine {

using sql::Directives;
using sql::SettingScope;
using sql::Statement;
using sql::StatementFacts;
using sql::TransactionMode;
using sql::TransactionVerb;

namespace {

tl::unexpected<Error> Refuse(const SourcePosition& at, std::string message) {
  return Fail(ErrorKind::kInvalidArgument, std::move(message), at);
}

bool IsPlainSet(const StatementFacts& facts) {
  return !facts.settings.empty() && facts.transaction.verb == TransactionVerb::kNone &&
         !facts.copy_from_stdin;
}

bool IsSetTransaction(const StatementFacts& facts) {
  return facts.settings.size() == 1 && facts.settings.front().name == "transaction" &&
         facts.settings.front().value.has_value();
}

bool ChangesSession(const StatementFacts& facts) {
  return IsPlainSet(facts) && std::any_of(facts.settings.begin(), facts.settings.end(),
                                          [](const sql::SettingChange& change) {
                                            return change.scope == SettingScope::kSession;
                                          });
}

/// CALL and DO: their bodies may commit, which no token shows.
bool MayCommitInside(std::string_view text, bool standard_conforming_strings) {
  sql::TokenReader reader(text, standard_conforming_strings);
  return reader.AcceptWord("call") || reader.AcceptWord("do");
}

/// A new enum value cannot be used by the transaction that adds it (55P04).
bool AddsEnumValue(std::string_view text, bool standard_conforming_strings) {
  sql::TokenReader reader(text, standard_conforming_strings);
  return reader.AcceptWord("alter") && reader.AcceptWord("type") && reader.AcceptQualifiedName() &&
         reader.AcceptWord("add") && reader.AcceptWord("value");
}

std::string CannotBeOne(std::string_view what, bool all) {
  return std::string(what) + (all ? ", but execution.transaction is All: use PerMigration, or move "
                                    "the statement out of the migrations"
                                  : ", but the file asks for transaction=one: drop that directive, "
                                    "or move the statement to a file of its own");
}

}  // namespace

Result<void> StepCutter::ReadDirectives(const Statement& statement, const StatementFacts& facts) {
  const bool is_first = std::exchange(is_first_, false);
  if (statement.leading_comment.empty()) return {};
  Result<sql::CommentDirectives> read =
      sql::ParseDirectives(statement.leading_comment, statement.position, is_first);
  if (!read) return tl::make_unexpected(std::move(read.error()));
  if (is_first) outline_.file = read->file;
  if (options_.transaction == TransactionMode::kOne &&
      outline_.file.transaction == TransactionMode::kNone) {
    return Refuse(statement.position, CannotBeOne("the file asks for transaction=none", true));
  }
  if (read->statement == Directives{}) return {};
  if (facts.transaction.verb != TransactionVerb::kNone) {
    return Refuse(statement.position,
                  "a `-- whimbrel:` directive for one statement stands before a statement that "
                  "begins or ends a transaction: put it before the statement that it is meant for, "
                  "or write `-- whimbrel: file …` at the beginning of the file");
  }
  outline_.directives.emplace(statement.position.offset, read->statement);
  return {};
}

TransactionMode StepCutter::ModeOf(const Directives& directives) const {
  for (TransactionMode mode : {directives.transaction, outline_.file.transaction}) {
    if (mode != TransactionMode::kDefault) return mode;
  }
  return options_.transaction;
}

Result<void> StepCutter::Add(const Statement& statement, const StatementFacts& facts,
                             bool standard_conforming_strings) {
  if (Result<void> read = ReadDirectives(statement, facts); !read) return read;
  if (facts.sets_read_only) {
    return Refuse(statement.position,
                  "the file makes its transaction READ ONLY, so that nothing could be recorded: "
                  "remove that");
  }
  if (facts.hazard == sql::SessionHazard::kReleasesAdvisoryLocks) {
    return Refuse(statement.position,
                  "this statement would release Whimbrel's own lock: remove it");
  }
  if (facts.transaction.verb != TransactionVerb::kNone && !facts.non_transactional)
    return AddControl(statement, facts.transaction);
  const bool leading = !step_ || (step_->only_settings && !step_->block_ended);
  if (IsSetTransaction(facts) && leading) {
    Open(statement.position).step.transaction_modes = *facts.settings.front().value;
    outline_.replaced.insert(statement.position.offset);
    return {};
  }
  const Directives directives = outline_.DirectivesAt(statement.position.offset);
  const bool alone = ModeOf(directives) == TransactionMode::kNone;
  const bool idempotent = directives.idempotent || outline_.file.idempotent;
  const bool single =
      facts.non_transactional || (alone && facts.non_transactional_if_partitioned) ||
      (alone && idempotent && MayCommitInside(statement.text, standard_conforming_strings));
  if (single) return AddSingle(statement, facts, directives, standard_conforming_strings);
  AddOrdinary(statement, facts, directives);
  if (step_ && !in_block_ && AddsEnumValue(statement.text, standard_conforming_strings)) {
    step_->traits.may_join_next = !step_->traits.is_block;
    Close();
  }
  return {};
}

Result<void> StepCutter::AddControl(const Statement& statement,
                                    const sql::TransactionControl& control) {
  switch (control.verb) {
    case TransactionVerb::kBegin:
      return BeginBlock(statement, control.modes);
    case TransactionVerb::kCommit:
      return CommitBlock(statement, control.chain);
    case TransactionVerb::kSavepoint:
    case TransactionVerb::kRelease:
    case TransactionVerb::kRollbackTo:
      AddOrdinary(statement, {}, {});
      return {};
    case TransactionVerb::kPrepareTransaction:
      return Refuse(statement.position,
                    "PREPARE TRANSACTION would hand the work to whoever commits it later, so that "
                    "nobody could say whether this migration is applied: remove it");
    default:
      return Refuse(statement.position,
                    "this statement takes back what the file did so far: remove it, with what it "
                    "takes back (ROLLBACK TO a savepoint is fine)");
  }
}

Result<void> StepCutter::BeginBlock(const Statement& statement, const std::string& modes) {
  if (in_block_) {
    return Refuse(statement.position, "BEGIN inside the transaction that the file began at line " +
                                          std::to_string(begin_.line) +
                                          ": COMMIT that one first, or remove this");
  }
  // Settings before the block take effect in it, as they would in psql.
  if (step_ && !(step_->only_settings && !step_->block_ended)) Close();
  in_block_ = true;
  begin_ = statement.position;
  OpenStep& step = Open(statement.position);
  step.traits.is_block = true;
  if (!modes.empty()) step.step.transaction_modes = modes;
  outline_.replaced.insert(statement.position.offset);
  return {};
}

Result<void> StepCutter::CommitBlock(const Statement& statement, bool chain) {
  if (!in_block_) {
    return Refuse(statement.position,
                  "COMMIT without a BEGIN before it: remove it (Whimbrel commits the file), or put "
                  "BEGIN where the transaction is to begin");
  }
  outline_.replaced.insert(statement.position.offset);
  step_->block_ended = true;
  in_block_ = false;
  if (!chain) return {};
  const std::string modes = step_->step.transaction_modes;
  Close();
  in_block_ = true;
  begin_ = statement.position;
  OpenStep& next = Open(statement.position);
  next.traits.is_block = true;
  next.step.transaction_modes = modes;
  return {};
}

Result<void> StepCutter::AddSingle(const Statement& statement, const StatementFacts& facts,
                                   const Directives& directives, bool standard_conforming_strings) {
  const std::string name = facts.non_transactional
                               ? std::string(sql::Describe(*facts.non_transactional).name)
                               : "a statement with transaction=none";
  if (in_block_) {
    return Refuse(statement.position,
                  name + " cannot run inside a transaction, and the file's own BEGIN at line " +
                      std::to_string(begin_.line) +
                      " is not committed before it: move it behind the COMMIT");
  }
  const bool all = options_.transaction == TransactionMode::kOne;
  if (all || outline_.file.transaction == TransactionMode::kOne)
    return Refuse(statement.position, CannotBeOne(name + " cannot run inside a transaction", all));
  auto verifier = MakeVerifier(statement.text, facts, standard_conforming_strings,
                               directives.idempotent || outline_.file.idempotent);
  if (!verifier) return Refuse(statement.position, std::move(verifier.error().message));
  Close();
  Open(statement.position).step.single = true;
  Append(statement, facts);
  Close();
  return {};
}

void StepCutter::AddOrdinary(const Statement& statement, const StatementFacts& facts,
                             const Directives& directives) {
  const bool setting = IsPlainSet(facts);
  const bool alone = !in_block_ && ModeOf(directives) == TransactionMode::kNone;
  if (step_ && !setting && (step_->block_ended || (alone && !step_->only_settings))) Close();
  Append(statement, facts);
  if (!setting) step_->only_settings = false;
  if (alone && !setting) Close();
}

void StepCutter::Append(const Statement& statement, const StatementFacts& facts) {
  OpenStep& open = Open(statement.position);
  open.hash.AddStatement(statement.text);
  ++open.step.statements;
  ++outline_.statements;
  if (ChangesSession(facts)) open.step.session_settings.emplace_back(statement.text);
  if (facts.session_state != sql::SessionState::kNone && !open.traits.session_state)
    open.traits.session_state = statement.position;
}

StepCutter::OpenStep& StepCutter::Open(const SourcePosition& position) {
  if (!step_) {
    step_ = OpenStep{};
    step_->step.position = position;
  }
  return *step_;
}

void StepCutter::Close() {
  if (!step_) return;
  step_->step.sha256 = step_->hash.Hex();
  outline_.steps.push_back(std::move(step_->step));
  traits_.push_back(std::move(step_->traits));
  step_.reset();
}

/// A file is one transaction unless something in it rules that out.
void StepCutter::JoinSteps() {
  std::vector<ScriptStep>& steps = outline_.steps;
  const bool joinable = steps.size() > 1 &&
                        std::all_of(traits_.begin(), traits_.end() - 1,
                                    [](const Traits& traits) { return traits.may_join_next; }) &&
                        !traits_.back().is_block && !steps.back().single &&
                        steps.back().transaction_modes.empty();
  if (!joinable) return;
  for (std::size_t i = 1; i < steps.size(); ++i) steps[0].statements += steps[i].statements;
  steps.resize(1);
}

Result<void> StepCutter::CheckSteps() const {
  const bool all = options_.transaction == TransactionMode::kOne;
  if (all && !outline_.steps.front().transaction_modes.empty()) {
    return Refuse(outline_.steps.front().position,
                  "the file asks for a transaction of its own kind (" +
                      outline_.steps.front().transaction_modes +
                      "), but execution.transaction is All: use PerMigration, or remove that");
  }
  if (outline_.steps.size() < 2) return {};
  if (all || outline_.file.transaction == TransactionMode::kOne) {
    return Refuse(outline_.steps[1].position,
                  CannotBeOne("a second transaction of the file begins here", all));
  }
  for (std::size_t i = 0; i + 1 < traits_.size(); ++i) {
    if (!traits_[i].session_state) continue;
    return Refuse(*traits_[i].session_state,
                  "this lives in the session (a temporary table, PREPARE, a held cursor, LISTEN), "
                  "but the file is not one transaction, and when it is resumed after a crash its "
                  "later statements would miss it: use an ordinary table, or give the statements "
                  "that cannot run in a transaction a file of their own");
  }
  return {};
}

Result<ScriptOutline> StepCutter::Finish() && {
  if (in_block_) {
    return Refuse(begin_,
                  "the file begins a transaction of its own that it never commits: end it with "
                  "COMMIT, or drop the BEGIN (Whimbrel runs each file in one transaction)");
  }
  Close();
  if (outline_.steps.empty()) outline_.steps.emplace_back().sha256 = StepHash().Hex();
  JoinSteps();
  if (Result<void> safe = CheckSteps(); !safe) return tl::make_unexpected(std::move(safe.error()));
  return std::move(outline_);
}

}  // namespace whimbrel::engine
