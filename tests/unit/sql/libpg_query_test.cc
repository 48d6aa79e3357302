#include "unit/sql/libpg_query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/sql/statement_splitter.h"

// Every .sql file that the PostgreSQL packages install is cut as PostgreSQL's own code cuts it.
// Where the two answer different questions, the difference has a name here and its reason.
namespace whimbrel::sql {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> InstalledSqlFiles() {
  std::vector<fs::path> roots = {"/usr/share/postgresql"};
  if (const char* bin = std::getenv("WHIMBREL_PG_BIN")) roots.push_back(fs::path(bin) / "../share");
  std::vector<fs::path> files;
  for (const fs::path& root : roots) {
    if (!fs::is_directory(root)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_regular_file() && entry.path().extension() == ".sql") files.push_back(entry);
    }
  }
  return files;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Difference: psql's commands. Scripts of extensions begin with `\echo … \quit`, against being run
/// by hand; CREATE EXTENSION leaves such lines out (extension.c, execute_extension_script), and we
/// refuse them. Offsets stay.
void BlankPsqlLines(std::string& text) {
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    if (text[line] == '\\')
      std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(line), end - line, ' ');
    line = end + 1;
  }
}

/// Difference: `@extschema@`, `@extschema:name@` and `@extowner@`, for which CREATE EXTENSION puts
/// in a name (extension.c). The grammar would stop there.
void FillInNames(std::string& text) {
  constexpr std::string_view kMark = "@ext";
  for (std::size_t at = 0; (at = text.find(kMark, at)) != std::string::npos;) {
    const std::size_t end = text.find('@', at + kMark.size());
    if (end == std::string::npos) return;
    text[at] = text[end] = '_';
    std::replace(text.begin() + static_cast<std::ptrdiff_t>(at),
                 text.begin() + static_cast<std::ptrdiff_t>(end), ':', '_');
    at = end;
  }
}

/// Difference: hexadecimal numbers, which PostgreSQL has since 16.
void WriteHexAsDecimal(std::string& text) {
  for (std::size_t at = 0; (at = text.find("0x", at)) != std::string::npos;) {
    const std::size_t end =
        std::min(text.find_first_not_of("0123456789ABCDEFabcdef", at + 2), text.size());
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(at),
              text.begin() + static_cast<std::ptrdiff_t>(end), '0');
    at = end;
  }
}

bool ContainsAtomicBody(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text.find("BEGIN ATOMIC") != std::string::npos;
}

/// How the files were compared.
struct Count {
  int files = 0;
  int by_grammar = 0;
  int statements = 0;
  int atomic_bodies = 0;
};

/// Difference, of the scanner alone: it does not know the body of BEGIN ATOMIC, and cuts it at each
/// `;`. Takes the ranges that lie within our statement for one.
void JoinAtomicBody(const OwnedStatement& ours, std::vector<Range>& theirs, std::size_t at) {
  std::size_t last = at;
  while (last + 1 < theirs.size() && theirs[last + 1].end <= ours.end_offset) ++last;
  theirs[at].end = theirs[last].end;
  theirs.erase(theirs.begin() + static_cast<std::ptrdiff_t>(at) + 1,
               theirs.begin() + static_cast<std::ptrdiff_t>(last) + 1);
}

void Compare(const fs::path& path, Count& count) {
  std::string text = ReadFile(path);
  BlankPsqlLines(text);
  FillInNames(text);
  WriteHexAsDecimal(text);
  const auto ours = SplitAll(text);
  ASSERT_TRUE(ours) << path << ": " << ours.error().ToString();
  std::optional<std::vector<Range>> theirs = SplitWithGrammar(text);
  const bool by_grammar = theirs.has_value();
  // Other majors' files have statements that PostgreSQL 15's grammar does not know.
  if (!by_grammar) theirs = SplitWithScanner(text);
  ASSERT_TRUE(theirs) << path;
  for (std::size_t i = 0; i < ours->size(); ++i) {
    const OwnedStatement& statement = (*ours)[i];
    ASSERT_FALSE(statement.copy_from_stdin) << path << " has data, which only psql can read";
    if (!by_grammar && ContainsAtomicBody(statement.text)) {
      JoinAtomicBody(statement, *theirs, i);
      ++count.atomic_bodies;
    }
    ASSERT_LT(i, theirs->size()) << path << ": we alone find " << statement.text;
    // All that lies outside of our statements is white space, comments and semicolons.
    ASSERT_LE((*theirs)[i].begin, statement.position.offset) << path << ": " << statement.text;
    ASSERT_GE((*theirs)[i].end, statement.end_offset) << path << ": " << statement.text;
  }
  ASSERT_EQ(ours->size(), theirs->size()) << path << ": they alone find more at the end";
  ++count.files;
  count.by_grammar += by_grammar ? 1 : 0;
  count.statements += static_cast<int>(ours->size());
}

TEST(SplitterAndLibpgQuery, CutAllInstalledSqlFilesAlike) {
  Count count;
  for (const fs::path& path : InstalledSqlFiles()) Compare(path, count);
  RecordProperty("files", count.files);
  RecordProperty("files_by_grammar", count.by_grammar);
  RecordProperty("statements", count.statements);
  RecordProperty("atomic_bodies_joined", count.atomic_bodies);
  std::printf("%d files (%d with the grammar) of %d statements were compared\n", count.files,
              count.by_grammar, count.statements);
  // What Debian's postgresql-15 alone brings; less means that the files were not found.
  EXPECT_GT(count.files, 150);
  EXPECT_GT(count.by_grammar, 150);
  EXPECT_GT(count.statements, 3'500);
}

}  // namespace
}  // namespace whimbrel::sql
