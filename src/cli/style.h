#pragma once

#include <string>
#include <string_view>

namespace whimbrel::cli {

/// Colours for a terminal; plain text otherwise.
class Style {
 public:
  explicit Style(bool colour) : colour_(colour) {}

  [[nodiscard]] std::string Red(std::string_view text) const { return Wrap("31", text); }
  [[nodiscard]] std::string Green(std::string_view text) const { return Wrap("32", text); }
  [[nodiscard]] std::string Yellow(std::string_view text) const { return Wrap("33", text); }
  [[nodiscard]] std::string Bold(std::string_view text) const { return Wrap("1", text); }
  [[nodiscard]] std::string Dim(std::string_view text) const { return Wrap("2", text); }

 private:
  [[nodiscard]] std::string Wrap(std::string_view code, std::string_view text) const {
    if (!colour_) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
  }

  bool colour_;
};

/// Whether file descriptor `fd` wants colours: a terminal, and neither NO_COLOR (no-color.org) nor
/// TERM=dumb.
[[nodiscard]] bool WantsColour(int fd);

}  // namespace whimbrel::cli
