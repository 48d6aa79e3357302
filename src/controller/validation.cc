#include "whimbrel/controller/validation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "controller/job_rules.h"
#include "controller/json_fields.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxInlineBytes = 131'072;

bool Has(const json& object, const char* field) { return !Member(object, field).is_null(); }

/// Both are numbers, and `above` is not above `below`. What is no number is the schema's to report.
bool IsNotAbove(const std::optional<std::int64_t>& above,
                const std::optional<std::int64_t>& below) {
  return above && below && *above <= *below;
}

bool IsDeadlineTooShort(const json& spec, const json& /*old*/) {
  const json& execution = Member(spec, "execution");
  return IsNotAbove(Integer(execution, "deadlineSeconds"),
                    Integer(execution, "statementTimeoutSeconds"));
}

bool IsFirstWaitTooLong(const json& spec, const json& /*old*/) {
  const json& retry = Member(Member(spec, "execution"), "retry");
  const auto initial = Integer(retry, "initialSeconds");
  const auto max = Integer(retry, "maxSeconds");
  return initial && max && *initial > *max;
}

bool IsNotOneSource(const json& spec, const json& /*old*/) {
  const json& source = Member(spec, "source");
  const int kinds = int{Has(source, "configMaps")} + Has(source, "archive") + Has(source, "inline");
  return source.is_object() && kinds != 1;
}

bool IsInlineTooLarge(const json& spec, const json& /*old*/) {
  std::int64_t bytes = 0;
  for (const std::string& sql : ListOf<std::string>(
           Member(spec, "source"), "inline", [](const json& file) { return Text(file, "sql"); })) {
    bytes += static_cast<std::int64_t>(sql.size());
  }
  return bytes > kMaxInlineBytes;
}

bool IsNotOneDatabase(const json& spec, const json& /*old*/) {
  const json& database = Member(spec, "database");
  return database.is_object() && Has(database, "secretRef") == Has(database, "connection");
}

bool IsTlsForNothing(const json& spec, const json& /*old*/) {
  const json& tls = Member(Member(spec, "database"), "tls");
  return Text(tls, "mode") == "Disable" && (Has(tls, "caRef") || Has(tls, "clientCertSecretRef"));
}

bool IsWordCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_';
}

/// `^[-_a-zA-Z0-9][-._a-zA-Z0-9]*(/[-_a-zA-Z0-9][-._a-zA-Z0-9]*)*$`
bool IsRelativePath(std::string_view path) {
  bool at_start = true;  // Of a part.
  for (const char c : path) {
    const bool part = IsWordCharacter(c) || (c == '.' && !at_start);
    if (!part && (c != '/' || at_start)) return false;
    at_start = c == '/';
  }
  return !at_start;
}

/// Takes `[^.()"\s]{1,63}` from the beginning; false: there is no such name.
bool TakeName(std::string_view& text) {
  const std::string_view name = text.substr(0, text.find_first_of(".()\" \t\n\f\r"));
  text.remove_prefix(name.size());
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  const auto characters = std::ranges::count_if(name, std::not_fn(continues));
  return characters >= 1 && characters <= 63;
}

bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// `[schema.]table[(column)]`
bool IsTableName(std::string_view text) {
  if (!TakeName(text)) return false;
  if (Take(text, '.') && !TakeName(text)) return false;
  if (Take(text, '(') && !(TakeName(text) && Take(text, ')'))) return false;
  return text.empty();
}

bool IsTableMisspelt(const json& spec, const json& /*old*/) {
  const json& table = Member(Member(spec, "history"), "table");
  return table.is_string() && !IsTableName(table.get_ref<const std::string&>());
}

/// Transition rules: they hold nothing on create.
bool IsHistoryChanged(const json& spec, const json& old, const char* field) {
  const json& before = Member(old, "history");
  return before.is_object() && Member(Member(spec, "history"), field) != Member(before, field);
}
bool IsTableChanged(const json& spec, const json& old) {
  return IsHistoryChanged(spec, old, "table");
}
bool IsSchemaChanged(const json& spec, const json& old) {
  return IsHistoryChanged(spec, old, "schema");
}
bool IsSetChanged(const json& spec, const json& old) { return IsHistoryChanged(spec, old, "set"); }

/// The one rule about each element of a list.
void CheckDirectories(const json& spec, std::vector<std::string>& messages) {
  const json& config_maps = Member(Member(spec, "source"), "configMaps");
  if (!config_maps.is_array()) return;
  for (std::size_t i = 0; i < config_maps.size(); ++i) {
    const json& directory = Member(config_maps[i], "directory");
    if (!directory.is_string() || IsRelativePath(directory.get_ref<const std::string&>())) continue;
    messages.push_back("spec.source.configMaps[" + std::to_string(i) +
                       "].directory: Invalid value: must be a relative path such as db/migrations; "
                       "each part holds letters, digits, - _ and . and may not begin with a dot");
  }
}

/// One x-kubernetes-validations rule of the CRD, on the spec and the one before.
struct Rule {
  std::string_view path;
  std::string_view message;
  bool (*is_broken)(const json& spec, const json& old_spec);
};

// As the CRD words them.
constexpr std::array kRules = {
    Rule{"spec.execution.deadlineSeconds", "must be greater than statementTimeoutSeconds",
         IsDeadlineTooShort},
    Rule{"spec.execution.retry.initialSeconds", "must not be greater than maxSeconds",
         IsFirstWaitTooLong},
    Rule{"spec.source", "must have exactly one of configMaps, archive and inline", IsNotOneSource},
    Rule{"spec.source.inline",
         "must not hold more than 128 KiB of SQL in all; use configMaps for more",
         IsInlineTooLarge},
    Rule{"spec.database", "must have exactly one of secretRef and connection", IsNotOneDatabase},
    Rule{"spec.database.tls", "caRef and clientCertSecretRef must not be set when mode is Disable",
         IsTlsForNothing},
    Rule{"spec.history.table",
         "may not be changed, added or removed; create another resource for another history",
         IsTableChanged},
    Rule{"spec.history.table",
         "must be written as [schema.]table[(column)], with names as the catalog has them, without "
         "quotes and spaces",
         IsTableMisspelt},
    Rule{"spec.history.schema", "may not be changed; create another resource for another history",
         IsSchemaChanged},
    Rule{"spec.history.set", "may not be changed; create another resource for another history",
         IsSetChanged},
};

}  // namespace

std::vector<std::string> ValidateDatabaseMigration(const json& object, const json& old_object) {
  const json& spec = Member(object, "spec");
  const json& old_spec = Member(old_object, "spec");
  std::vector<std::string> messages;
  if (!spec.is_object()) return messages;
  for (const Rule& rule : kRules) {
    if (!rule.is_broken(spec, old_spec)) continue;
    messages.push_back(std::string(rule.path) + ": Invalid value: " + std::string(rule.message));
  }
  CheckDirectories(spec, messages);
  CheckJobRules(spec, messages);
  return messages;
}

}  // namespace whimbrel::controller
