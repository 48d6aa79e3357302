#include "kube/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace whimbrel::kube {
namespace {

using nlohmann::json;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

template <std::size_t n>
bool IsOneOf(std::string_view text, const std::array<std::string_view, n>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::optional<bool> ParseBoolean(std::string_view text) {
  static constexpr std::array<std::string_view, 11> kTrue = {
      "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
  static constexpr std::array<std::string_view, 11> kFalse = {
      "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
  if (IsOneOf(text, kTrue)) return true;
  if (IsOneOf(text, kFalse)) return false;
  return std::nullopt;
}

/// Takes the prefix of Go's strconv.ParseInt(base 0) off and returns the base.
int TakeBase(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  switch (digits[1]) {
    case 'x':
    case 'X':
      digits.remove_prefix(2);
      return 16;
    case 'o':
    case 'O':
      digits.remove_prefix(2);
      return 8;
    case 'b':
    case 'B':
      digits.remove_prefix(2);
      return 2;
    default:
      digits.remove_prefix(1);
      return 8;
  }
}

/// Beyond int64 the API server's decoder goes on in float64, so do we.
json WholeNumber(std::uint64_t magnitude, bool negative) {
  constexpr std::uint64_t kMax = static_cast<std::uint64_t>(INT64_MAX);
  if (!negative && magnitude <= kMax) return static_cast<std::int64_t>(magnitude);
  if (negative && magnitude <= kMax + 1) return static_cast<std::int64_t>(~magnitude + 1);
  const double value = static_cast<double>(magnitude);
  return negative ? -value : value;
}

std::optional<json> ParseInteger(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const int base = TakeBase(text);
  std::uint64_t magnitude = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, magnitude, base);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return WholeNumber(magnitude, negative);
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, go-yaml's idea of a float.
bool LooksLikeFloat(std::string_view text) {
  const auto skip_digits = [&text] {
    const std::size_t size = text.size();
    while (!text.empty() && IsDigit(text.front())) text.remove_prefix(1);
    return size != text.size();
  };
  const auto skip = [&text](std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  skip("+-");
  const bool whole_part = skip_digits();
  const bool fraction = skip(".") && skip_digits();
  if (!whole_part && !fraction) return false;
  if (skip("eE")) {
    skip("+-");
    if (!skip_digits()) return false;
  }
  return text.empty();
}

std::optional<json> ParseFloat(std::string_view text) {
  if (!LooksLikeFloat(text)) return std::nullopt;
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  // encoding/json writes whole numbers without a point, and the API server reads those as integers.
  constexpr double kInt64Limit = 9223372036854775808.0;
  if (std::trunc(value) == value && std::fabs(value) < kInt64Limit)
    return static_cast<std::int64_t>(value);
  return value;
}

bool IsNotFinite(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kWords = {".nan",  ".NaN",  ".NAN",  ".inf",
                                                              ".Inf",  ".INF",  "+.inf", "+.Inf",
                                                              "+.INF", "-.inf", "-.Inf", "-.INF"};
  return IsOneOf(text, kWords);
}

}  // namespace

std::optional<json> ResolvePlainScalar(std::string_view text) {
  static constexpr std::array<std::string_view, 5> kNull = {"", "~", "null", "Null", "NULL"};
  if (IsOneOf(text, kNull)) return json();
  if (const auto boolean = ParseBoolean(text)) return json(*boolean);
  if (IsNotFinite(text)) return std::nullopt;
  if (text.front() == '.') {
    if (auto number = ParseFloat(text)) return number;
  } else if (IsDigit(text.front()) || text.front() == '+' || text.front() == '-') {
    std::string plain(text);
    std::erase(plain, '_');
    if (auto number = ParseInteger(plain)) return number;
    if (auto number = ParseFloat(plain)) return number;
  }
  return json(std::string(text));
}

}  // namespace whimbrel::kube
