#include "sql/session_effects.h"

namespace whimbrel::sql {
namespace {

bool AcceptTemporary(TokenReader& reader) {
  if (!reader.AcceptWord("local")) reader.AcceptWord("global");
  return reader.AcceptWord("temporary") || reader.AcceptWord("temp");
}

/// CREATE TEMPORARY …, or anything in the schema pg_temp; `reader` stands behind CREATE.
bool CreatesTemporary(TokenReader& reader) {
  if (reader.AcceptWord("or")) reader.AcceptWord("replace");
  if (AcceptTemporary(reader)) return true;
  // The object's name stands before the first parenthesis, AS or ON.
  while (reader.Peek().has_value() && !reader.Peek()->IsPunctuation('(') &&
         !reader.Peek()->IsWord("as") && !reader.Peek()->IsWord("on")) {
    const bool schema = reader.Next()->Name() == "pg_temp";
    if (schema && reader.AcceptPunctuation('.')) return true;
  }
  return false;
}

bool IsHeldCursor(TokenReader& reader) {
  reader.Next();  // Its name.
  while (reader.Peek().has_value() && !reader.Peek()->IsWord("for")) {
    if (reader.AcceptWord("with")) return reader.AcceptWord("hold");
    reader.Next();
  }
  return false;
}

}  // namespace

SessionState FindSessionState(TokenReader reader) {
  if (reader.AcceptWord("create")) {
    return CreatesTemporary(reader) ? SessionState::kTemporaryObject : SessionState::kNone;
  }
  if (reader.AcceptWord("select") || reader.AcceptWord("with")) {
    // SELECT … INTO TEMPORARY t
    return reader.SkipToWord("into") && AcceptTemporary(reader) ? SessionState::kTemporaryObject
                                                                : SessionState::kNone;
  }
  if (reader.AcceptWord("prepare")) {
    const bool transaction = reader.AcceptWord("transaction") && reader.Peek().has_value() &&
                             reader.Peek()->kind == TokenKind::kString;
    return transaction ? SessionState::kNone : SessionState::kPreparedStatement;
  }
  if (reader.AcceptWord("declare"))
    return IsHeldCursor(reader) ? SessionState::kHeldCursor : SessionState::kNone;
  return reader.AcceptWord("listen") ? SessionState::kListen : SessionState::kNone;
}

bool TouchesAllTables(TokenReader reader) {
  if (reader.AcceptWord("reindex")) {
    reader.AcceptParentheses();
    return reader.AcceptWord("schema") || reader.AcceptWord("database") ||
           reader.AcceptWord("system");
  }
  const bool vacuum = reader.AcceptWord("vacuum");
  if (!vacuum && !reader.AcceptWord("analyze") && !reader.AcceptWord("analyse") &&
      !reader.AcceptWord("cluster")) {
    return false;
  }
  reader.AcceptParentheses();
  for (std::string_view option : {"full", "freeze", "verbose", "analyze", "analyse"}) {
    if (vacuum || option == "verbose") reader.AcceptWord(option);
  }
  return !reader.Peek().has_value();
}

bool IsNonTransactionalIfPartitioned(TokenReader reader) {
  if (reader.AcceptWord("cluster")) {
    reader.AcceptParentheses();
    reader.AcceptWord("verbose");
    return reader.Peek().has_value();
  }
  if (!reader.AcceptWord("reindex")) return false;
  reader.AcceptParentheses();
  return reader.AcceptWord("table") || reader.AcceptWord("index");
}

}  // namespace whimbrel::sql
