#include "migration/normalised_sum.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace whimbrel::migration {
namespace {

using namespace std::string_view_literals;

std::string SumOf(std::string_view text, std::size_t piece) {
  NormalisedSum sum;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    sum.Feed(text.substr(0, piece));
  }
  return sum.Hex();
}

TEST(NormalisedSumTest, IsTheSha256OfTheNormalisedTextHoweverItIsCut) {
  const struct {
    const char* name;
    std::string_view text;
    std::string_view normalised;
  } cases[] = {
      {"nothing", "", ""},
      {"plain", "select 1;", "select 1;"},
      {"a line end at the end", "select 1;\n", "select 1;"},
      {"every white space at the end", "select 1; \t\n\v\f\r\n \r", "select 1;"},
      {"nothing but white space", " \r\n\t\n", ""},
      {"CR LF", "a\r\nb\r\n\r\nc", "a\nb\n\nc"},
      {"CR alone stays", "a\rb", "a\rb"},
      {"CR before CR LF stays", "a\r\r\nb", "a\r\nb"},
      {"CR before other white space stays", "a\r \r\nb", "a\r \nb"},
      {"white space within stays", "a  \n\n\t b \n", "a  \n\n\t b"},
      {"white space at the beginning stays", "\n a", "\n a"},
      {"other than ASCII", "-- größer\r\n", "-- größer"},
      {"no-break space is not dropped", "a\xC2\xA0\n", "a\xC2\xA0"},
  };
  for (const auto& c : cases) {
    for (const std::size_t piece : {1, 2, 3, 5, 100}) {
      EXPECT_EQ(SumOf(c.text, piece), Sha256Hex(c.normalised))
          << c.name << " in pieces of " << piece;
    }
  }
}

TEST(NormalisedSumTest, KnowsWhichTextsAreNormal) {
  for (const std::string_view text : {""sv, "a"sv, "a\nb"sv, "a\rb"sv, "\n a"sv}) {
    EXPECT_TRUE(NormalisedSum::IsNormal(text)) << text;
    EXPECT_EQ(SumOf(text, 100), Sha256Hex(text)) << text;
  }
  for (const std::string_view text : {"\n"sv, "a "sv, "a\n"sv, "a\r"sv, "a\r\nb"sv}) {
    EXPECT_FALSE(NormalisedSum::IsNormal(text)) << text;
    EXPECT_NE(SumOf(text, 100), Sha256Hex(text)) << text;
  }
}

}  // namespace
}  // namespace whimbrel::migration
