#pragma once

#include <string_view>
#include <vector>

#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/token.h"

namespace whimbrel::sql {

/// The changes that a SET, a RESET or a `SELECT set_config('name', 'value', false)` makes; empty
/// for other statements. `reader` stands at the statement's first token.
[[nodiscard]] std::vector<SettingChange> FindSettings(TokenReader reader);

/// Whether a change makes this transaction, or later ones, READ ONLY.
[[nodiscard]] bool MakesReadOnly(const SettingChange& change);

/// Whether transaction modes (`ISOLATION LEVEL SERIALIZABLE, READ ONLY`) end up READ ONLY.
[[nodiscard]] bool AreReadOnlyModes(std::string_view modes);

/// Whether a change can alter how the text that follows is lexed.
[[nodiscard]] bool ChangesLexing(const SettingChange& change);

}  // namespace whimbrel::sql
