#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "unit/sql/splitting.h"
#include "whimbrel/sql/psql_scanner.h"

// A text in which the splitter finds nothing of psql's stays as it is; in any other, what is no
// command and no value is left in its order, and chunks do not matter.
namespace whimbrel::fuzz {
namespace {

struct Scan {
  std::string text;  ///< All of it, with the values.
  std::string dump;
  std::string error;
};

Scan ScanAll(ByteSource& source, std::string_view input) {
  sql::PsqlVariables variables;
  sql::PsqlScanner scanner(source, "", variables);
  Scan scan;
  std::uint64_t end = 0;  // Of what was read so far.
  while (true) {
    const Result<std::optional<sql::PsqlPiece>> piece = scanner.Next();
    if (!piece) {
      scan.error = piece.error().ToString();
      return scan;
    }
    if (!*piece) break;
    const SourcePosition& at =
        std::visit([](const auto& any) -> const SourcePosition& { return any.position; }, **piece);
    Require(at.offset >= end, "pieces follow each other");
    end = at.offset;
    if (const auto* text = std::get_if<sql::PsqlText>(&**piece)) {
      Require(input.substr(at.offset, text->text.size()) == text->text, "text stays as it is",
              text->text);
      end += text->text.size();
      scan.text += text->text;
    } else if (const auto* value = std::get_if<sql::PsqlValue>(&**piece)) {
      scan.text += value->text;
      scan.dump += "value at " + at.ToString() + "\n";
    } else {
      const auto& command = std::get<sql::PsqlCommand>(**piece);
      scan.dump += command.name + " at " + at.ToString() + "\n";
      if (command.name == "set" && command.arguments.size() > 1) {
        variables[command.arguments[0]] = command.arguments[1];
      }
    }
  }
  scan.dump += "closed by " + scanner.Closing();
  return scan;
}

Scan ScanInChunks(std::string_view input, std::size_t size) {
  sql::ChunkedSource source(input, {size});
  return ScanAll(source, input);
}

}  // namespace

void Try(std::string_view input) {
  const Scan whole = ScanInChunks(input, input.size() + 1);
  for (const std::size_t size : {1U, 3U, 7U}) {
    const Scan cut = ScanInChunks(input, size);
    Require(cut.text == whole.text && cut.dump == whole.dump && cut.error == whole.error,
            "chunks do not matter",
            cut.text + cut.dump + cut.error + "\n<>\n" + whole.text + whole.dump + whole.error);
  }
  if (sql::Split(input).error.empty()) {
    Require(whole.error.empty() && whole.text == input, "plain SQL stays as it is",
            whole.text + whole.error);
  }
}

}  // namespace whimbrel::fuzz
