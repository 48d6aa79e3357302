#include "migration/utf8_checker.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace whimbrel::migration {
namespace {

using namespace std::string_view_literals;

/// Feeds the text in two pieces.
std::optional<Utf8Checker::Finding> Check(std::string_view text, std::size_t cut) {
  Utf8Checker checker;
  if (const auto finding = checker.Feed(text.substr(0, cut))) return finding;
  if (const auto finding = checker.Feed(text.substr(cut))) return finding;
  return checker.Finish();
}

/// Feeds it byte by byte.
std::optional<Utf8Checker::Finding> CheckBytes(std::string_view text) {
  Utf8Checker checker;
  for (const char& c : text) {
    if (const auto finding = checker.Feed({&c, 1})) return finding;
  }
  return checker.Finish();
}

TEST(Utf8CheckerTest, AcceptsWhatPostgresqlAccepts) {
  for (const std::string_view text :
       {""sv, "select 1;\n"sv,
        "a string that is longer than eight bytes, with \t and \x01 and \x7F"sv, "\xC2\x80"sv,
        "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv, "\xEF\xBB\xBF select"sv,
        "\xEF\xBF\xBC"sv, "\xEF\xBF\xBE"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv,
        "12345678ä12345678ö€😀"sv}) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      EXPECT_FALSE(Check(text, cut)) << text << " cut at " << cut;
    }
    EXPECT_FALSE(CheckBytes(text)) << text;
  }
}

TEST(Utf8CheckerTest, FindsTheFirstDefectHoweverTheTextIsCut) {
  const struct {
    const char* name;
    std::string_view text;
    TextDefect defect;
    std::uint64_t offset;
  } cases[] = {
      {"NUL", "\0"sv, TextDefect::kNul, 0},
      {"NUL behind words of eight bytes", "0123456789abcdef\0x"sv, TextDefect::kNul, 16},
      {"NUL within a word", "01\x7F\0x\0567890"sv, TextDefect::kNul, 3},
      {"NUL behind 0x01, which a word trick may take for it", "\x01\x01\x01\0 567890"sv,
       TextDefect::kNul, 3},
      {"lone continuation", "ab\x80"sv, TextDefect::kInvalidUtf8, 2},
      {"byte 0xFF", "select '\xFF';"sv, TextDefect::kInvalidUtf8, 8},
      {"Latin-1",
       "gr\xFC\xDF"
       "e"sv,
       TextDefect::kInvalidUtf8, 2},
      {"overlong slash", "\xC0\xAF"sv, TextDefect::kInvalidUtf8, 0},
      {"overlong in three bytes", "x\xE0\x9F\xBF"sv, TextDefect::kInvalidUtf8, 1},
      {"overlong in four bytes", "\xF0\x8F\xBF\xBF"sv, TextDefect::kInvalidUtf8, 0},
      {"surrogate", "\xED\xA0\x80"sv, TextDefect::kInvalidUtf8, 0},
      {"above U+10FFFF", "\xF4\x90\x80\x80"sv, TextDefect::kInvalidUtf8, 0},
      {"five bytes", "\xF8\x88\x80\x80\x80"sv, TextDefect::kInvalidUtf8, 0},
      {"cut off by ASCII", "\xE2\x82 select"sv, TextDefect::kInvalidUtf8, 0},
      {"cut off by the end after one byte", "abcdefghijk\xE2"sv, TextDefect::kInvalidUtf8, 11},
      {"cut off by the end after three", "abc\xF0\x9F\x98"sv, TextDefect::kInvalidUtf8, 3},
      {"U+FFFD", "caf\xEF\xBF\xBD"sv, TextDefect::kReplacementCharacter, 3},
      {"the first of two", "\xEF\xBF\xBD \0"sv, TextDefect::kReplacementCharacter, 0},
  };
  for (const auto& c : cases) {
    for (std::size_t cut = 0; cut <= c.text.size(); ++cut) {
      const auto finding = Check(c.text, cut);
      ASSERT_TRUE(finding) << c.name << " cut at " << cut;
      EXPECT_EQ(finding->defect, c.defect) << c.name << " cut at " << cut;
      EXPECT_EQ(finding->offset, c.offset) << c.name << " cut at " << cut;
    }
    const auto finding = CheckBytes(c.text);
    ASSERT_TRUE(finding) << c.name;
    EXPECT_EQ(finding->offset, c.offset) << c.name;
  }
}

}  // namespace
}  // namespace whimbrel::migration
