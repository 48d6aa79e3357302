#include "engine/script_outline.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/hashing_byte_source.h"
#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/statement_splitter.h"

namespace whimbrel::engine {

using sql::StatementFacts;
using sql::TransactionVerb;

namespace {

tl::unexpected<Error> Refuse(const SourcePosition& at, std::string message) {
  return Fail(ErrorKind::kInvalidArgument, std::move(message), at);
}

tl::unexpected<Error> SourceChanged(const std::string& path) {
  return Fail(ErrorKind::kSourceChanged,
              path + " changed while it was being read; nothing of it was applied",
              SourcePosition{.file = path});
}

/// A file that was there when the source was opened and is gone now has changed, too.
tl::unexpected<Error> AsChange(Error error, const std::string& path) {
  if (error.kind == ErrorKind::kNotFound) return SourceChanged(path);
  return tl::make_unexpected(std::move(error));
}

bool IsPlainSet(const StatementFacts& facts) {
  return !facts.settings.empty() && facts.transaction.verb == TransactionVerb::kNone &&
         !facts.copy_from_stdin;
}

bool IsSetTransaction(const StatementFacts& facts) {
  return facts.settings.size() == 1 && facts.settings.front().name == "transaction" &&
         facts.settings.front().value.has_value();
}

/// Follows the statements of one file and notes where its own transaction begins and ends.
class Outliner {
 public:
  Result<void> Add(const sql::Statement& statement, const StatementFacts& facts) {
    if (Result<void> safe = CheckStatement(statement, facts); !safe) return safe;
    if (facts.transaction.verb != TransactionVerb::kNone)
      return AddControl(statement, facts.transaction);
    if (IsSetTransaction(facts) && !ran_anything_) {
      outline_.transaction_modes = *facts.settings.front().value;
      outline_.set_transaction_offset = statement.position.offset;
      return {};
    }
    return AddOrdinary(statement, facts);
  }

  Result<ScriptOutline> Finish() && {
    if (began_ && !committed_) {
      return Refuse(begin_,
                    "the file begins a transaction of its own that it never commits: end it with "
                    "COMMIT, or drop the "
                    "BEGIN (Whimbrel runs each file in one transaction)");
    }
    return std::move(outline_);
  }

 private:
  Result<void> CheckStatement(const sql::Statement& statement, const StatementFacts& facts) const {
    if (facts.non_transactional) {
      const auto& rule = sql::Describe(*facts.non_transactional);
      return Refuse(statement.position,
                    std::string(rule.name) + " cannot run inside a transaction (" +
                        std::string(rule.why) +
                        "), and this version of Whimbrel runs each file in one; move it out of the "
                        "migrations, or use the form that can run in a transaction");
    }
    if (facts.sets_read_only) {
      return Refuse(statement.position,
                    "the file makes its transaction READ ONLY, so that nothing could be recorded: "
                    "remove that");
    }
    if (facts.hazard == sql::SessionHazard::kReleasesAdvisoryLocks) {
      return Refuse(statement.position,
                    "this statement would release Whimbrel's own lock: remove it");
    }
    return {};
  }

  Result<void> AddControl(const sql::Statement& statement, const sql::TransactionControl& control) {
    switch (control.verb) {
      case TransactionVerb::kBegin:
        if (began_) return Refuse(statement.position, OnePairOnly("a second BEGIN"));
        if (ran_anything_)
          return Refuse(statement.position, OnePairOnly("statements before its BEGIN"));
        began_ = true;
        begin_ = statement.position;
        outline_.begin_offset = statement.position.offset;
        outline_.transaction_modes = control.modes;
        return {};
      case TransactionVerb::kCommit:
        if (!began_)
          return Refuse(statement.position,
                        "COMMIT without a BEGIN before it: remove it (Whimbrel commits the file)");
        if (control.chain) return Refuse(statement.position, OnePairOnly("COMMIT AND CHAIN"));
        if (committed_) return Refuse(statement.position, OnePairOnly("a second COMMIT"));
        committed_ = true;
        outline_.commit_offset = statement.position.offset;
        return {};
      case TransactionVerb::kSavepoint:
      case TransactionVerb::kRelease:
      case TransactionVerb::kRollbackTo:
        return AddOrdinary(statement, {});
      default:
        return Refuse(
            statement.position,
            "this statement ends the transaction in which Whimbrel runs the file: remove it");
    }
  }

