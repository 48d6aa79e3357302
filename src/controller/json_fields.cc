#include "controller/json_fields.h"

#include <algorithm>

namespace whimbrel::controller {

using nlohmann::json;

const json& Member(const json& object, const char* field) {
  static const json null;
  if (!object.is_object()) return null;
  const auto it = object.find(field);
  return it == object.end() ? null : *it;
}

std::string Text(const json& object, const char* field, const std::string& fallback) {
  const json& value = Member(object, field);
  return value.is_string() ? value.get_ref<const std::string&>() : fallback;
}

bool Flag(const json& object, const char* field, bool fallback) {
  const json& value = Member(object, field);
  return value.is_boolean() ? value.get<bool>() : fallback;
}

std::optional<std::int64_t> Integer(const json& object, const char* field) {
  const json& value = Member(object, field);
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return std::nullopt;
  }
  return value.is_number_integer() ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

int Number(const json& object, const char* field, int fallback) {
  const std::int64_t value = Integer(object, field).value_or(fallback);
  using Limits = std::numeric_limits<int>;
  return static_cast<int>(std::clamp<std::int64_t>(value, Limits::min(), Limits::max()));
}

std::optional<SystemTime> Time(const json& object, const char* field) {
  const Result<SystemTime> time = ParseRfc3339(Text(object, field));
  if (!time) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(*time);
}

std::vector<std::string> Texts(const json& object, const char* field) {
  std::vector<std::string> texts;
  const json& array = Member(object, field);
  if (!array.is_array()) return texts;
  for (const json& element : array) {
    if (element.is_string()) texts.push_back(element.get<std::string>());
  }
  return texts;
}

}  // namespace whimbrel::controller
