#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace whimbrel::postgres {

/// The parts between separators; none for an empty text.
[[nodiscard]] inline std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty() || !parts.empty()) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

[[nodiscard]] inline std::string Join(const std::vector<std::string>& parts,
                                      std::string_view separator) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

}  // namespace whimbrel::postgres
