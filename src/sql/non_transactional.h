#pragma once

#include <optional>
#include <string_view>

#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/token.h"

namespace whimbrel::sql {

/// The rule that a statement falls under by its grammar; `reader` stands at its first token.
[[nodiscard]] std::optional<NonTransactional> FindNonTransactional(const TokenReader& reader);

/// The rule that a call of this function brings on, whatever statement it stands in.
[[nodiscard]] std::optional<NonTransactional> FindNonTransactionalFunction(std::string_view name);

}  // namespace whimbrel::sql
