#include "whimbrel/migration/version.h"

#include <gtest/gtest.h>

#include <string>

namespace whimbrel::migration {
namespace {

Version Make(std::string_view text) {
  Result<Version> version = Version::Parse(text);
  EXPECT_TRUE(version) << text;
  return version ? *version : Version();
}

TEST(VersionTest, ParsesDigitsWithDotsOrUnderscoresBetweenParts) {
  const struct {
    const char* text;
    const char* canonical;
    const char* display;
  } cases[] = {
      {"1", "1", "1"},
      {"001", "1", "001"},
      {"0", "0", "0"},
      {"000", "0", "000"},
      {"1.0", "1", "1.0"},
      {"1.0.0", "1", "1.0.0"},
      {"0.0", "0", "0.0"},
      {"0.1", "0.1", "0.1"},
      {"0.0.1", "0.0.1", "0.0.1"},
      {"1_2", "1.2", "1.2"},
      {"001_02", "1.2", "001.02"},
      {"1.10", "1.10", "1.10"},
      {"1.0.2.0", "1.0.2", "1.0.2.0"},
      {"20250603120000", "20250603120000", "20250603120000"},
      {"0099999999999999999999999999", "99999999999999999999999999",
       "0099999999999999999999999999"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Make(c.text).canonical(), c.canonical) << c.text;
    EXPECT_EQ(Make(c.text).display(), c.display) << c.text;
  }
}

TEST(VersionTest, RefusesEverythingElseAndNamesIt) {
  for (const char* text : {"",  ".",  "_",  "1.", "1_", ".1", "_1",  "1..2", "1__2",   "1._2",
                           "a", "1a", "-1", "+1", " 1", "1 ", "1,2", "1.2b", "latest", "٣"}) {
    const Result<Version> version = Version::Parse(text);
    ASSERT_FALSE(version) << text;
    EXPECT_EQ(version.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_NE(version.error().message.find("`" + std::string(text) + "`"), std::string::npos);
  }
}

TEST(VersionTest, OrdersPartsAsNumbersOfAnyLength) {
  // In ascending order.
  const char* texts[] = {"0",
                         "0.0.1",
                         "0.1",
                         "1",
                         "1.0.1",
                         "1.1",
                         "1.2",
                         "1.9",
                         "1.10",
                         "1.10.1",
                         "2",
                         "10",
                         "20250603120000",
                         "18446744073709551615",
                         "18446744073709551616",
                         "99999999999999999999999999999999",
                         "100000000000000000000000000000000",
                         "100000000000000000000000000000000.1"};
  for (std::size_t i = 0; i < std::size(texts); ++i) {
    for (std::size_t j = 0; j < std::size(texts); ++j) {
      EXPECT_EQ(Make(texts[i]) <=> Make(texts[j]), i <=> j) << texts[i] << " and " << texts[j];
    }
  }
}

TEST(VersionTest, TakesDifferentSpellingsOfANumberForEqual) {
  const char* equal[][2] = {{"1", "1.0"},   {"1", "01"},         {"1.0.0", "001"},
                            {"1_2", "1.2"}, {"1.2", "01.002.0"}, {"0", "0.0"}};
  for (const auto& [a, b] : equal) {
    EXPECT_TRUE(Make(a) == Make(b)) << a << " and " << b;
    EXPECT_EQ(Make(a) <=> Make(b), std::strong_ordering::equal) << a << " and " << b;
  }
}

TEST(VersionTest, PutsNoVersionBeforeEveryVersion) {
  EXPECT_TRUE(Version().empty());
  EXPECT_FALSE(Make("0").empty());
  EXPECT_LT(Version(), Make("0"));
  EXPECT_GT(Make("0"), Version());
  EXPECT_EQ(Version() <=> Version(), std::strong_ordering::equal);
}

}  // namespace
}  // namespace whimbrel::migration
