#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "resolve.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::migration {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The text of `1.sql`, the first of the files.
std::string Expand(const std::vector<TestFile>& files) {
  Result<ResolvedMigrations> resolved = ResolveFiles(files, Format::kNumbered);
  if (!resolved) return "!" + resolved.error().ToString();
  if (resolved->versioned.empty()) return "no migration";
  return ReadAll(resolved->versioned.front().up.Open());
}

TEST(PsqlExpansionTest, PutsTheFilesTogetherAsPsqlReadsThem) {
  const struct {
    const char* name;
    std::vector<TestFile> files;
    const char* text;
  } cases[] = {
      {"an included file", {{"1.sql", "a;\n\\i b.sql\nc;\n"}, {"b.sql", "b;\n"}}, "a;\nb;\n\nc;\n"},
      {"by any of the names",
       {{"1.sql", "\\include b.sql\n\\ir b.sql\n\\include_relative ./b.sql;\n"}, {"b.sql", "b;\n"}},
       "b;\n\nb;\n\nb;\n\n"},
      {"within each other",
       {{"1.sql", "\\i b.sql"}, {"b.sql", "b;\n\\i c.sql\nB;"}, {"c.sql", "c;"}},
       "b;\nc;\n\nB;\n"},
      {"\\i counts from the root, \\ir from the file",
       {{"db/1.sql", "\\i lib/x.sql\n\\ir lib/x.sql\n\\ir ../lib/x.sql\n"},
        {"lib/x.sql", "root;\n"},
        {"db/lib/x.sql", "db;\n"}},
       "root;\n\ndb;\n\nroot;\n\n"},
      {"\\i finds what is beside the file when the root has nothing",
       {{"db/1.sql", "\\i x.sql\n\\i ../y.sql\n"}, {"db/x.sql", "x;\n"}, {"y.sql", "y;\n"}},
       "x;\n\ny;\n\n"},
      {"\\ir counts from the file that it stands in",
       {{"1.sql", "\\i a/b.sql\n"}, {"a/b.sql", "\\ir c.sql\n"}, {"a/c.sql", "c;\n"}},
       "c;\n\n\n"},
      {"a byte order mark of each",
       {{"1.sql", "\xEF\xBB\xBF\\i b.sql\n"},
        {"b.sql",
         "\xEF\xBB\xBF"
         "b;\n"}},
       "b;\n\n"},
      {"a statement ends with its file",
       {{"1.sql", "\\i b.sql\nc;\n"}, {"b.sql", "b -- x"}},
       "b -- x\n;\n\nc;\n"},
      {"and so does data",
       {{"1.sql", "\\i b.sql\nc;\n"}, {"b.sql", "copy t from stdin;\n1"}},
       "copy t from stdin;\n1\n\\.\n\nc;\n"},
      {"variables hold from file to file",
       {{"1.sql", "\\set a 1\n\\i b.sql\nselect :a, :b;\n"}, {"b.sql", "\\set b :a:a\nb :b;\n"}},
       "\n\nb 11;\n\nselect 1, 11;\n"},
      {"and from when they are set",
       {{"1.sql", "select :a;\n\\set a 1\nselect :a;\n\\set a 2\nselect :a;\n"}},
       "select :a;\n\nselect 1;\n\nselect 2;\n"},
      {"a value of several words, and none",
       {{"1.sql", "\\set a x y 'z '\n\\set b\nselect :'a', :'b';\n"}},
       "\n\nselect 'xyz ', '';\n"},
      {"a path from a variable",
       {{"1.sql", "\\set lib a/b\n\\i :lib/c.sql\n"}, {"a/b/c.sql", "c;\n"}},
       "\nc;\n\n"},
      {"what is only shown vanishes",
       {{"1.sql", "\\echo 'it''s' :x\n\\qecho a\n\\warn b\na;\n"}},
       "\n\n\na;\n"},
      {"settings of psql that change nothing here",
       {{"1.sql",
         "\\set ON_ERROR_STOP on\n\\set ON_ERROR_STOP\n\\set AUTOCOMMIT 1\n\\set QUIET\na;\n"}},
       "\n\n\n\na;\n"},
      {"a command that is refused later stays",
       {{"1.sql", "\\set a 1\n\\if :a\nselect :a;\n"}},
       "\n\\if :a\nselect :a;\n"},
      {"a down section is none of the text",
       {{"1.sql", "\\set a 1\nselect :a;\n-- Down\nselect :a;\n"}},
       "\nselect 1;\n"},
      {"no command, no change",
       {{"1.sql", "select '\\i', E'\\set', :a, a[1:b];\ncopy t from stdin;\n\\i\n\\echo\n\\.\n"}},
       "select '\\i', E'\\set', :a, a[1:b];\ncopy t from stdin;\n\\i\n\\echo\n\\.\n"},
  };
  for (const auto& c : cases) EXPECT_EQ(Expand(c.files), c.text) << c.name;
}

