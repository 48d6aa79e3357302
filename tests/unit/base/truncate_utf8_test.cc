#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "whimbrel/base/redact.h"

namespace whimbrel {
namespace {

TEST(TruncateUtf8Test, CutsAtCharactersAndSaysSo) {
  struct Case {
    const char* name;
    std::string_view text;
    std::size_t max_bytes;
    std::string_view expected;
  };
  const Case cases[] = {
      {"an empty text stays empty", "", 0, ""},
      {"a text that fits is not touched", "hello", 5, "hello"},
      {"a longer one gets the ellipsis within the limit", "hello!", 5, "he…"},
      {"a character is not split", "äöüß", 7, "äö…"},
      {"not even when one byte is missing", "äöüß", 6, "ä…"},
      {"four bytes count as one character", "😀😀😀", 8, "😀…"},
      {"exactly the limit", "äöü", 6, "äöü"},
      {"only the ellipsis has room", "hello", 3, "…"},
      {"not even the ellipsis has room", "hello", 2, "he"},
      {"nothing has room", "hello", 0, ""},
      {"a character without room for anything", "ä!", 1, ""},
  };
  for (const Case& c : cases) EXPECT_EQ(TruncateUtf8(c.text, c.max_bytes), c.expected) << c.name;
}

TEST(TruncateUtf8Test, ReplacesWhatIsNotUtf8) {
  struct Case {
    const char* name;
    std::string_view text;
    std::string_view expected;
  };
  const Case cases[] = {
      {"Latin-1",
       "gr\xfc\xdf"
       "e",
       "gr\uFFFD\uFFFDe"},
      {"a lone continuation byte", "a\x80z", "a\uFFFDz"},
      {"an overlong slash of two bytes", "\xc0\xaf", "\uFFFD\uFFFD"},
      {"an overlong slash of three bytes", "\xe0\x80\xaf", "\uFFFD\uFFFD\uFFFD"},
      {"an overlong form of four bytes", "\xf0\x80\x80\xaf", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"a surrogate", "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},
      {"above U+10FFFF", "\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"a byte that never occurs", "\xff", "\uFFFD"},
      {"a character cut short by the end", "a\xe2\x82", "a\uFFFD\uFFFD"},
      {"a character cut short by another",
       "\xe2\x82"
       "z",
       "\uFFFD\uFFFDz"},
      {"the limits of each length are fine",
       "\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff",
       "\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"},
      {"NUL is a character", std::string_view("a\0b", 3), std::string_view("a\0b", 3)},
  };
  for (const Case& c : cases) EXPECT_EQ(TruncateUtf8(c.text, 100), c.expected) << c.name;
}

TEST(TruncateUtf8Test, NeverExceedsTheLimit) {
  const std::string text =
      "aä€😀\xff"
      "b😀€äa\xc3";
  for (std::size_t limit = 0; limit < 40; ++limit) {
    const std::string cut = TruncateUtf8(text, limit);
    EXPECT_LE(cut.size(), limit);
    EXPECT_EQ(TruncateUtf8(cut, cut.size()), cut) << "not UTF-8 at " << limit;
  }
}

}  // namespace
}  // namespace whimbrel
