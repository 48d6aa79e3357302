#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "whimbrel/base/clock.h"

namespace whimbrel {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

SystemTime At(std::int64_t unix_seconds, nanoseconds fraction = nanoseconds(0)) {
  return SystemTime(seconds(unix_seconds)) + fraction;
}

TEST(Rfc3339Test, WritesUtcRoundedDown) {
  struct Case {
    SystemTime time;
    std::string_view whole;
    std::string_view micro;
  };
  const Case cases[] = {
      {At(0), "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
      {At(1795255933), "2026-11-21T10:12:13Z", "2026-11-21T10:12:13.000000Z"},
      {At(1795255933, nanoseconds(999'999'999)), "2026-11-21T10:12:13Z",
       "2026-11-21T10:12:13.999999Z"},
      {At(1795255933, microseconds(42)), "2026-11-21T10:12:13Z", "2026-11-21T10:12:13.000042Z"},
      {At(951782400), "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"},
      {At(0, nanoseconds(-1)), "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999999Z"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(FormatRfc3339(c.time), c.whole);
    EXPECT_EQ(FormatRfc3339Micro(c.time), c.micro);
  }
}

TEST(Rfc3339Test, ReadsEveryFormOfTheStandard) {
  struct Case {
    std::string_view name;
    std::string_view text;
    SystemTime time;
  };
  const Case cases[] = {
      {"UTC", "2026-11-21T10:12:13Z", At(1795255933)},
      {"lower case", "2026-11-21t10:12:13z", At(1795255933)},
      {"microseconds", "2026-11-21T10:12:13.000042Z", At(1795255933, microseconds(42))},
      {"one digit of a fraction", "2026-11-21T10:12:13.5Z",
       At(1795255933, nanoseconds(500'000'000))},
      {"more digits than the clock has", "2026-11-21T10:12:13.1234567899Z",
       At(1795255933, nanoseconds(123'456'789))},
      {"an offset to the east", "2026-11-21T15:42:13+05:30", At(1795255933)},
      {"an offset to the west", "2026-11-20T23:12:13-11:00", At(1795255933)},
      {"the unknown offset", "2026-11-21T10:12:13-00:00", At(1795255933)},
      {"a leap second", "2016-12-31T23:59:60Z", At(1483228800)},
      {"a leap day", "2024-02-29T00:00:00Z", At(1709164800)},
      {"before 1970", "1969-12-31T23:59:59.5Z", At(-1, nanoseconds(500'000'000))},
  };
  for (const Case& c : cases) {
    const auto time = ParseRfc3339(c.text);
    ASSERT_TRUE(time) << c.name;
    EXPECT_EQ(*time, c.time) << c.name;
  }
}

TEST(Rfc3339Test, RefusesWhatIsNoTime) {
  const std::string_view texts[] = {
      "",
      "2026-11-21",
      "2026-11-21T10:12:13",
      "2026-11-21 10:12:13Z",
      "2026-11-21T10:12Z",
      "2026-11-21T10:12:13.Z",
      "2026-11-21T10:12:13,5Z",
      "2026-11-21T10:12:13Z ",
      " 2026-11-21T10:12:13Z",
      "2026-11-21T10:12:13+0530",
      "2026-11-21T10:12:13+05",
      "2026-11-21T10:12:13+24:00",
      "2026-11-21T24:00:00Z",
      "2026-11-21T10:60:00Z",
      "2026-11-21T10:12:61Z",
      "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z",
      "2026-11-00T00:00:00Z",
      "26-11-21T10:12:13Z",
      "+026-11-21T10:12:13Z",
      "2026-1-21T10:12:13Z",
      "1795255933",
  };
  for (const std::string_view text : texts) {
    const auto time = ParseRfc3339(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().kind, ErrorKind::kInvalidArgument) << text;
    EXPECT_NE(time.error().message.find("RFC 3339"), std::string::npos) << time.error().message;
  }
}

TEST(Rfc3339Test, RefusesWhatTheClockCannotHold) {
  for (const std::string_view text : {"0001-01-01T00:00:00Z", "1677-09-21T00:12:43Z",
                                      "2262-04-11T23:47:16Z", "9999-12-31T23:59:59.999999999Z"}) {
    const auto time = ParseRfc3339(text);
    ASSERT_FALSE(time) << text;
    EXPECT_NE(time.error().message.find("out of range"), std::string::npos) << time.error().message;
  }
  EXPECT_TRUE(ParseRfc3339("1677-09-21T00:12:44Z"));
  EXPECT_TRUE(ParseRfc3339("2262-04-11T23:47:15.999999999Z"));
}

TEST(Rfc3339Test, ReadsBackWhatItWrote) {
  for (std::int64_t day = -20'000; day < 80'000; day += 97) {
    const SystemTime time = At(day * 86'400 + day % 86'400, microseconds(day & 0xffff));
    EXPECT_EQ(ParseRfc3339(FormatRfc3339Micro(time)).value(), time);
  }
}

TEST(Rfc3339Test, TheErrorQuotesOnlyTheBeginningOfALongText) {
  const auto time = ParseRfc3339(std::string(100'000, 'x'));
  ASSERT_FALSE(time);
  EXPECT_LT(time.error().message.size(), 200U);
}

}  // namespace
}  // namespace whimbrel