  Result<void> AddOrdinary(const sql::Statement& statement, const StatementFacts& facts) {
    const bool plain_set = IsPlainSet(facts);
    if (committed_ && !plain_set)
      return Refuse(statement.position, OnePairOnly("statements after its COMMIT"));
    // SET before BEGIN may stand outside the pair; anything else makes a later BEGIN a second
    // transaction.
    if (!plain_set) ran_anything_ = true;
    ++outline_.statements;
    return {};
  }

  static std::string OnePairOnly(std::string_view what) {
    return "the file has " + std::string(what) +
           ": this version of Whimbrel takes one BEGIN … COMMIT pair around the whole file (it "
           "runs the file in one "
           "transaction of its own); split the file, or remove its transaction control";
  }

  ScriptOutline outline_;
  SourcePosition begin_;
  bool began_ = false;
  bool committed_ = false;
  bool ran_anything_ = false;
};

}  // namespace

Result<ScriptOutline> OutlineScript(const migration::Script& script,
                                    bool standard_conforming_strings) {
  Result<std::unique_ptr<ByteSource>> bytes = script.Open();
  if (!bytes) return tl::make_unexpected(bytes.error());
  HashingByteSource hashed(**bytes);
  sql::StatementSplitter splitter(hashed,
                                  {.file = script.file->path(),
                                   .standard_conforming_strings = standard_conforming_strings,
                                   .start = script.start});
  bool strings = standard_conforming_strings;
  Outliner outliner;
  while (true) {
    Result<std::optional<sql::Piece>> piece = splitter.Next();
    if (!piece) return tl::make_unexpected(piece.error());
    if (!*piece) break;
    const auto* statement = std::get_if<sql::Statement>(&**piece);
    if (statement == nullptr) continue;
    const StatementFacts facts = sql::Classify(statement->text, strings);
    if (Result<void> added = outliner.Add(*statement, facts); !added)
      return tl::make_unexpected(added.error());
    for (const sql::SettingChange& change : facts.settings) {
      if (change.name != "standard_conforming_strings" || !change.value) continue;
      strings = sql::ParseBoolean(*change.value).value_or(strings);
      splitter.SetStandardConformingStrings(strings);
    }
  }
  Result<ScriptOutline> outline = std::move(outliner).Finish();
  if (outline) outline->sha256 = hashed.Hex();
  return outline;
}

Result<void> CheckUnchanged(const migration::ResolvedMigration& migration) {
  Result<std::unique_ptr<ByteSource>> bytes = migration.up.Open();
  if (!bytes) return AsChange(bytes.error(), migration.path);
  HashingByteSource hashed(**bytes);
  while (true) {
    Result<std::string_view> piece = hashed.Read();
    if (!piece) return AsChange(piece.error(), migration.path);
    if (piece->empty()) break;
  }
  if (hashed.Hex() == migration.raw_sum) return {};
  return SourceChanged(migration.path);
}

Result<ScriptOutline> OutlineMigration(const migration::ResolvedMigration& migration,
                                       bool standard_conforming_strings) {
  Result<ScriptOutline> outline = OutlineScript(migration.up, standard_conforming_strings);
  if (outline && outline->sha256 == migration.raw_sum) return outline;
  if (outline) return SourceChanged(migration.path);
  if (Result<void> same = CheckUnchanged(migration); !same)
    return tl::make_unexpected(std::move(same.error()));
  return outline;
}

}  // namespace whimbrel::engine
