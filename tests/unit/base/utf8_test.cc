#include "whimbrel/base/utf8.h"

#include <gtest/gtest.h>

namespace whimbrel {
namespace {

TEST(Utf8, TheFirstMalformedByteIsFound) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\xA6"));
  EXPECT_EQ(FindInvalidUtf8("ab\xFF"), 2u);
  EXPECT_EQ(FindInvalidUtf8("a\xC3"), 1u) << "cut short";
  EXPECT_EQ(FindInvalidUtf8("\xC0\xAF"), 0u) << "overlong";
  EXPECT_EQ(FindInvalidUtf8("x\xED\xA0\x80"), 1u) << "a surrogate";
  EXPECT_EQ(FindInvalidUtf8("\xF4\x90\x80\x80"), 0u) << "above U+10FFFF";
}

TEST(Utf8, CharactersAreCountedNotBytes) {
  EXPECT_EQ(CountUtf8Characters(""), 0u);
  EXPECT_EQ(CountUtf8Characters("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\xA6"), 4u);
}

}  // namespace
}  // namespace whimbrel
