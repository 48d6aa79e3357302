#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/sql/psql_scanner.h"

namespace whimbrel::sql {

/// A place where a variable's value belongs.
struct PsqlReference {
  std::string_view name;
  char quote = '\0';     ///< `'`, `"` or none.
  std::size_t size = 0;  ///< Of all of it, with the colon.
};

/// The reference that `text` begins with; size 0 when there is none. `text` begins with a colon and
/// goes on at least to the end of what could be one.
[[nodiscard]] PsqlReference ReadPsqlReference(std::string_view text);

/// Whether a byte may stand in the name of a variable.
[[nodiscard]] bool IsPsqlNameByte(char c);

/// A variable's value as psql puts it in: as it is, or quoted as libpq quotes a literal or an
/// identifier.
[[nodiscard]] std::string QuotePsqlValue(std::string_view value, char quote);

struct PsqlArguments {
  std::vector<std::string> values;
  std::size_t size = 0;         ///< Bytes of the line that belong to the command.
  std::size_t value_bytes = 0;  ///< Of the values, those that come from variables.
};

/// Reads the arguments of a meta-command: `line` is what follows its name, up to the line's end.
/// They end there or at a backslash; a `\\` that ends them belongs to the command. The values of
/// variables may be 1 MiB of it: `\set a :a:a` doubles a. The error has no position.
Result<PsqlArguments> ReadPsqlArguments(std::string_view line, const PsqlVariables& variables);

}  // namespace whimbrel::sql
