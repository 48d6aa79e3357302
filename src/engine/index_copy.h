#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/postgres/connection.h"
#include "whimbrel/sql/statement_target.h"

namespace whimbrel::engine {

/// How indexes compare to the one that a statement makes.
struct IndexComparison {
  std::map<std::string, bool> equal;  ///< By OID.
  std::string failure;  ///< Why nothing could be compared: the server's words, as a sentence.
};

/// Lets the server itself judge whether indexes of a table are what CREATE INDEX would make: within
/// a savepoint that is rolled back, the same index is built on an empty temporary copy of the table
/// (of the same name, for expressions that are qualified with it), and the definitions that the
/// server then gives for it and for the others are compared from USING on, besides uniqueness, and
/// the tablespace where the statement names one. `table` is the quoted, qualified name. Runs inside
/// a transaction, with the search_path that the statement has. A failure that may pass is an error;
/// others (no right to make temporary tables, say) are in the comparison.
postgres::PgResult<IndexComparison> CompareIndexes(postgres::Connection& connection,
                                                   const sql::CreateIndexTarget& target,
                                                   std::string_view table,
                                                   const std::vector<std::string>& oids);

}  // namespace whimbrel::engine
