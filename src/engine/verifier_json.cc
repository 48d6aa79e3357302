#include "engine/verifier_json.h"

#include <algorithm>

namespace whimbrel::engine {
namespace {

Json Parse(std::string_view text) { return Json::parse(text, nullptr, /*allow_exceptions=*/false); }

const Json kNothing;

}  // namespace

Verification JsonVerifier::Judge(std::string_view found, std::string_view now) const {
  return Decide(Parse(found), Parse(now));
}

std::optional<std::string> JsonVerifier::Confirm(std::string_view found,
                                                 std::string_view now) const {
  return Fault(Parse(found), Parse(now));
}

std::vector<std::string> JsonVerifier::AfterFailure(std::string_view found,
                                                    std::string_view now) const {
  return Clearance(Parse(found), Parse(now));
}

bool JsonVerifier::IsSameObject(std::string_view found, std::string_view now) const {
  return SameObject(Parse(found), Parse(now));
}

postgres::PgResult<std::string> ReadJson(postgres::Connection& connection, std::string_view query,
                                         std::initializer_list<postgres::Parameter> parameters) {
  const auto rows = connection.Query(query, parameters);
  if (!rows) return tl::make_unexpected(rows.error());
  return rows->empty() ? "{}" : (*rows)[0][0].value_or("{}");
}

std::string TextOf(const Json& object, std::string_view key) {
  const Json& value = PartOf(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool IsTrue(const Json& object, std::string_view key) {
  const Json& value = PartOf(object, key);
  return value.is_boolean() && value.get<bool>();
}

const Json& PartOf(const Json& object, std::string_view key) {
  if (!object.is_object()) return kNothing;
  const auto member = object.find(std::string(key));
  return member == object.end() ? kNothing : *member;
}

const Json& FirstOf(const Json& list) {
  return list.is_array() && !list.empty() ? list.front() : kNothing;
}

const Json& FindBy(const Json& list, std::string_view key, std::string_view text) {
  const auto member = std::find_if(list.begin(), list.end(),
                                   [&](const Json& each) { return TextOf(each, key) == text; });
  return member == list.end() ? kNothing : *member;
}

Verification Done() { return {.verdict = Verification::Verdict::kDone}; }

Verification Refuse(std::string message, std::string hint) {
  return {.verdict = Verification::Verdict::kRefuse,
          .message = std::move(message),
          .hint = std::move(hint)};
}

std::string Quoted(const sql::ObjectName& name) {
  std::string text;
  for (const std::string& part : name.parts) {
    if (!text.empty()) text += '.';
    text += postgres::QuoteIdentifier(part);
  }
  return text;
}

std::string QuotedName(const Json& object) {
  return postgres::QuoteIdentifier(TextOf(object, "schema")) + "." +
         postgres::QuoteIdentifier(TextOf(object, "name"));
}

}  // namespace whimbrel::engine
