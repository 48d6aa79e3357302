#include "whimbrel/sql/statement_facts.h"

#include <algorithm>
#include <array>

#include "sql/copy_statement.h"
#include "sql/non_transactional.h"
#include "sql/session_effects.h"
#include "sql/settings.h"
#include "sql/transaction_control.h"
#include "whimbrel/sql/token.h"

namespace whimbrel::sql {
namespace {

/// Statements that evaluate the expressions in them now. CREATE FUNCTION, CREATE VIEW and the like
/// keep them for later.
bool EvaluatesExpressions(TokenReader reader) {
  static constexpr std::array<std::string_view, 13> kVerbs = {
      "select", "insert", "update",  "delete",  "merge",   "with",  "values",
      "call",   "copy",   "explain", "declare", "prepare", "create"};
  if (reader.Peek().has_value() && reader.Peek()->IsPunctuation('(')) return true;
  const auto* verb = std::find_if(kVerbs.begin(), kVerbs.end(), [&reader](std::string_view word) {
    return reader.AcceptWord(word);
  });
  if (verb == kVerbs.end()) return false;
  if (*verb != "create") return true;
  static constexpr std::array<std::string_view, 5> kModifiers = {"global", "local", "temporary",
                                                                 "temp", "unlogged"};
  for (std::string_view word : kModifiers) reader.AcceptWord(word);
  return reader.AcceptWord("materialized") ||
         (reader.AcceptWord("table") && reader.SkipToWord("as"));
}

/// Calls `visit` with the name of each function that is called, without its schema.
template <class Visitor>
void ForEachCall(TokenReader reader, Visitor visit) {
  std::optional<Token> name;  // The last part of a name, when the token before was one.
  bool is_relation =
      false;  // The name follows INTO or TABLE: `INSERT INTO f (column)` calls nothing.
  bool names_relation = false;
  while (const std::optional<Token> token = reader.Next()) {
    const bool part_of_name =
        token->kind == TokenKind::kWord || token->kind == TokenKind::kQuotedIdentifier;
    if (part_of_name) {
      is_relation = names_relation;
      names_relation = token->IsWord("into") || token->IsWord("table") || token->IsWord("exists");
      name = token;
    } else if (token->IsPunctuation('.')) {
      names_relation = is_relation;
    } else {
      if (token->IsPunctuation('(') && name.has_value() && !is_relation) visit(name->Name());
      name.reset();
      is_relation = names_relation = false;
    }
  }
}

void AddCalls(const TokenReader& reader, StatementFacts& facts) {
  if (!EvaluatesExpressions(reader)) return;
  ForEachCall(reader, [&facts](std::string_view function) {
    if (function == "set_config" && facts.settings.empty()) facts.may_change_lexing = true;
    if (function == "pg_advisory_unlock_all") facts.hazard = SessionHazard::kReleasesAdvisoryLocks;
    if (const auto rule = FindNonTransactionalFunction(function)) facts.non_transactional = rule;
  });
}

/// Statements of which one cannot see what they run.
bool IsOpaque(TokenReader reader) {
  return reader.AcceptWord("do") || reader.AcceptWord("call") || reader.AcceptWord("execute");
}

/// Whether SET may be undone or SET LOCAL end.
bool RestoresSettings(TransactionVerb verb) {
  return verb == TransactionVerb::kCommit || verb == TransactionVerb::kRollback ||
         verb == TransactionVerb::kRollbackTo || verb == TransactionVerb::kPrepareTransaction;
}

}  // namespace

StatementFacts Classify(std::string_view statement, bool standard_conforming_strings) {
  const TokenReader reader(statement, standard_conforming_strings);
  StatementFacts facts;
  facts.transaction = FindTransactionControl(reader);
  facts.non_transactional = FindNonTransactional(reader);
  facts.non_transactional_if_partitioned =
      !facts.non_transactional.has_value() && IsNonTransactionalIfPartitioned(reader);
  facts.settings = FindSettings(reader);
  const CopyStream copy = FindCopyStream(statement, standard_conforming_strings);
  facts.copy_from_stdin = copy == CopyStream::kFromStdin;
  facts.copy_to_stdout = copy == CopyStream::kToStdout;
  facts.sets_read_only = AreReadOnlyModes(facts.transaction.modes) ||
                         std::any_of(facts.settings.begin(), facts.settings.end(), MakesReadOnly);
  facts.touches_all_tables = TouchesAllTables(reader);
  facts.session_state = FindSessionState(reader);
  const bool discards_all = facts.non_transactional == NonTransactional::kDiscardAll;
  if (discards_all) facts.hazard = SessionHazard::kReleasesAdvisoryLocks;
  facts.may_change_lexing =
      discards_all || IsOpaque(reader) || RestoresSettings(facts.transaction.verb) ||
      std::any_of(facts.settings.begin(), facts.settings.end(), ChangesLexing);
  AddCalls(reader, facts);
  return facts;
}

bool StandardConformingStringsAfter(const StatementFacts& facts, bool now, bool session_default) {
  if (facts.non_transactional == NonTransactional::kDiscardAll) return session_default;
  for (const SettingChange& change : facts.settings) {
    if (change.name != "standard_conforming_strings" && change.name != "all") continue;
    now = change.value.has_value() ? ParseBoolean(*change.value).value_or(now) : session_default;
  }
  return now;
}

std::optional<bool> ParseBoolean(std::string_view value) {
  // As parse_bool_with_len (src/backend/utils/adt/bool.c): any unambiguous beginning, in any case.
  std::string lower(value);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (lower.empty() || lower == "o") return std::nullopt;
  for (std::string_view word : {"true", "yes", "on", "1"}) {
    if (word.starts_with(lower)) return true;
  }
  for (std::string_view word : {"false", "no", "off", "0"}) {
    if (word.starts_with(lower)) return false;
  }
  return std::nullopt;
}

}  // namespace whimbrel::sql
