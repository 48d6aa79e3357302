#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

/// What the JSON of this module's values has in common.
namespace whimbrel::report {

/// A whole number, or the nearest one that fits. Throws nlohmann's exception where there is none:
/// the library's own conversion cuts fractions off, and that of what does not fit is undefined
/// behaviour.
template <class T>
T Integer(const nlohmann::json& value) {
  const auto fit = [](auto number) {
    using Limits = std::numeric_limits<T>;
    if (std::cmp_less(number, Limits::min())) return Limits::min();
    return std::cmp_greater(number, Limits::max()) ? Limits::max() : static_cast<T>(number);
  };
  using nlohmann::json;
  if (value.is_number_unsigned()) return fit(value.get_ref<const json::number_unsigned_t&>());
  return fit(value.get_ref<const json::number_integer_t&>());
}

template <class T>
nlohmann::json ListToJson(const std::vector<T>& list, nlohmann::json (*write)(const T&)) {
  nlohmann::json array = nlohmann::json::array();
  for (const T& element : list) array.push_back(write(element));
  return array;
}

}  // namespace whimbrel::report
