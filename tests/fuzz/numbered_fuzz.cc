#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "fuzz/resolved.h"
#include "sql/window.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/sql/statement_splitter.h"

// A folder of files gives the same as a ConfigMap of them; the up part and the down part are the
// file, and no statement of it is lost between them; the sum is the one of the design; a statement
// is found where its position says, in an included file too.
namespace whimbrel::fuzz {
namespace {

using migration::ResolvedMigration;

/// The texts of all statements; nullopt when the text cannot be cut.
std::optional<std::string> StatementsOf(std::string_view text) {
  const auto statements = sql::SplitAll(text);
  if (!statements) return std::nullopt;
  std::string texts;
  for (const sql::OwnedStatement& statement : *statements) {
    texts += statement.text + "\n;\n" + statement.copy_data;
  }
  return texts;
}

/// Design §3, Sums, word by word.
std::string SumOf(std::string text) {
  for (std::size_t at = 0; (at = text.find("\r\n", at)) != std::string::npos;) text.erase(at, 1);
  text.resize(text.find_last_not_of(" \t\n\v\f\r") + 1);
  return Sha256Hex(text);
}

void RequirePartsToBeTheFile(const ResolvedMigration& found) {
  const std::string up = migration::ReadAll(found.up.Open());
  Require(found.sum == SumOf(up), "the sum is that of the up part", up);
  if (!found.down) return;
  const std::string down = migration::ReadAll(found.down->Open());
  Require(found.down_sum == SumOf(down), "the down sum is that of the down part", down);
  if (found.down->file != found.up.file) return;
  Require(found.up.end == found.down->begin && found.down->end == found.up.file->size(),
          "the parts are the file");
  const auto whole = StatementsOf(up + down);
  Require(whole.has_value(), "a file that is cut in two can be cut into statements");
  Require(*whole == StatementsOf(up).value_or("?") + StatementsOf(down).value_or("?"),
          "the statements of the parts are those of the file", up + "\n<>\n" + down);
}

void RequirePlaces(const migration::Script& script, const std::vector<migration::TestFile>& files) {
  const auto statements = sql::SplitAll(migration::ReadAll(script.Open()),
                                        {.file = script.file->path(), .start = script.start});
  if (!statements) return;
  for (const sql::OwnedStatement& statement : *statements) {
    const SourcePosition place = script.Locate(statement.position);
    const auto file = std::ranges::find(files, place.file, &migration::TestFile::path);
    Require(file != files.end(), "a statement stands in a file of the source", place.ToString());
    SourcePosition expected{.file = place.file, .line = 1, .column = 1};
    sql::Advance(expected, std::string_view(file->text).substr(0, place.offset));
    Require(place == expected, "line, column and offset say the same",
            place.ToString() + " " + expected.ToString());
    // Where it begins with the value of a variable, the variable stands.
    const char first = place.offset < file->text.size() ? file->text[place.offset] : '\0';
    Require(first == statement.text.front() || first == ':',
            "a statement stands where it is said to", place.ToString());
  }
}

}  // namespace

void Try(std::string_view input) {
  const auto resolved = ResolveBothWays(input, migration::Format::kNumbered);
  if (!resolved) return;
  const std::vector<migration::TestFile> files = FilesOf(input);
  for (const ResolvedMigration& found : resolved->versioned) {
    RequirePartsToBeTheFile(found);
    RequirePlaces(found.up, files);
    if (found.down) RequirePlaces(*found.down, files);
  }
}

}  // namespace whimbrel::fuzz