TEST(PsqlExpansionTest, RefusesWhatCannotBePutTogether) {
  std::vector<BadCase> cases = {
      {"no such file",
       {{"db/1.sql", "\n \\i x.sql"}},
       {"db/1.sql:2:2", "\\i x.sql: the source has no file x.sql nor db/x.sql"}},
      {"no such file beside", {{"db/1.sql", "\\ir x.sql"}}, {"has no file db/x.sql;"}},
      {"nothing", {{"1.sql", "\\i"}}, {"1.sql:1:1", "needs the path"}},
      {"a folder", {{"1.sql", "\\i a"}, {"a/2.sql", ""}}, {"no file a;"}},
      {"an absolute path",
       {{"1.sql", "\\i /etc/passwd"}},
       {"1.sql:1:1", "leads out of the source"}},
      {"a home", {{"1.sql", "\\i ~/x.sql"}}, {"leads out of the source"}},
      {"a path upwards",
       {{"db/1.sql", "\\ir ../../x.sql"}, {"x.sql", ""}},
       {"leads out of the source"}},
      {"itself", {{"1.sql", "a;\n\\i 1.sql"}}, {"1.sql:2:1", "in a circle: 1.sql:2 → 1.sql"}},
      {"a circle",
       {{"1.sql", "\\i b.sql"}, {"b.sql", "\n\\i c.sql"}, {"c.sql", "\n\n\\ir b.sql"}},
       {"c.sql:3:1", "circle: 1.sql:1 → b.sql:2 → c.sql:3 → b.sql"}},
      {"a name that is none", {{"1.sql", "\\set a-b 1"}}, {"\\set a-b", "letters"}},
      {"no name", {{"1.sql", "\\set"}}, {"\\set needs the name"}},
      {"errors are wanted", {{"1.sql", "\\set ON_ERROR_STOP off"}}, {"stops at every error"}},
      {"no commit", {{"1.sql", "\\set AUTOCOMMIT off"}}, {"in one transaction"}},
      {"lines that end statements",
       {{"1.sql", "\\set SINGLELINE on"}},
       {"end statements with `;`"}},
      {"within a statement",
       {{"1.sql", "\\i b.sql"}, {"b.sql", "b;\nselect\n \\echo\n"}},
       {"b.sql:3:2", "stands within a statement"}},
      {"a string that is not closed in its file",
       {{"1.sql", "\\i b.sql\n';"}, {"b.sql", "b; select 'x"}},
       {"b.sql:1:11", "this string is not closed"}},
      {"bytes that are no UTF-8 in an included file",
       {{"1.sql", "a;\n\\i b.txt\n"}, {"b.txt", "b;\n -- \xE4\n"}},
       {"b.txt:2:5", "UTF-8"}},
      {"a down section in an included file",
       {{"1.sql", "a;\n\\i b.sql\n\\i c.sql\n"}, {"b.sql", "b;\n-- Down\nB;\n"}, {"c.sql", "c;"}},
       {"b.sql:2:1", "a file that 1.sql includes"}},
      {"a second down section",
       {{"1.sql", "\\set a 1\na;\n-- Down\nb;\n-- Down\nc;"}},
       {"1.sql:5:1", "second down section"}},
      {"a file that none includes",
       {{"1.sql", "a;"}, {"b.sql", "\\i c.sql"}, {"c.sql", ""}},
       {"b.sql", "no migration includes it (\\i)"}},
  };
  BadCase deep{"too deep", {{"1.sql", "\\i 2.txt"}}, {"18.txt", "16 deep"}};
  for (int i = 2; i < 30; ++i) {
    deep.files.push_back({std::to_string(i) + ".txt", "\\i " + std::to_string(i + 1) + ".txt"});
  }
  cases.push_back(deep);
  ExpectRefusals(cases, Format::kNumbered);
}

