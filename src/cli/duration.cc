#include "cli/duration.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

namespace whimbrel::cli {
namespace {

/// Longer than anybody waits; sums stay far from what a Duration holds.
constexpr double kMostSeconds = 100.0 * 365 * 86'400;

/// Takes a unit off the front, as seconds. `ms` comes before `m`.
std::optional<double> TakeUnit(std::string_view& text) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  for (const Unit& unit : {Unit{"ms", 0.001}, Unit{"h", 3600}, Unit{"m", 60}, Unit{"s", 1}}) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.seconds;
  }
  return std::nullopt;
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  const auto refuse = [whole = std::string(text)] {
    return Fail(ErrorKind::kInvalidArgument,
                "\"" + whole + "\" is no duration: write a number and h, m, s or ms, as in 15s");
  };
  if (text.empty()) return refuse();
  double seconds = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || std::signbit(number)) return refuse();
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::optional<double> unit = TakeUnit(text);
    if (!unit) return refuse();
    seconds += number * *unit;
    if (!(seconds <= kMostSeconds)) return refuse();
  }
  return std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

std::string FormatDuration(Duration duration) {
  const auto all = std::chrono::round<std::chrono::milliseconds>(duration).count();
  std::string text;
  if (all >= 3'600'000) text += std::to_string(all / 3'600'000) + "h";
  if (all / 60'000 % 60 > 0) text += std::to_string(all / 60'000 % 60) + "m";
  if (all / 1'000 % 60 > 0) text += std::to_string(all / 1'000 % 60) + "s";
  if (all % 1'000 > 0) text += std::to_string(all % 1'000) + "ms";
  return text.empty() ? "0s" : text;
}

}  // namespace whimbrel::cli
