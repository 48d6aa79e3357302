#include "cli/duration.h"

#include <gtest/gtest.h>

namespace whimbrel::cli {
namespace {

using std::chrono::milliseconds;

TEST(DurationTest, ReadsWhatGoReads) {
  struct Case {
    const char* text;
    milliseconds expected;
    const char* written;
  };
  const Case cases[] = {
      {"15s", milliseconds(15'000), "15s"},     {"1m30s", milliseconds(90'000), "1m30s"},
      {"500ms", milliseconds(500), "500ms"},    {"2.5s", milliseconds(2'500), "2s500ms"},
      {"1h", milliseconds(3'600'000), "1h"},    {"0s", milliseconds(0), "0s"},
      {"90s", milliseconds(90'000), "1m30s"},   {".5s", milliseconds(500), "500ms"},
      {"25h", milliseconds(90'000'000), "25h"},
  };
  for (const Case& one : cases) {
    const Result<Duration> read = ParseDuration(one.text);
    ASSERT_TRUE(read) << one.text;
    EXPECT_EQ(*read, one.expected) << one.text;
    EXPECT_EQ(FormatDuration(*read), one.written);
  }
}

TEST(DurationTest, RefusesWhatIsNone) {
  for (const char* text : {"", "15", "s", "-1s", "-0s", "15 s", "1d", "15sec", "1e3s", "nans",
                           "infs", "99999999h", "1m 30s", "10s5"}) {
    const Result<Duration> read = ParseDuration(text);
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().message.find("15s"), std::string::npos) << "says how it is written";
  }
}

}  // namespace
}  // namespace whimbrel::cli
