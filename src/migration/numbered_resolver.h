#pragma once

#include "whimbrel/migration/resolver.h"

namespace whimbrel::migration {

/// Plain SQL files in the order of their numbers, as psql or a small script runs them.
///
/// Names, in any folder of the source: `<number>.sql` or `<number>_<description>.sql`, the number
/// being digits (a counter or a timestamp), which are compared as a number. `.up.sql` in place of
/// `.sql` says the same. What undoes a file is its down section (see FindDownSection), or a file of
/// the same name with `.down.sql`. Other names ending in `.sql` are errors, unless a migration
/// includes the file; files that do not end so are ignored.
///
/// Files may use what psql makes of `\i`, `\ir`, `\set`, `:name` and `\echo` (see ExpandPsql): the
/// migration is the text that comes of it, sums and down section included. A file with a number is
/// a migration also where another one includes it.
class NumberedResolver final : public MigrationResolver {
 public:
  Format format() const override { return Format::kNumbered; }
  std::string Pattern() const override;
  Match Detect(const Source& source) const override;
  Result<ResolvedMigrations> Resolve(const Source& source) const override;
};

}  // namespace whimbrel::migration
