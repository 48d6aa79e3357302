#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "whimbrel/base/clock.h"

namespace whimbrel::controller {

/// Reading objects of the API server: the schema has settled the types, so whatever is of another
/// one counts as absent, and nothing throws.

/// The member, or a null where there is none.
[[nodiscard]] const nlohmann::json& Member(const nlohmann::json& object, const char* field);
[[nodiscard]] std::string Text(const nlohmann::json& object, const char* field,
                               const std::string& fallback = "");
[[nodiscard]] bool Flag(const nlohmann::json& object, const char* field, bool fallback);
[[nodiscard]] std::optional<std::int64_t> Integer(const nlohmann::json& object, const char* field);
/// The integer, or `fallback`; brought into the range of int.
[[nodiscard]] int Number(const nlohmann::json& object, const char* field, int fallback);
/// RFC 3339; cut to whole seconds.
[[nodiscard]] std::optional<SystemTime> Time(const nlohmann::json& object, const char* field);
[[nodiscard]] std::vector<std::string> Texts(const nlohmann::json& object, const char* field);

/// Every object in a list; others are skipped.
template <class T>
std::vector<T> ListOf(const nlohmann::json& object, const char* field,
                      const std::function<T(const nlohmann::json&)>& read) {
  std::vector<T> list;
  const nlohmann::json& array = Member(object, field);
  if (!array.is_array()) return list;
  for (const nlohmann::json& element : array) {
    if (element.is_object()) list.push_back(read(element));
  }
  return list;
}

}  // namespace whimbrel::controller
