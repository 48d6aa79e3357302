#pragma once

#include <pg_query.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace whimbrel::sql {

/// A part of a text: a statement with the white space and the comments around it.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// How PostgreSQL 15's own code cuts a text: libpg-query is its scanner and its grammar, taken out
/// of the server. nullopt where it finds an error.
inline std::optional<std::vector<Range>> Ranges(PgQuerySplitResult result) {
  std::optional<std::vector<Range>> ranges;
  if (result.error == nullptr) {
    ranges.emplace();
    for (int i = 0; i < result.n_stmts; ++i) {
      const auto begin = static_cast<std::size_t>(result.stmts[i]->stmt_location);
      ranges->push_back({begin, begin + static_cast<std::size_t>(result.stmts[i]->stmt_len)});
    }
  }
  pg_query_free_split_result(result);
  return ranges;
}

inline std::optional<std::vector<Range>> SplitWithGrammar(const std::string& text) {
  return Ranges(pg_query_split_with_parser(text.c_str()));
}

/// Without the grammar: takes statements that it does not know, and cuts the body of BEGIN ATOMIC.
inline std::optional<std::vector<Range>> SplitWithScanner(const std::string& text) {
  return Ranges(pg_query_split_with_scanner(text.c_str()));
}

}  // namespace whimbrel::sql
