#include <algorithm>
#include <string>
#include <tuple>

#include "fuzz/fuzz.h"
#include "unit/sql/splitting.h"
#include "whimbrel/sql/statement_target.h"
#include "whimbrel/sql/token.h"

// Tokens lie in the text, one after the other; what a statement is depends neither on comments nor
// on the case of its words.
namespace whimbrel::fuzz {
namespace {

using sql::StatementFacts;
using sql::TokenKind;

/// The facts that are not quoted from the text.
auto KeyOf(const StatementFacts& facts) {
  std::string settings;
  for (const sql::SettingChange& change : facts.settings) {
    settings += change.name + (change.scope == sql::SettingScope::kSession ? ";" : " local;");
  }
  return std::tuple(facts.transaction.verb, facts.transaction.chain, facts.non_transactional,
                    facts.non_transactional_if_partitioned, facts.may_change_lexing, settings,
                    facts.copy_from_stdin, facts.copy_to_stdout, facts.sets_read_only,
                    facts.touches_all_tables, facts.session_state, facts.hazard);
}

/// The tokens with other text between them, and with other words.
struct Rewritten {
  std::string with_comments;
  std::string in_capitals;
};

Rewritten RewriteTokens(std::string_view text, bool standard) {
  Rewritten rewritten;
  const char* end = text.data();
  sql::TokenReader reader(text, standard);
  while (const std::optional<sql::Token> token = reader.Next()) {
    Require(!token->text.empty() && token->text.data() >= end, "tokens follow each other");
    end = token->text.data() + token->text.size();
    Require(end <= text.data() + text.size(), "tokens lie in the text");
    rewritten.with_comments.append(token->text).append(" /* ' ; */ -- $$\n");
    std::string other(token->text);
    if (token->kind == TokenKind::kWord) {
      std::ranges::transform(other, other.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      });
    }
    rewritten.in_capitals.append(other).append(" ");
  }
  return rewritten;
}

/// What is read of every statement, whatever it is.
void ReadTargets(std::string_view text, bool standard) {
  (void)sql::ReadCreateIndex(text, standard);
  (void)sql::ReadDrop(text, standard);
  (void)sql::ReadReindex(text, standard);
  (void)sql::ReadDetach(text, standard);
  (void)sql::ReadCreate(text, standard);
  (void)sql::ReadDatabaseTablespace(text, standard);
  (void)sql::ReadSubscription(text, standard);
  (void)sql::ReadPreparedTransaction(text, standard);
  (void)sql::ReadCall(text, standard);
  (void)sql::ReadMaterializedView(text, standard);
  (void)sql::ReadExtensionUpdate(text, standard);
}

void TryUnder(std::string_view input, bool standard) {
  const StatementFacts facts = sql::Classify(input, standard);
  ReadTargets(input, standard);
  const Rewritten rewritten = RewriteTokens(input, standard);
  sql::SplitOptions options;
  options.standard_conforming_strings = standard;
  const sql::Splitting splitting = sql::Split(input, options);
  if (!splitting.error.empty() || sql::CountStatements(splitting) != 1) return;
  Require(KeyOf(sql::Classify(rewritten.with_comments, standard)) == KeyOf(facts),
          "comments do not matter", rewritten.with_comments);
  Require(KeyOf(sql::Classify(rewritten.in_capitals, standard)) == KeyOf(facts),
          "the case of words does not matter", rewritten.in_capitals);
}

}  // namespace

void Try(std::string_view input) {
  TryUnder(input, true);
  TryUnder(input, false);
}

}  // namespace whimbrel::fuzz
