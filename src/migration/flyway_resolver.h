#pragma once

#include "whimbrel/migration/resolver.h"

namespace whimbrel::migration {

/// Flyway's V and R files, in any folder of the source, as Flyway with its defaults takes them.
/// What would make Flyway do something else than run these files as they stand (baseline
/// migrations, callbacks, script configuration, placeholders, migrations that are no SQL) is an
/// error: leaving it out would leave another database behind. Other files are ignored, as Flyway
/// ignores them.
class FlywayResolver final : public MigrationResolver {
 public:
  Format format() const override { return Format::kFlyway; }
  std::string Pattern() const override;
  Match Detect(const Source& source) const override;
  Result<ResolvedMigrations> Resolve(const Source& source) const override;
};

}  // namespace whimbrel::migration
