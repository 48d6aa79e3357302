#include "sql/settings.h"

#include <array>
#include <utility>

#include "sql/options.h"

namespace whimbrel::sql {
namespace {

std::string TrimmedRest(const TokenReader& reader) {
  std::string_view rest = reader.Rest();
  const std::size_t end = rest.find_last_not_of(" \t\n\r\f\v");
  return std::string(rest.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

/// The value that is left: nullopt for DEFAULT, of a single token its value, else as written.
std::optional<std::string> ReadValue(TokenReader& reader) {
  const std::string rest = TrimmedRest(reader);
  const std::optional<Token> token = reader.Next();
  if (!token.has_value() || reader.Peek().has_value()) return rest;
  if (token->IsWord("default")) return std::nullopt;
  return ValueOf(*token);
}

/// A setting's name, which may have a qualifier: `timescaledb.max_background_workers`.
std::string ReadSettingName(TokenReader& reader) {
  std::string name;
  do {
    const std::optional<Token> part = reader.Next();
    if (part.has_value()) name += (name.empty() ? "" : ".") + part->Name();
  } while (reader.AcceptPunctuation('.'));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

/// The forms of SET that have a syntax of their own: what follows SET, and the setting they mean.
struct SpecialForm {
  std::string_view first;
  std::string_view second;  ///< Empty: the form is one word.
  std::string_view setting;
};
constexpr std::array kSpecialForms = {
    SpecialForm{"session", "authorization", "session_authorization"},
    SpecialForm{"time", "zone", "timezone"},
    SpecialForm{"xml", "option", "xmloption"},
    SpecialForm{"schema", "", "search_path"},
    SpecialForm{"names", "", "client_encoding"},
    SpecialForm{"role", "", "role"},
    SpecialForm{"transaction", "", "transaction"},
};

/// Steps over a special form and gives its setting; nullopt, and nothing stepped over, when there
/// is none. `SET role = x` and `SET schema.setting = x` are not special.
std::optional<std::string> AcceptSpecialForm(TokenReader& reader) {
  for (const SpecialForm& form : kSpecialForms) {
    TokenReader ahead = reader;
    if (!ahead.AcceptWord(form.first) || (!form.second.empty() && !ahead.AcceptWord(form.second)))
      continue;
    const std::optional<Token>& next = ahead.Peek();
    if (next.has_value() && (next->text == "=" || next->IsPunctuation('.') || next->IsWord("to")))
      continue;
    reader = ahead;
    return std::string(form.setting);
  }
  return std::nullopt;
}

std::vector<SettingChange> ReadSet(TokenReader& reader) {
  SettingChange change;
  if (reader.AcceptWord("constraints")) return {};
  TokenReader ahead = reader;
  if (ahead.AcceptWord("session") && ahead.AcceptWord("characteristics")) {
    if (!ahead.AcceptWord("as") || !ahead.AcceptWord("transaction")) return {};
    return {{.name = "session_characteristics", .value = TrimmedRest(ahead)}};
  }
  std::optional<std::string> special = AcceptSpecialForm(reader);
  if (!special.has_value()) {
    if (reader.AcceptWord("local")) {
      change.scope = SettingScope::kTransaction;
    } else {
      reader.AcceptWord("session");
    }
    special = AcceptSpecialForm(reader);
  }
  if (special.has_value()) {
    change.name = *special;
  } else {
    change.name = ReadSettingName(reader);
    // Else FROM CURRENT, which is kept as written.
    if (reader.Peek().has_value() && reader.Peek()->text == "=") {
      reader.Next();
    } else {
      reader.AcceptWord("to");
    }
  }
  if (change.name == "transaction") {
    change.scope = SettingScope::kTransaction;
    change.value = TrimmedRest(reader);
    return {change};
  }
  const bool none_is_default =
      change.name == "timezone" && special.has_value() && reader.AcceptWord("local");
  if (!none_is_default) change.value = ReadValue(reader);
  return {change};
}

std::vector<SettingChange> ReadReset(TokenReader& reader) {
  if (reader.AcceptWord("transaction"))
    return {{.name = "transaction_isolation", .scope = SettingScope::kTransaction}};
  if (const std::optional<std::string> special = AcceptSpecialForm(reader))
    return {{.name = *special}};
  return {{.name = ReadSettingName(reader)}};
}

std::optional<SettingChange> ReadSetConfig(TokenReader& reader) {
  TokenReader ahead = reader;
  if (ahead.Next()->Name() == "pg_catalog" && ahead.AcceptPunctuation('.')) reader = ahead;
  if (!reader.Peek().has_value() || reader.Next()->Name() != "set_config") return std::nullopt;
  SettingChange change;
  std::array<std::optional<std::string>, 2> arguments;
  if (!reader.AcceptPunctuation('(')) return std::nullopt;
  for (std::optional<std::string>& argument : arguments) {
    if (!reader.Peek().has_value()) return std::nullopt;
    argument = reader.Next()->StringValue();
    if (!argument.has_value() || !reader.AcceptPunctuation(',')) return std::nullopt;
  }
  const bool local = reader.AcceptWord("true");
  if ((!local && !reader.AcceptWord("false")) || !reader.AcceptPunctuation(')'))
    return std::nullopt;
  for (char& c : *arguments[0]) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return SettingChange{.name = *arguments[0],
                       .value = *arguments[1],
                       .scope = local ? SettingScope::kTransaction : SettingScope::kSession};
}

/// SELECT with nothing but calls of set_config whose arguments are literals.
std::vector<SettingChange> ReadSelect(TokenReader& reader) {
  std::vector<SettingChange> changes;
  do {
    if (!reader.Peek().has_value()) return {};
    std::optional<SettingChange> change = ReadSetConfig(reader);
    if (!change.has_value()) return {};
    changes.push_back(std::move(*change));
  } while (reader.AcceptPunctuation(','));
  if (reader.Peek().has_value()) return {};
  return changes;
}

}  // namespace

std::vector<SettingChange> FindSettings(TokenReader reader) {
  if (reader.AcceptWord("set")) return ReadSet(reader);
  if (reader.AcceptWord("reset")) return ReadReset(reader);
  if (reader.AcceptWord("select")) return ReadSelect(reader);
  return {};
}

bool AreReadOnlyModes(std::string_view modes) {
  bool read_only = false;
  for (TokenReader reader(modes); reader.Peek().has_value();) {
    if (!reader.AcceptWord("read")) {
      reader.Next();
    } else if (reader.AcceptWord("only")) {
      read_only = true;
    } else if (reader.AcceptWord("write")) {
      read_only = false;
    }
  }
  return read_only;
}

bool MakesReadOnly(const SettingChange& change) {
  if (!change.value.has_value()) return false;
  if (change.name == "transaction" || change.name == "session_characteristics") {
    return AreReadOnlyModes(*change.value);
  }
  return (change.name == "transaction_read_only" ||
          change.name == "default_transaction_read_only") &&
         ParseBoolean(*change.value).value_or(false);
}

bool ChangesLexing(const SettingChange& change) {
  return change.name == "standard_conforming_strings" || change.name == "client_encoding" ||
         change.name == "all";
}

}  // namespace whimbrel::sql
