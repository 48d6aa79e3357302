#include "whimbrel/sql/statement_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/sql/corpus.h"
#include "unit/sql/splitting.h"

namespace whimbrel::sql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(StatementSplitter, SplitsEachCaseOfTheTable) {
  for (const SplitCase& row : SplitCorpus()) {
    EXPECT_EQ(Dump(Split(row.input)), row.dump) << row.name;
  }
}

// T75
TEST(StatementSplitter, TakesLargeAndManyAndDeepThings) {
  const std::string literal = "select '" + std::string(std::size_t{1} << 20, ';') + "';";
  EXPECT_EQ(CountStatements(Split(literal)), 1);

  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "select " + std::to_string(i) + ";\n";
  EXPECT_EQ(CountStatements(Split(many)), 10'000);

  const std::string deep =
      "select " + std::string(5'000, '(') + "1" + std::string(5'000, ')') + "; select 2;";
  EXPECT_EQ(CountStatements(Split(deep)), 2);

  std::string comment;
  for (int i = 0; i < 100'000; ++i) comment += "/*";
  for (int i = 0; i < 100'000; ++i) comment += "*/";
  EXPECT_EQ(Dump(Split(comment + "select 1")), "[select 1]");
}

TEST(StatementSplitter, SaysWhereAStatementIs) {
  SplitOptions options;
  options.file = "V1__é.sql";
  const std::string text = "\xEF\xBB\xBF-- é\n  ; é /*\n*/ x\n;y";
  const auto statements = SplitAll(text, options);
  ASSERT_TRUE(statements.has_value());
  ASSERT_EQ(statements->size(), 2);
  const OwnedStatement& first = statements->at(0);
  EXPECT_EQ(first.position.ToString(), "V1__é.sql:2:5");
  EXPECT_EQ(first.position.offset, text.find("é /*"));
  EXPECT_EQ(first.end_offset, text.find("\n;y"));
  EXPECT_EQ(statements->at(1).position.ToString(), "V1__é.sql:4:2");
}

TEST(StatementSplitter, CountsFromWhereThePartOfAFileBegins) {
  SplitOptions options;
  options.start = {.line = 7, .column = 3, .offset = 100};
  const auto statements = SplitAll(" select 1;\nselect 2", options);
  ASSERT_TRUE(statements.has_value());
  EXPECT_EQ(statements->at(0).position, (SourcePosition{.line = 7, .column = 4, .offset = 101}));
  EXPECT_EQ(statements->at(1).position, (SourcePosition{.line = 8, .column = 1, .offset = 111}));
  EXPECT_EQ(statements->at(1).end_offset, 119);
}

TEST(StatementSplitter, GivesTheCommentsBeforeAStatement) {
  const auto statements = SplitAll(
      "-- one\n\n/* two */ select 1 -- three\n; -- four\n-- five\nselect 2; /* six\n*/ -- "
      "seven\nselect 3;"
      "-- eight\n; select 4;\nselect 5");
  ASSERT_TRUE(statements.has_value());
  std::vector<std::string> comments;
  for (const OwnedStatement& statement : *statements) comments.push_back(statement.leading_comment);
  EXPECT_THAT(comments, ElementsAre("-- one\n/* two */\n", "-- five\n", "-- seven\n", "", ""));
}

TEST(StatementSplitter, KeepsOnlyTheEndOfALongLeadingComment) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "-- " + std::to_string(i) + "\n";
  const auto statements = SplitAll(text + "-- whimbrel: idempotent\ncall f()");
  ASSERT_TRUE(statements.has_value());
  EXPECT_LE(statements->at(0).leading_comment.size(), 65'536);
  EXPECT_TRUE(statements->at(0).leading_comment.ends_with("-- 19999\n-- whimbrel: idempotent\n"));
}

TEST(StatementSplitter, TellsDataThatWasCutOffFromDataThatEnded) {
  EXPECT_EQ(Split("copy t from stdin;\n1\n").parts.back().detail, "end of file");
  const Splitting ended = Split("copy t from stdin;\n1\n\\.\n");
  ASSERT_EQ(ended.parts.size(), 4);
  EXPECT_EQ(ended.parts[2].detail, "");
}

TEST(StatementSplitter, RefusesAStatementThatIsTooLarge) {
  SplitOptions options;
  options.max_statement_bytes = 10;
  EXPECT_EQ(Dump(Split("select 1 ;", options)), "[select 1]");
  EXPECT_EQ(Dump(Split("/*345678*/select 1;/*345678*/ \n ;", options)), "[select 1]");
  EXPECT_EQ(Dump(Split("select 1;\nselect 1   ;", options)),
            "[select 1]!2:1: a statement or comment of more than 10 bytes; divide it");
  EXPECT_EQ(Dump(Split("-- 456789x", options)), "");
  EXPECT_EQ(Dump(Split(" -- 456789xy", options)),
            "!1:2: a statement or comment of more than 10 bytes; divide it");
  EXPECT_EQ(Dump(Split("select '", options)),
            "!1:8: this string is not closed; close it with the quote that opened it");
  EXPECT_EQ(Dump(Split("select 'abc", options)),
            "!1:1: a statement or comment of more than 10 bytes; divide it");
}

TEST(StatementSplitter, ReadsNoFurtherThanAStatementMayBeLarge) {
  SplitOptions options;
  options.max_statement_bytes = 10;
  const std::string text = "select '" + std::string(1'000, 'x') + "';";
  ChunkedSource source(text, {1});
  EXPECT_THAT(Split(source, options).error, HasSubstr("more than 10 bytes"));
  EXPECT_LE(source.reads(), 11);
}

TEST(StatementSplitter, RefusesTooManyStatements) {
  SplitOptions options;
  options.max_statements = 2;
  EXPECT_EQ(Dump(Split("a;b", options)), "[a][b]");
  EXPECT_EQ(Dump(Split("a;b;c", options)),
            "[a][b]!1:5: more than 2 statements in one file; divide it");
}

TEST(StatementSplitter, ReturnsAnErrorAgain) {
  StringByteSource source("select 1; \\q");
  StatementSplitter splitter(source, {});
  std::string first;
  while (first.empty()) {
    const auto piece = splitter.Next();
    if (!piece.has_value()) first = piece.error().ToString();
  }
  const auto again = splitter.Next();
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().ToString(), first);
  EXPECT_EQ(again.error().kind, ErrorKind::kInvalidArgument);
}

class FailingSource final : public ByteSource {
 public:
  explicit FailingSource(std::string_view text) : text_(text) {}
  Result<std::string_view> Read() override {
    if (text_.empty()) return Fail(ErrorKind::kUnavailable, "the disk is gone");
    return std::exchange(text_, std::string_view());
  }

 private:
  std::string_view text_;
};

TEST(StatementSplitter, PassesAnErrorOfTheSourceOn) {
  for (std::string_view text :
       {"", "select 1; sel", "select 1; /*", "select 1; ", "copy t from stdin;\n1", "select '"}) {
    FailingSource source(text);
    EXPECT_THAT(Split(source).error, HasSubstr("the disk is gone")) << text;
  }
}

TEST(StatementSplitter, ReadsNoFurtherThanThePieceNeeds) {
  ChunkedSource source("select 1;copy t from stdin;\n1\nselect 2;", {9, 19, 1});
  StatementSplitter splitter(source, {});
  ASSERT_TRUE(std::holds_alternative<Statement>(**splitter.Next()));
  EXPECT_EQ(source.reads(), 1);
  ASSERT_TRUE(std::holds_alternative<Gap>(**splitter.Next()));
  ASSERT_TRUE(std::holds_alternative<Statement>(**splitter.Next()));
  ASSERT_TRUE(std::holds_alternative<Gap>(**splitter.Next()));
  EXPECT_EQ(source.reads(), 2);
  ASSERT_EQ(std::get<CopyData>(**splitter.Next()).bytes, "1");
  EXPECT_EQ(source.reads(), 3);
}

TEST(StatementSplitter, GivesViewsOfTheChunkInsteadOfCopies) {
  const std::string text = "select 1;\ncopy t from stdin;\n1\n\\.\n";
  StringByteSource source(text);
  StatementSplitter splitter(source, {});
  for (auto piece = splitter.Next(); piece->has_value(); piece = splitter.Next()) {
    const char* data = std::visit(
        [](const auto& p) {
          if constexpr (requires { p.text; })
            return p.text.data();
          else
            return p.bytes.data();
        },
        **piece);
    EXPECT_TRUE(data >= text.data() && data <= text.data() + text.size());
  }
}

}  // namespace
}  // namespace whimbrel::sql
