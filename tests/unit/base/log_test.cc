#include "whimbrel/base/log.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "whimbrel/base/clock.h"

namespace whimbrel::log {
namespace {

using nlohmann::json;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

std::string Line(Fields fields) {
  return FormatJsonLine(Level::kInfo, "T", "engine", "Applied", fields);
}

/// What a reader of the log gets for the field `value`.
json ReadBack(std::string_view value) { return json::parse(Line({{"value", value}})).at("value"); }

TEST(JsonLineTest, HasTheKeysOfZapInTheirOrder) {
  EXPECT_EQ(
      FormatJsonLine(Level::kWarning, "2026-11-21T10:12:13.000000Z", "engine", "Applied",
                     {{"version", "1.2"}, {"ms", 12}, {"ok", true}, {"share", 0.5}}),
      R"({"level":"warn","ts":"2026-11-21T10:12:13.000000Z","logger":"engine","msg":"Applied",)"
      R"("version":"1.2","ms":12,"ok":true,"share":0.5})");
}

TEST(JsonLineTest, NamesTheLevelsAsZapDoes) {
  const std::pair<Level, std::string_view> levels[] = {{Level::kDebug, "debug"},
                                                       {Level::kInfo, "info"},
                                                       {Level::kWarning, "warn"},
                                                       {Level::kError, "error"}};
  for (const auto& [level, name] : levels) {
    EXPECT_EQ(json::parse(FormatJsonLine(level, "", "", "", {})).at("level"), name);
  }
}

TEST(JsonLineTest, EveryCharacterSurvivesEscaping) {
  std::string every;
  for (char c = 0; c < 0x7f; ++c) every += c;
  every += "\x7f\u0080\u2028äöü€😀";
  EXPECT_EQ(ReadBack(every), every);
  const std::string line = Line({{"value", every}});
  for (const char c : line) EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7f) << line;
}

TEST(JsonLineTest, NobodyCanForgeALine) {
  const std::string line = Line({{"error", "x\"}\n{\"level\":\"info\",\"msg\":\"all is well\"}"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(json::parse(line).at("msg"), "Applied");
}

TEST(JsonLineTest, EscapesKeysAndMessagesToo) {
  const json line = json::parse(FormatJsonLine(Level::kInfo, "T", "a\"b", "c\nd", {{"e\\f", 1}}));
  EXPECT_EQ(line.at("logger"), "a\"b");
  EXPECT_EQ(line.at("msg"), "c\nd");
  EXPECT_EQ(line.at("e\\f"), 1);
}

TEST(JsonLineTest, ReplacesWhatIsNotUtf8) { EXPECT_EQ(ReadBack("gr\xfcn"), "gr\uFFFDn"); }

TEST(JsonLineTest, CutsALongValue) {
  const std::string value = ReadBack(std::string(5000, 'x')).get<std::string>();
  EXPECT_EQ(value.size(), 4096U);
  EXPECT_TRUE(value.ends_with("x…"));
}

TEST(JsonLineTest, NumbersKeepTheirValue) {
  const json line = json::parse(Line({{"min", std::numeric_limits<std::int64_t>::min()},
                                      {"size", std::size_t{7}},
                                      {"double", 0.1},
                                      {"huge", 1e300},
                                      {"nan", std::numeric_limits<double>::quiet_NaN()},
                                      {"infinite", -std::numeric_limits<double>::infinity()}}));
  EXPECT_EQ(line.at("min"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(line.at("size"), 7);
  EXPECT_EQ(line.at("double"), 0.1);
  EXPECT_EQ(line.at("huge"), 1e300);
  EXPECT_EQ(line.at("nan"), "nan");
  EXPECT_EQ(line.at("infinite"), "-inf");
}

TEST(JsonLineTest, RedactsValuesAndMessages) {
  EXPECT_EQ(ReadBack("connecting to postgres://app:hunter2@db/app"),
            "connecting to postgres://[redacted]@db/app");
  EXPECT_EQ(json::parse(FormatJsonLine(Level::kInfo, "T", "l", "password=hunter2", {})).at("msg"),
            "password=[redacted]");
}

TEST(JsonLineTest, RedactsBeforeItCuts) {
  // Cut first, the text would end before the @ that tells how far the password reaches.
  const std::string text =
      std::string(4060, 'x') + " postgres://app:p@hunter2hunter2hunter2@db/app";
  EXPECT_EQ(Line({{"value", text}}).find("hunter"), std::string::npos);
}

TEST(JsonLineTest, AKeyThatNamesAPasswordHidesItsValue) {
  EXPECT_EQ(Line({{"password", "hunter2"}, {"pgPassword", "hunter2"}}).find("hunter2"),
            std::string::npos);
  EXPECT_EQ(json::parse(Line({{"secret", "shop/orders-db"}})).at("secret"), "shop/orders-db");
}

/// Puts the process's log back to what it was.
class WriteTest : public testing::Test {
 protected:
  void TearDown() override { Configure(Level::kInfo, Format::kJson); }
};

TEST_F(WriteTest, WritesOneObjectALineToStandardError) {
  Configure(Level::kInfo, Format::kJson);
  CaptureStderr();
  Info("engine", "Applied", {{"version", "1"}});
  Error("engine", "{} is not a format to us", {{"error", "{} %v %s"}});
  std::istringstream lines(GetCapturedStderr());
  std::string first, second, rest;
  ASSERT_TRUE(std::getline(lines, first) && std::getline(lines, second));
  EXPECT_FALSE(std::getline(lines, rest)) << rest;
  const json applied = json::parse(first);
  EXPECT_EQ(applied.at("msg"), "Applied");
  EXPECT_TRUE(ParseRfc3339(applied.at("ts").get<std::string>()));
  EXPECT_EQ(json::parse(second).at("msg"), "{} is not a format to us");
  EXPECT_EQ(json::parse(second).at("error"), "{} %v %s");
}

TEST_F(WriteTest, LeavesOutWhatIsBelowTheLevel) {
  const Level levels[] = {Level::kDebug, Level::kInfo, Level::kWarning, Level::kError};
  for (const Level least : levels) {
    Configure(least, Format::kJson);
    for (const Level level : levels) {
      EXPECT_EQ(Enabled(level), level >= least);
      CaptureStderr();
      Write(level, "l", "m");
      EXPECT_EQ(GetCapturedStderr().empty(), level < least);
    }
  }
}

TEST_F(WriteTest, TextIsForPeopleAndJustAsSafe) {
  Configure(Level::kDebug, Format::kText);
  CaptureStderr();
  Debug("kube", "Watch\x1b[2J ended",
        {{"error", "a \"b\"\nc"}, {"status", 410}, {"uri", "http://u:p@h/"}});
  const std::string line = GetCapturedStderr();
  const std::string after_time = line.substr(line.find(' '));
  EXPECT_EQ(after_time,
            " debug kube: Watch\\u001b[2J ended error=\"a \\\"b\\\"\\nc\" status=410 "
            "uri=\"http://[redacted]@h/\"\n");
  EXPECT_TRUE(ParseRfc3339(line.substr(0, line.find(' '))));
}

TEST_F(WriteTest, LinesOfManyThreadsDoNotMix) {
  Configure(Level::kInfo, Format::kJson);
  constexpr int kThreads = 8, kLines = 50;
  CaptureStderr();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([] {
        for (int line = 0; line < kLines; ++line)
          Info("l", "m", {{"value", std::string(500, 'x')}});
      });
    }
  }
  std::istringstream lines(GetCapturedStderr());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_EQ(json::parse(line).at("value").get<std::string>().size(), 500U);
  }
  EXPECT_EQ(count, kThreads * kLines);
}

}  // namespace
}  // namespace whimbrel::log
