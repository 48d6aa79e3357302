#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/redact.h"

namespace whimbrel {
namespace {

namespace chr = std::chrono;

/// `2026-11-21T10:12:13`.
std::string FormatSeconds(chr::sys_seconds time) {
  const auto day = chr::floor<chr::days>(time);
  const chr::year_month_day date(day);
  const chr::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

/// Takes the parts of a timestamp from the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  /// Exactly `digits` digits, as a number in [0, max].
  std::optional<int> Number(std::size_t digits, int max) {
    if (rest_.size() < digits) return std::nullopt;
    const std::string_view part = rest_.substr(0, digits);
    if (part.find_first_not_of(kDigits) != std::string_view::npos) return std::nullopt;
    int value = 0;
    std::from_chars(part.data(), part.data() + part.size(), value);
    rest_.remove_prefix(digits);
    return value <= max ? std::optional(value) : std::nullopt;
  }

  /// The next character when it is one of `choices`, else NUL.
  char OneOf(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) return '\0';
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  /// One or more digits after a decimal point; what is finer than a nanosecond is dropped.
  std::optional<chr::nanoseconds> Fraction() {
    const std::size_t length = std::min(rest_.find_first_not_of(kDigits), rest_.size());
    if (length == 0) return std::nullopt;
    chr::nanoseconds value(0);
    chr::nanoseconds weight = chr::milliseconds(100);
    for (const char digit : rest_.substr(0, length)) {
      value += weight * (digit - '0');
      weight /= 10;
    }
    rest_.remove_prefix(length);
    return value;
  }

  [[nodiscard]] bool AtEnd() const { return rest_.empty(); }

 private:
  static constexpr std::string_view kDigits = "0123456789";
  std::string_view rest_;
};

std::optional<chr::sys_days> ReadDate(Cursor& in) {
  const auto year = in.Number(4, 9999);
  if (!year || !in.OneOf("-")) return std::nullopt;
  const auto month = in.Number(2, 12);
  if (!month || !in.OneOf("-")) return std::nullopt;
  const auto day = in.Number(2, 31);
  if (!day) return std::nullopt;
  const chr::year_month_day date(chr::year(*year), chr::month(static_cast<unsigned>(*month)),
                                 chr::day(static_cast<unsigned>(*day)));
  return date.ok() ? std::optional(chr::sys_days(date)) : std::nullopt;
}

std::optional<chr::seconds> ReadTimeOfDay(Cursor& in) {
  const auto hour = in.Number(2, 23);
  if (!hour || !in.OneOf(":")) return std::nullopt;
  const auto minute = in.Number(2, 59);
  if (!minute || !in.OneOf(":")) return std::nullopt;
  const auto second =
      in.Number(2, 60);  // 60 is a leap second: the clock counts it as the next one.
  if (!second) return std::nullopt;
  return chr::hours(*hour) + chr::minutes(*minute) + chr::seconds(*second);
}

/// What has to be subtracted to get to UTC.
std::optional<chr::minutes> ReadOffset(Cursor& in) {
  if (in.OneOf("Zz")) return chr::minutes(0);
  const char sign = in.OneOf("+-");
  if (!sign) return std::nullopt;
  const auto hours = in.Number(2, 23);
  if (!hours || !in.OneOf(":")) return std::nullopt;
  const auto minutes = in.Number(2, 59);
  if (!minutes) return std::nullopt;
  const chr::minutes offset = chr::hours(*hours) + chr::minutes(*minutes);
  return sign == '-' ? -offset : offset;
}

struct Instant {
  chr::sys_seconds seconds;
  chr::nanoseconds fraction{0};
};

std::optional<Instant> ReadInstant(std::string_view text) {
  Cursor in(text);
  const auto date = ReadDate(in);
  if (!date || !in.OneOf("Tt")) return std::nullopt;
  const auto time = ReadTimeOfDay(in);
  if (!time) return std::nullopt;
  Instant instant;
  if (in.OneOf(".")) {
    const auto fraction = in.Fraction();
    if (!fraction) return std::nullopt;
    instant.fraction = *fraction;
  }
  const auto offset = ReadOffset(in);
  if (!offset || !in.AtEnd()) return std::nullopt;
  instant.seconds = *date + *time - *offset;
  return instant;
}

}  // namespace

std::string FormatRfc3339(SystemTime time) {
  return FormatSeconds(chr::floor<chr::seconds>(time)) + 'Z';
}

std::string FormatRfc3339Micro(SystemTime time) {
  const auto seconds = chr::floor<chr::seconds>(time);
  const auto micros = chr::floor<chr::microseconds>(time - seconds).count();
  return fmt::format("{}.{:06}Z", FormatSeconds(seconds), micros);
}

Result<SystemTime> ParseRfc3339(std::string_view text) {
  const auto instant = ReadInstant(text);
  if (!instant) {
    return Fail(
        ErrorKind::kInvalidArgument,
        fmt::format("\"{}\" is not a time; write RFC 3339, for example 2026-11-21T10:12:13Z",
                    TruncateUtf8(text, 64)));
  }
  // One second less than the clock can hold at either end leaves room for the fraction.
  constexpr auto kFirst = chr::ceil<chr::seconds>(SystemTime::min());
  constexpr auto kLast = chr::floor<chr::seconds>(SystemTime::max()) - chr::seconds(1);
  if (instant->seconds < kFirst || instant->seconds > kLast) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("the time {} is out of range; it must lie between {} and {}", text,
                            FormatRfc3339(kFirst), FormatRfc3339(kLast)));
  }
  return SystemTime(instant->seconds) + instant->fraction;
}

}  // namespace whimbrel
