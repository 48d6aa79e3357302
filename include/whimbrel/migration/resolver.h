#pragma once

#include <span>
#include <string>

#include "whimbrel/base/error.h"
#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {

/// Reads one tool's file format. A new format is one file with one of these and one row in
/// resolver.cc. Stateless, hence safe to share between threads.
class MigrationResolver {
 public:
  virtual ~MigrationResolver() = default;
  [[nodiscard]] virtual Format format() const = 0;
  /// The names that it looks for, for people: `V<version>__<description>.sql`.
  [[nodiscard]] virtual std::string Pattern() const = 0;
  /// How many of the files look like this format's, with the reason for people; 0 when none does.
  struct Match {
    int files = 0;
    std::string reason;
  };
  [[nodiscard]] virtual Match Detect(const Source& source) const = 0;
  /// Every error names the file and the rule. kInvalidArgument: a person must edit the files;
  /// kSourceChanged: a folder is no longer what OpenFolder read; else as reading failed.
  [[nodiscard]] virtual Result<ResolvedMigrations> Resolve(const Source& source) const = 0;
};

[[nodiscard]] std::span<const MigrationResolver* const> Resolvers();

/// Resolves with the named format; with kAuto with the one that the names of most files fit, and a
/// tie is an error that lists the candidates. A source without a single migration is an error that
/// says what was looked for and what was found. A migration without a statement is none.
[[nodiscard]] Result<ResolvedMigrations> Resolve(const Source& source, Format format);

}  // namespace whimbrel::migration
