#include "whimbrel/sql/token.h"

#include <gtest/gtest.h>

#include <string>

namespace whimbrel::sql {
namespace {

/// The tokens as `kind:text`, separated by spaces.
std::string DumpTokens(std::string_view text, bool standard_conforming_strings = true) {
  std::string dump;
  TokenReader reader(text, standard_conforming_strings);
  while (const std::optional<Token> token = reader.Next()) {
    if (!dump.empty()) dump += ' ';
    dump += "wisnpo."[static_cast<std::size_t>(token->kind)];
    dump += ':';
    dump += token->text;
  }
  return dump;
}

struct TokenCase {
  std::string_view name;
  std::string_view input;
  std::string_view dump;
};

TEST(TokenReader, ReadsTheTokensOfAStatement) {
  static constexpr TokenCase kCases[] = {
      {"nothing", " -- x\n/* y */ ", ""},
      {"words and punctuation", "a.b(c,d)[1];", "w:a .:. w:b .:( w:c .:, w:d .:) .:[ n:1 .:] .:;"},
      {"comments between words", "create/* x */index--y\nconcurrently",
       "w:create w:index w:concurrently"},
      {"literals of all kinds", "'a' E'b' U&'c' B'0' x'1' N'd' $$e$$",
       "s:'a' s:E'b' s:U&'c' s:B'0' s:x'1' s:N'd' s:$$e$$"},
      {"a continued literal is one", "'a'\n'b' 'c'", "s:'a'\n'b' s:'c'"},
      {"quoted identifiers", "\"a\"\"b\" U&\"c\"", "i:\"a\"\"b\" i:U&\"c\""},
      {"numbers", "1 1.5 .5 1. 1e5 1.5E-3 0x1F 1_000",
       "n:1 n:1.5 n:.5 n:1. n:1e5 n:1.5E-3 n:0x1F n:1_000"},
      {"a range is not a number", "1..10", "n:1 .:.. n:10"},
      {"an exponent without digits is a word", "1e+ 1ex", "n:1 w:e o:+ n:1 w:ex"},
      {"parameters and a lone dollar", "$1 $ $a", "p:$1 .:$ .:$ w:a"},
      {"operators", "a<=b->>'c'*-1", "w:a o:<= w:b o:->> s:'c' o:*- n:1"},
      {"an operator ends where a comment begins", "a+/*x*/b-->", "w:a o:+ w:b"},
      {"a cast and a named argument", "a::b := c", "w:a .:: .:: w:b .:: o:= w:c"},
      {"text that ends within a literal", "a 'b", "w:a s:'b"},
  };
  for (const TokenCase& row : kCases) EXPECT_EQ(DumpTokens(row.input), row.dump) << row.name;
}

TEST(TokenReader, ReadsBackslashesAsTheServerIsSet) {
  EXPECT_EQ(DumpTokens(R"('a\' b)"), R"(s:'a\' w:b)");
  EXPECT_EQ(DumpTokens(R"('a\' b')", false), R"(s:'a\' b')");
}

TEST(Token, IsAKeywordInAnyCaseUnlessQuoted) {
  EXPECT_TRUE(TokenReader("SeLeCt").Peek()->IsWord("select"));
  EXPECT_FALSE(TokenReader("\"select\"").Peek()->IsWord("select"));
  EXPECT_FALSE(TokenReader("selects").Peek()->IsWord("select"));
}

TEST(Token, GivesTheNameOfAnIdentifier) {
  EXPECT_EQ(TokenReader("FooÄ").Peek()->Name(), "fooÄ");
  EXPECT_EQ(TokenReader("\"Foo\"\"bar\"").Peek()->Name(), "Foo\"bar");
  EXPECT_EQ(TokenReader("'foo'").Peek()->Name(), "");
}

TEST(Token, GivesTheValueOfAPlainLiteral) {
  EXPECT_EQ(TokenReader("'it''s'").Peek()->StringValue(), "it's");
  EXPECT_EQ(TokenReader("''").Peek()->StringValue(), "");
  EXPECT_EQ(TokenReader("$a$it's$a$").Peek()->StringValue(), "it's");
  EXPECT_EQ(TokenReader("$$$$").Peek()->StringValue(), "");
  EXPECT_EQ(TokenReader("E'a\\n'").Peek()->StringValue(), std::nullopt);
  EXPECT_EQ(TokenReader("'a'\n'b'").Peek()->StringValue(), std::nullopt);
  EXPECT_EQ(TokenReader("'a").Peek()->StringValue(), std::nullopt);
  EXPECT_EQ(TokenReader("'a''").Peek()->StringValue(), std::nullopt);
  EXPECT_EQ(TokenReader("$$a").Peek()->StringValue(), std::nullopt);
  EXPECT_EQ(TokenReader("a").Peek()->StringValue(), std::nullopt);
}

TEST(TokenReader, StepsOverWhatItAccepts) {
  TokenReader reader("alter table s.\"T\" (a, (b)) rename x to y");
  EXPECT_FALSE(reader.AcceptWord("table"));
  EXPECT_TRUE(reader.AcceptWord("alter"));
  EXPECT_TRUE(reader.AcceptWord("table"));
  EXPECT_TRUE(reader.AcceptQualifiedName());
  EXPECT_TRUE(reader.AcceptParentheses());
  EXPECT_EQ(reader.Rest(), "rename x to y");
  EXPECT_TRUE(reader.SkipToWord("to"));
  EXPECT_EQ(reader.Rest(), "y");
  EXPECT_FALSE(reader.SkipToWord("to"));
  EXPECT_EQ(reader.Rest(), "");
}

TEST(TokenReader, LooksForAWordOutsideOfParenthesesOnly) {
  TokenReader reader("a (with b) with c");
  EXPECT_TRUE(reader.SkipToWord("with"));
  EXPECT_EQ(reader.Rest(), "c");
}

}  // namespace
}  // namespace whimbrel::sql
