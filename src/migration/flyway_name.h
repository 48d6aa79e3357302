#pragma once

#include <string>
#include <string_view>

#include "whimbrel/base/error.h"
#include "whimbrel/migration/version.h"

namespace whimbrel::migration {

/// What Flyway takes a file for, by its name (internal/resource/ResourceNameParser.java, with the
/// default prefixes V, R, B, U, separator `__` and suffix `.sql`).
struct FlywayName {
  enum class Kind {
    kVersioned,
    kRepeatable,
    kBaseline,
    kCallback,  ///< Of an event that `migrate` fires.
    kScript,    ///< A migration or callback that is no SQL: a shell script, a Java class.
    kOther,  ///< Nothing that `migrate` would run: undo migrations, callbacks of other commands, …
  };
  Kind kind = Kind::kOther;
  Version version;          ///< Of kVersioned and kBaseline.
  std::string description;  ///< With blanks for `_`.
};

/// `path` within the source. A name that Flyway would leave out without a word, but which is very
/// likely meant as a migration (`V1_x.sql`), is an error that says how to write it.
Result<FlywayName> ParseFlywayName(std::string_view path);

}  // namespace whimbrel::migration
