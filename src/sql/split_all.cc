#include <utility>

#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/statement_splitter.h"

namespace whimbrel::sql {
namespace {

OwnedStatement Own(const Statement& statement) {
  return {.text = std::string(statement.text),
          .position = statement.position,
          .end_offset = statement.end_offset,
          .leading_comment = std::string(statement.leading_comment),
          .copy_from_stdin = statement.copy_from_stdin};
}

}  // namespace

Result<std::vector<OwnedStatement>> SplitAll(std::string_view text, SplitOptions options) {
  const bool at_start = options.standard_conforming_strings;
  bool now = at_start;
  StringByteSource source(text);
  StatementSplitter splitter(source, std::move(options));
  std::vector<OwnedStatement> statements;
  while (true) {
    Result<std::optional<Piece>> piece = splitter.Next();
    if (!piece.has_value()) return tl::make_unexpected(std::move(piece.error()));
    if (!piece->has_value()) return statements;
    if (const auto* data = std::get_if<CopyData>(&**piece)) {
      statements.back().copy_data.append(data->bytes);
    } else if (const auto* statement = std::get_if<Statement>(&**piece)) {
      now = StandardConformingStringsAfter(Classify(statement->text, now), now, at_start);
      splitter.SetStandardConformingStrings(now);
      statements.push_back(Own(*statement));
    }
  }
}

}  // namespace whimbrel::sql
