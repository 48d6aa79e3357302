#include "whimbrel/sql/statement_target.h"

#include <utility>

#include "sql/options.h"
#include "whimbrel/sql/token.h"

namespace whimbrel::sql {
namespace {

/// nullopt, and nothing stepped over, when no name follows that we can read.
std::optional<std::string> ReadIdentifier(TokenReader& reader) {
  if (!reader.Peek().has_value()) return std::nullopt;
  const Token& token = *reader.Peek();
  const bool escaped = token.kind == TokenKind::kQuotedIdentifier && !token.text.starts_with('"');
  std::string name = token.Name();
  if (name.empty() || escaped) return std::nullopt;
  reader.Next();
  return name;
}

std::optional<ObjectName> ReadName(TokenReader& reader) {
  ObjectName name;
  do {
    std::optional<std::string> part = ReadIdentifier(reader);
    if (!part.has_value()) return std::nullopt;
    name.parts.push_back(std::move(*part));
  } while (reader.AcceptPunctuation('.'));
  return name;
}

std::optional<std::string> ReadLiteral(TokenReader& reader) {
  const std::optional<Token> token = reader.Next();
  return token.has_value() ? token->StringValue() : std::nullopt;
}

/// Steps over all of the words, or over none.
bool AcceptAll(TokenReader& reader, std::initializer_list<std::string_view> words) {
  TokenReader ahead = reader;
  for (std::string_view word : words) {
    if (!ahead.AcceptWord(word)) return false;
  }
  reader = ahead;
  return true;
}

/// `ONLY t`, `ONLY (t)`, `t *`, `t`.
std::optional<ObjectName> ReadRelation(TokenReader& reader) {
  const bool parentheses = reader.AcceptWord("only") && reader.AcceptPunctuation('(');
  std::optional<ObjectName> name = ReadName(reader);
  if (parentheses) reader.AcceptPunctuation(')');
  if (reader.Peek().has_value() && reader.Peek()->text == "*") reader.Next();
  return name;
}

std::string_view Between(std::string_view from, std::string_view to) {
  return from.substr(0, static_cast<std::size_t>(to.data() - from.data()));
}

/// Steps over `( option, … )` and gives it without the options of TimescaleDB; empty when none is
/// left.
std::string WithoutTimescaleOptions(TokenReader& reader) {
  std::string kept;
  reader.AcceptPunctuation('(');
  while (reader.Peek().has_value() && !reader.AcceptPunctuation(')')) {
    const std::string_view begin = reader.Rest();
    const std::string qualifier = reader.Next()->Name();
    const bool own = (qualifier == "timescaledb" || qualifier == "tsdb") &&
                     reader.Peek().has_value() && reader.Peek()->IsPunctuation('.');
    while (reader.Peek().has_value() && !reader.Peek()->IsPunctuation(',') &&
           !reader.Peek()->IsPunctuation(')')) {
      if (!reader.AcceptParentheses()) reader.Next();
    }
    if (!own) kept.append(kept.empty() ? "" : ", ").append(Between(begin, reader.Rest()));
    reader.AcceptPunctuation(',');
  }
  return kept.empty() ? kept : "(" + kept + ")";
}

/// What is left of CREATE INDEX behind the table's name.
void ReadIndexDefinition(TokenReader& reader, CreateIndexTarget& target) {
  std::string_view rest = reader.Rest();
  while (reader.Peek().has_value() && !reader.Peek()->IsWord("where")) {
    const std::string_view here = reader.Rest();
    if (reader.AcceptWord("with")) {
      target.definition += Between(rest, here);
      const std::string options = WithoutTimescaleOptions(reader);
      if (!options.empty()) target.definition += "WITH " + options + " ";
      rest = reader.Rest();
    } else if (reader.AcceptWord("tablespace")) {
      target.has_tablespace = true;
    } else if (!reader.AcceptParentheses()) {
      reader.Next();
    }
  }
  target.definition += rest;
  const std::size_t end = target.definition.find_last_not_of(" \t\n\r\f\v");
  target.definition.resize(end == std::string::npos ? 0 : end + 1);
}

/// The owner in `OWNER [=] role`; the reader stands behind OWNER. nullopt for the current role.
std::optional<std::string> ReadOwner(TokenReader& reader) {
  if (reader.Peek().has_value() && reader.Peek()->text == "=") reader.Next();
  const std::optional<Token> token = reader.Next();
  if (!token.has_value() || token->IsWord("current_user") || token->IsWord("current_role") ||
      token->IsWord("default")) {
    return std::nullopt;
  }
  return ValueOf(*token);
}

std::vector<std::string> ReadPublications(TokenReader& reader) {
  std::vector<std::string> names;
  do {
    std::optional<std::string> name = ReadIdentifier(reader);
    if (!name.has_value()) return {};
    names.push_back(std::move(*name));
  } while (reader.AcceptPunctuation(','));
  return names;
}

/// An argument's literal, perhaps with a cast; steps up to the comma or parenthesis behind it.
std::optional<std::string> ReadArgument(TokenReader& reader) {
  std::optional<std::string> value = reader.Peek()->StringValue();
  if (value.has_value()) reader.Next();
  bool cast = false;
  while (reader.Peek().has_value() && !reader.Peek()->IsPunctuation(',') &&
         !reader.Peek()->IsPunctuation(')')) {
    cast = cast || reader.Peek()->IsPunctuation(':');
    if (!cast) value.reset();
    if (!reader.AcceptParentheses()) reader.Next();
  }
  return value;
}

/// `f(…) [[AS] alias]`, and nothing behind it.
std::optional<CallTarget> ReadLastCall(TokenReader reader) {
  const std::optional<ObjectName> function = ReadName(reader);
  if (!function.has_value() || !reader.AcceptPunctuation('(')) return std::nullopt;
  CallTarget call{.function = function->base()};
  while (reader.Peek().has_value() && !reader.AcceptPunctuation(')')) {
    call.arguments.push_back(ReadArgument(reader));
    reader.AcceptPunctuation(',');
  }
  reader.AcceptWord("as");
  ReadIdentifier(reader);
  if (reader.Peek().has_value()) return std::nullopt;
  return call;
}

}  // namespace

std::optional<CreateIndexTarget> ReadCreateIndex(std::string_view statement,
                                                 bool standard_conforming_strings) {
  TokenReader reader(statement, standard_conforming_strings);
  CreateIndexTarget target;
  if (!reader.AcceptWord("create")) return std::nullopt;
  target.unique = reader.AcceptWord("unique");
  if (!reader.AcceptWord("index")) return std::nullopt;
  reader.AcceptWord("concurrently");
  target.if_not_exists = AcceptAll(reader, {"if", "not", "exists"});
  if (!reader.AcceptWord("on")) {
    target.name = ReadIdentifier(reader);
    if (!target.name.has_value() || !reader.AcceptWord("on")) return std::nullopt;
  }
  std::optional<ObjectName> table = ReadRelation(reader);
  if (!table.has_value()) return std::nullopt;
  target.table = std::move(*table);
  ReadIndexDefinition(reader, target);
  return target;
}

std::optional<DropTarget> ReadDrop(std::string_view statement, bool standard_conforming_strings) {
  TokenReader reader(statement, standard_conforming_strings);
  if (!reader.AcceptWord("drop")) return std::nullopt;
  if (!AcceptAll(reader, {"index", "concurrently"}) && !reader.AcceptWord("database") &&
      !reader.AcceptWord("tablespace") && !reader.AcceptWord("subscription")) {
    return std::nullopt;
  }
  const bool if_exists = AcceptAll(reader, {"if", "exists"});
  std::optional<ObjectName> name = ReadName(reader);
  if (!name.has_value() || reader.AcceptPunctuation(',')) return std::nullopt;
  return DropTarget{.name = std::move(*name), .if_exists = if_exists};
}

std::optional<ReindexTarget> ReadReindex(std::string_view statement,
                                         bool standard_conforming_strings) {
  static constexpr std::pair<std::string_view, ReindexKind> kKinds[] = {
      {"index", ReindexKind::kIndex},
      {"table", ReindexKind::kTable},
      {"schema", ReindexKind::kSchema},
      {"database", ReindexKind::kDatabase},
      {"system", ReindexKind::kSystem}};
  TokenReader reader(statement, standard_conforming_strings);
  if (!reader.AcceptWord("reindex")) return std::nullopt;
  reader.AcceptParentheses();
  for (const auto& [word, kind] : kKinds) {
    if (!reader.AcceptWord(word)) continue;
    reader.AcceptWord("concurrently");
    ReindexTarget target{.kind = kind, .name = std::nullopt};
    const bool may_end = kind == ReindexKind::kDatabase || kind == ReindexKind::kSystem;
    if (may_end && !reader.Peek().has_value()) return target;
    target.name = ReadName(reader);
    if (!target.name.has_value()) return std::nullopt;
    return target;
  }
  return std::nullopt;
}

std::optional<DetachTarget> ReadDetach(std::string_view statement,
                                       bool standard_conforming_strings) {
  TokenReader reader(statement, standard_conforming_strings);
  if (!AcceptAll(reader, {"alter", "table"})) return std::nullopt;
  AcceptAll(reader, {"if", "exists"});
  std::optional<ObjectName> table = ReadRelation(reader);
  if (!table.has_value() || !AcceptAll(reader, {"detach", "partition"})) return std::nullopt;
  std::optional<ObjectName> partition = ReadName(reader);
  if (!partition.has_value()) return std::nullopt;
  return DetachTarget{.table = std::move(*table), .partition = std::move(*partition)};
}

std::optional<CreateTarget> ReadCreate(std::string_view statement,
                                       bool standard_conforming_strings) {
  TokenReader reader(statement, standard_conforming_strings);
  const bool database = AcceptAll(reader, {"create", "database"});
  if (!database && !AcceptAll(reader, {"create", "tablespace"})) return std::nullopt;
  std::optional<std::string> name = ReadIdentifier(reader);
  if (!name.has_value()) return std::nullopt;
  CreateTarget target{.name = std::move(*name)};
  while (reader.Peek().has_value()) {
    if (reader.AcceptWord("owner")) {
      target.owner = ReadOwner(reader);
    } else if (!database && reader.AcceptWord("location")) {
      target.location = ReadLiteral(reader);
      if (!target.location.has_value()) return std::nullopt;
    } else if (!reader.AcceptParentheses()) {
      reader.Next();
    }
  }
  return target;
}

std::optional<DatabaseTablespaceTarget> ReadDatabaseTablespace(std::string_view statement,
                                                               bool standard_conforming_strings) {
  TokenReader reader(statement, standard_conforming_strings);
  if (!AcceptAll(reader, {"alter", "database"})) return std::nullopt;
  std::optional<std::string> database = ReadIdentifier(reader);
  if (!database.has_value() || !AcceptAll(reader, {"set", "tablespace"})) return std::nullopt;
  std::optional<std::string> tablespace = ReadIdentifier(reader);
  if (!tablespace.has_value()) return std::nullopt;
  return DatabaseTablespaceTarget{.database = std::move(*database),
                                  .tablespace = std::move(*tablespace)};
}

std::optional<SubscriptionTarget> ReadSubscription(std::string_view statement,
                                                   bool standard_conforming_strings) {
  static constexpr std::pair<std::string_view, PublicationChange> kChanges[] = {
      {"set", PublicationChange::kSet},
      {"add", PublicationChange::kAdd},
      {"drop", PublicationChange::kDrop}};
  TokenReader reader(statement, standard_conforming_strings);
  const bool create = AcceptAll(reader, {"create", "subscription"});
  if (!create && !AcceptAll(reader, {"alter", "subscription"})) return std::nullopt;
  std::optional<std::string> name = ReadIdentifier(reader);
  if (!name.has_value()) return std::nullopt;
  SubscriptionTarget target{.name = std::move(*name)};
  if (create) {
    if (!reader.SkipToWord("publication")) return std::nullopt;
    target.publications = ReadPublications(reader);
    return target.publications.empty() ? std::nullopt : std::optional(target);
  }
  for (const auto& [verb, change] : kChanges) {
    if (!AcceptAll(reader, {verb, "publication"})) continue;
    target.change = change;
    target.publications = ReadPublications(reader);
    return target.publications.empty() ? std::nullopt : std::optional(target);
  }
  return target;
}

std::optional<std::string> ReadPreparedTransaction(std::string_view statement,
                                                   bool standard_conforming_strings) {
  TokenReader reader(statement, standard_conforming_strings);
  if (!AcceptAll(reader, {"commit", "prepared"}) && !AcceptAll(reader, {"rollback", "prepared"})) {
    return std::nullopt;
  }
  return ReadLiteral(reader);
}

std::optional<CallTarget> ReadCall(std::string_view statement, bool standard_conforming_strings) {
  TokenReader reader(statement, standard_conforming_strings);
  if (reader.AcceptWord("call")) return ReadLastCall(reader);
  if (!reader.AcceptWord("select")) return std::nullopt;
  if (std::optional<CallTarget> call = ReadLastCall(reader)) return call;
  // What is selected from the one call must do nothing itself.
  while (!reader.AcceptWord("from")) {
    if (!reader.Peek().has_value() || reader.Peek()->IsPunctuation('(')) return std::nullopt;
    reader.Next();
  }
  return ReadLastCall(reader);
}

std::optional<MaterializedViewTarget> ReadMaterializedView(std::string_view statement,
                                                           bool standard_conforming_strings) {
  TokenReader reader(statement, standard_conforming_strings);
  if (!AcceptAll(reader, {"create", "materialized", "view"})) return std::nullopt;
  const bool if_not_exists = AcceptAll(reader, {"if", "not", "exists"});
  std::optional<ObjectName> name = ReadName(reader);
  if (!name.has_value()) return std::nullopt;
  return MaterializedViewTarget{.name = std::move(*name), .if_not_exists = if_not_exists};
}

std::optional<ExtensionUpdateTarget> ReadExtensionUpdate(std::string_view statement,
                                                         bool standard_conforming_strings) {
  TokenReader reader(statement, standard_conforming_strings);
  if (!AcceptAll(reader, {"alter", "extension"})) return std::nullopt;
  std::optional<std::string> name = ReadIdentifier(reader);
  if (!name.has_value() || !reader.AcceptWord("update")) return std::nullopt;
  ExtensionUpdateTarget target{.name = std::move(*name), .version = std::nullopt};
  if (!reader.AcceptWord("to")) return target;
  const std::optional<Token> version = reader.Next();
  if (!version.has_value()) return std::nullopt;
  target.version = ValueOf(*version);
  return target;
}

}  // namespace whimbrel::sql