TEST(PsqlExpansionTest, RefusesInclusionsThatMultiply) {
  std::vector<TestFile> files = {{"1.sql", "\\i a"}};
  for (char c = 'a'; c < 'p'; ++c) {
    const std::string next(1, static_cast<char>(c + 1));
    files.push_back({std::string(1, c), "\\i " + next + "\n\\i " + next + "\n"});
  }
  files.push_back({"p", ""});
  const auto resolved = Resolve(*InMemory(files), Format::kNumbered);
  ASSERT_FALSE(resolved);
  EXPECT_NE(resolved.error().ToString().find("more than 10000 files"), std::string::npos);
}

TEST(PsqlExpansionTest, RefusesValuesThatMultiply) {
  std::string text = "\\set a " + std::string(500'000, 'x') + "\n";
  for (int i = 0; i < 100; ++i) text += "\\set b" + std::to_string(i) + " :a\n";
  const auto resolved = Resolve(*InMemory({{"1.sql", text}}), Format::kNumbered);
  ASSERT_FALSE(resolved);
  EXPECT_NE(resolved.error().ToString().find("1.sql:35:1: the values of variables make up more "
                                             "than 16 MiB"),
            std::string::npos)
      << resolved.error().ToString();
}

TEST(PsqlExpansionTest, SumsTheTextThatItBecomes) {
  const std::vector<TestFile> files = {{"1.sql", "\\set t b\n\\i t.sql\n-- Down\ndrop :t;\n"},
                                       {"t.sql", "create :t;\r\n"}};
  const auto resolved = ResolveFiles(files, Format::kNumbered);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  const ResolvedMigration& migration = resolved->versioned.front();
  EXPECT_EQ(migration.raw_sum, Sha256Hex("\ncreate b;\r\n\n"));
  EXPECT_EQ(migration.sum, Sha256Hex("\ncreate b;"));
  EXPECT_EQ(migration.down_sum, Sha256Hex("-- Down\ndrop b;"));
  ASSERT_TRUE(migration.down);
  EXPECT_EQ(ReadAll(migration.down->Open()), "-- Down\ndrop b;\n");
  EXPECT_EQ(migration.path, "1.sql");
}

TEST(PsqlExpansionTest, AFileThatIsIncludedIsNoMigrationUnlessItHasANumber) {
  const auto resolved = ResolveFiles({{"1_a.sql", "\\i lib/b.sql\n\\i 2_c.sql\n\\i d.txt\n"},
                                      {"lib/b.sql", "b;"},
                                      {"2_c.sql", "c;"},
                                      {"d.txt", "d;"},
                                      {"e.txt", "e"}},
                                     Format::kNumbered);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  ASSERT_EQ(resolved->versioned.size(), 2U);
  EXPECT_EQ(resolved->versioned[0].path, "1_a.sql");
  EXPECT_EQ(resolved->versioned[1].path, "2_c.sql");
  EXPECT_THAT(resolved->ignored, ElementsAre("e.txt"));
}

/// `file:line:column@offset` of where the n-th `what` of the migration's text comes from.
std::string Origin(const Script& script, const std::string& what, int n = 1) {
  const std::string text = ReadAll(script.file->Open());
  std::size_t at = text.find(what);
  while (--n > 0 && at != std::string::npos) at = text.find(what, at + 1);
  if (at == std::string::npos) return "not there";
  SourcePosition position{.file = "x", .line = 1, .column = 1, .offset = at};
  for (std::size_t i = 0; i < at; ++i) {
    if (text[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++position.column;
    }
  }
  const SourcePosition found = script.Locate(position);
  return found.ToString() + "@" + std::to_string(found.offset);
}

TEST(PsqlExpansionTest, KnowsWhereEachPlaceComesFrom) {
  const auto resolved =
      ResolveFiles({{"1.sql", "ä;\n\\set v 'long value'\n\\i b.sql \\\\ A;\nx :v y; z\n"},
                    {"b.sql", "b;\n\n ü c"}},
                   Format::kNumbered);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  const Script& script = resolved->versioned.front().up;
  EXPECT_EQ(Origin(script, "\xC3\xA4"), "1.sql:1:1@0");
  EXPECT_EQ(Origin(script, "b;"), "b.sql:1:1@0");
  EXPECT_EQ(Origin(script, "c"), "b.sql:3:4@8");
  EXPECT_EQ(Origin(script, ";", 3), "b.sql:3:5@9") << "what psql puts behind an included file";
  EXPECT_EQ(Origin(script, "A;"), "1.sql:3:13@36");
  EXPECT_EQ(Origin(script, "x "), "1.sql:4:1@39");
  EXPECT_EQ(Origin(script, "long"), "1.sql:4:3@41");
  EXPECT_EQ(Origin(script, "value"), "1.sql:4:3@41");
  EXPECT_EQ(Origin(script, "y;"), "1.sql:4:6@44");
  EXPECT_EQ(Origin(script, "z"), "1.sql:4:9@47");
}

TEST(PsqlExpansionTest, LeavesAFileWithoutCommandsAlone) {
  const auto source = InMemory({{"1.sql", "select '\\i';"}, {"2.sql", "\\set a 1\n"}});
  const auto resolved = Resolve(*source, Format::kNumbered);
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->versioned[0].up.file, source->files[0]);
  EXPECT_NE(resolved->versioned[1].up.file, source->files[1]);
  const SourcePosition place{.file = "1.sql", .line = 7, .column = 3, .offset = 100};
  EXPECT_EQ(resolved->versioned[0].up.Locate(place), place);
}

TEST(PsqlExpansionTest, NoticesThatAnIncludedFileIsNotTheOneThatWasHashed) {
  for (const char* now : {"B;", "b; ", "b", ""}) {
    Source source;
    source.files.push_back(std::make_shared<ChunkedFile>("1.sql", "\\i b.sql", "\\i b.sql", 4));
    source.files.push_back(std::make_shared<ChunkedFile>("b.sql", "b;", now, 4));
    const auto resolved = Resolve(source, Format::kNumbered);
    ASSERT_FALSE(resolved) << now;
    EXPECT_EQ(resolved.error().kind, ErrorKind::kSourceChanged) << now;
    EXPECT_NE(resolved.error().message.find("b.sql"), std::string::npos);
  }
}

TEST(PsqlExpansionTest, OtherFormatsHaveNoCommandsOfPsql) {
  const auto resolved =
      ResolveFiles({{"V1__a.sql", "\\set a 1\n\\i b.sql\nselect :a;\n"}}, Format::kFlyway);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  EXPECT_EQ(ReadAll(resolved->versioned.front().up.Open()), "\\set a 1\n\\i b.sql\nselect :a;\n");
  EXPECT_THAT(resolved->ignored, IsEmpty());
}

}  // namespace
}  // namespace whimbrel::migration
