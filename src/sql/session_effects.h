#pragma once

#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/token.h"

namespace whimbrel::sql {

// Each takes a reader that stands at the statement's first token.

/// What the statement leaves in its session for later ones to use.
[[nodiscard]] SessionState FindSessionState(TokenReader reader);

/// VACUUM, ANALYZE, CLUSTER without a table; REINDEX SCHEMA, DATABASE, SYSTEM.
[[nodiscard]] bool TouchesAllTables(TokenReader reader);

/// REINDEX TABLE, REINDEX INDEX and CLUSTER of one relation.
[[nodiscard]] bool IsNonTransactionalIfPartitioned(TokenReader reader);

}  // namespace whimbrel::sql
