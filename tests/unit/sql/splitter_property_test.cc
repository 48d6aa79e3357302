#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "unit/sql/corpus.h"
#include "unit/sql/splitting.h"

namespace whimbrel::sql {
namespace {

Splitting SplitInChunks(std::string_view text, std::vector<std::size_t> sizes) {
  ChunkedSource source(text, std::move(sizes));
  return Split(source);
}

void ExpectSameInAnyChunks(const std::string& text) {
  const Splitting whole = Split(text);
  for (std::size_t size : {1U, 2U, 3U, 7U}) {
    EXPECT_EQ(SplitInChunks(text, {size}), whole) << text << "\nin chunks of " << size;
  }
}

void ExpectToConcatenate(const std::string& text) {
  const Splitting whole = Split(text);
  if (whole.error.empty()) {
    EXPECT_EQ(Concatenate(whole), text);
  }
}

/// Statements hold no white space at their ends, and are one statement each when split again.
void ExpectStatementsToStand(const std::string& text) {
  bool standard = true;
  for (const Splitting::Part& part : Split(text).parts) {
    if (part.kind != 's') continue;
    SplitOptions options;
    options.standard_conforming_strings = standard;
    standard = StandardConformingStringsAfter(Classify(part.text, standard), standard, true);
    const auto again = SplitAll(part.text, options);
    ASSERT_TRUE(again.has_value()) << part.text;
    ASSERT_EQ(again->size(), 1) << part.text;
    EXPECT_EQ(again->front().text, part.text);
  }
}

TEST(SplitterProperty, PiecesConcatenateToTheInput) {
  for (const SplitCase& row : SplitCorpus()) ExpectToConcatenate(row.input);
}

TEST(SplitterProperty, ChunksDoNotMatter) {
  for (const SplitCase& row : SplitCorpus()) {
    const Splitting whole = Split(row.input);
    for (std::size_t cut = 1; cut < row.input.size(); ++cut) {
      ASSERT_EQ(SplitInChunks(row.input, {cut, row.input.size()}), whole)
          << row.name << ", cut at " << cut;
    }
    ExpectSameInAnyChunks(row.input);
  }
}

TEST(SplitterProperty, AStatementSplitsIntoItself) {
  for (const SplitCase& row : SplitCorpus()) ExpectStatementsToStand(row.input);
}

/// Whether another file may follow: nothing of this one reaches into it.
bool CanBeFollowed(const std::string& text) {
  const Splitting splitting = Split(text);
  bool standard = true;
  for (const Splitting::Part& part : splitting.parts) {
    if (part.kind == 's')
      standard = StandardConformingStringsAfter(Classify(part.text), standard, true);
    if (part.kind == 'd' && !part.detail.empty()) return false;
  }
  return standard && splitting.error.empty();
}

// T77
TEST(SplitterProperty, TwoFilesTogetherHaveTheStatementsOfBoth) {
  for (const SplitCase& first : SplitCorpus()) {
    if (!CanBeFollowed(first.input)) continue;
    for (const SplitCase& second : SplitCorpus()) {
      if (!second.dump.empty() && second.dump.find('!') != std::string::npos) continue;
      if (second.input.starts_with("\xEF\xBB\xBF")) continue;
      ASSERT_EQ(Dump(Split(first.input + "\n;\n" + second.input)), first.dump + second.dump)
          << first.name << " + " << second.name;
    }
  }
}

TEST(SplitterProperty, HoldsForRandomTexts) {
  const std::vector<std::string> alphabet = {";",
                                             ";",
                                             ";",
                                             "\n",
                                             "\n",
                                             " ",
                                             " ",
                                             "'",
                                             "'",
                                             "\"",
                                             "E'",
                                             "U&'",
                                             "U&\"",
                                             "\\'",
                                             "\\",
                                             "''",
                                             "$$",
                                             "$a$",
                                             "$",
                                             "$1",
                                             "--",
                                             "-",
                                             "/*",
                                             "*/",
                                             "/",
                                             "*",
                                             "(",
                                             ")",
                                             "a",
                                             "é",
                                             "1",
                                             ".5",
                                             "copy t from stdin;\n",
                                             "copy t from stdin; ",
                                             "\\.\n",
                                             "\n\\.\n",
                                             "\r\n",
                                             "begin ",
                                             "atomic ",
                                             "end",
                                             "create function ",
                                             "case ",
                                             "as ",
                                             "\\restrict x\n",
                                             "set standard_conforming_strings=off;",
                                             "b'",
                                             "n'",
                                             ":",
                                             "::",
                                             "\t",
                                             "select "};
  std::mt19937 random(20'240'229);  // NOLINT: the same texts each time.
  for (int i = 0; i < 6'000 && !::testing::Test::HasFailure(); ++i) {
    std::string text;
    const std::size_t size = random() % 24;
    for (std::size_t k = 0; k < size; ++k) text += alphabet[random() % alphabet.size()];
    SCOPED_TRACE(text);
    ExpectToConcatenate(text);
    ExpectSameInAnyChunks(text);
    ExpectStatementsToStand(text);
  }
}

TEST(SplitterProperty, HoldsForLargeTextsInChunksOfAnySize) {
  std::mt19937 random(7);  // NOLINT: the same text each time.
  std::string text;
  while (text.size() < 400'000) {
    text += "insert into t values ('" +
            std::string(random() % (random() % 8 == 0 ? 30'000 : 300), 'x') + "');\n";
    if (random() % 16 == 0) {
      text += "copy t from stdin;\n" + std::string(random() % 20'000, '1') + "\n\\.\n";
    }
  }
  const Splitting whole = Split(text);
  EXPECT_EQ(Concatenate(whole), text);
  for (std::vector<std::size_t> sizes :
       std::vector<std::vector<std::size_t>>{{100},
                                             {4'096},
                                             {5'000},
                                             {70'000},
                                             {1, 1'000'000},
                                             {100'000, 1, 20'000, 3, 150'000, 10}}) {
    EXPECT_EQ(SplitInChunks(text, sizes), whole) << "first chunk of " << sizes.front();
  }
}

// Found by fuzzing: reading the line anew for each COPY took minutes, which the time limit ends.
TEST(SplitterProperty, AnyNumberOfCopiesOnALineIsReadInLinearTime) {
  constexpr std::size_t kCopies = 30'000;
  std::string line;
  std::string data;
  for (std::size_t i = 0; i < kCopies; ++i) {
    line += "copy t from stdin; ";
    data += "1\n\\.\n";
  }
  const Splitting splitting = Split(line + "\n" + data);
  EXPECT_EQ(splitting.error, "");
  EXPECT_EQ(CountStatements(splitting), kCopies);
  EXPECT_EQ(splitting.parts.back().text, "\\.\n");
}

}  // namespace
}  // namespace whimbrel::sql
