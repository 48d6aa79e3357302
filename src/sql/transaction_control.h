#pragma once

#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/token.h"

namespace whimbrel::sql {

/// `reader` stands at the statement's first token.
[[nodiscard]] TransactionControl FindTransactionControl(TokenReader reader);

}  // namespace whimbrel::sql
