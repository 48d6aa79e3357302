#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "whimbrel/base/error.h"
#include "whimbrel/base/source_position.h"

namespace whimbrel::sql {

/// How the author of a file wants it to be run, where that differs from what the resource says.
enum class TransactionMode {
  kDefault,
  kOne,   ///< The whole file in one transaction, or not at all.
  kNone,  ///< Each statement on its own; outside of a transaction where it cannot be in one.
};

/// What directives ask for: of a whole file, or of one statement.
struct Directives {
  TransactionMode transaction = TransactionMode::kDefault;
  bool idempotent = false;  ///< Running it again after it was done, or half done, does no harm.
  std::optional<std::chrono::milliseconds> lock_timeout;       ///< 0: wait without limit.
  std::optional<std::chrono::milliseconds> statement_timeout;  ///< 0: no limit.
  std::optional<std::chrono::seconds> lock_budget;             ///< As execution.lockBudgetSeconds.

  friend bool operator==(const Directives&, const Directives&) = default;
};

/// What the comments before one statement ask for.
struct CommentDirectives {
  Directives file;
  Directives statement;
};

/// Reads the directives in the comments before a statement (Statement::leading_comment). One form,
/// on a line of its own:
///
///     -- whimbrel: [file] option …
///
/// `file` makes it hold for the whole file, before whose first statement it has to stand; without
/// it, it holds for the next statement. Options: `transaction=one` (files only),
/// `transaction=none`, `idempotent`, `lock-timeout=<duration>`, `statement-timeout=<duration>`,
/// `lock-budget=<duration>` (whole seconds); a duration is a whole number and one of ms, s, min, h,
/// up to PostgreSQL's own limit of 2^31 - 1 ms. Several lines add up.
///
/// Nothing that looks like a directive is passed over: the word `whimbrel` may be in any case and
/// have blanks around it, while options are in lower case and exact. Errors (kInvalidArgument at
/// `statement`) quote the line and say what may stand there: an unknown option, one given twice, a
/// `file` directive behind the first statement (`is_first` false), a directive in a /* comment */.
/// Comments that do not begin with `whimbrel:` are none of ours, and `-- whimbrel:allow` is kept
/// for lint.
[[nodiscard]] Result<CommentDirectives> ParseDirectives(std::string_view comment,
                                                        const SourcePosition& statement,
                                                        bool is_first);

}  // namespace whimbrel::sql
