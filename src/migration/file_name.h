#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace whimbrel::migration {

/// What follows the last `/`.
inline std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// Whether a name ends so, in any case of ASCII letters; `suffix` is in lower case.
inline bool EndsWithIgnoringCase(std::string_view name, std::string_view suffix) {
  if (name.size() < suffix.size()) return false;
  return std::equal(suffix.begin(), suffix.end(),
                    name.end() - static_cast<std::ptrdiff_t>(suffix.size()), [](char s, char c) {
                      return s == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
                    });
}

inline std::size_t CountDigits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

}  // namespace whimbrel::migration
