#include "migration/flyway_resolver.h"

#include <utility>

#include "migration/file_name.h"
#include "migration/flyway_name.h"
#include "migration/flyway_text.h"
#include "migration/read_text.h"
#include "migration/script.h"
#include "migration/sort_migrations.h"

namespace whimbrel::migration {
namespace {

using NameKind = FlywayName::Kind;

bool IsMigration(const FlywayName& name) {
  return name.kind == NameKind::kVersioned || name.kind == NameKind::kRepeatable;
}

tl::unexpected<Error> NotSupported(const std::string& path, std::string_view what) {
  return Fail(ErrorKind::kInvalidArgument, path + ": " + std::string(what) +
                                               " not supported yet. Flyway would use this file, so "
                                               "the others are not run without it; leave it out "
                                               "of the source if they may be");
}

/// The file that a `.sql.conf` configures; nullptr for other files.
const SourceFile* Configured(const Source& source, std::string_view path) {
  constexpr std::string_view kSuffix = ".conf";
  if (!path.ends_with(kSuffix)) return nullptr;
  path.remove_suffix(kSuffix.size());
  return EndsWithIgnoringCase(path, ".sql") ? source.Find(path) : nullptr;
}

/// Whether a file, which is no migration, would change what `flyway migrate` does.
Result<void> RefuseWhatMatters(const Source& source, const std::string& path, NameKind kind) {
  if (kind == NameKind::kBaseline) return NotSupported(path, "baseline migrations (B) are");
  if (kind == NameKind::kCallback) return NotSupported(path, "callbacks are");
  if (kind == NameKind::kScript)
    return NotSupported(path, "migrations and callbacks that are no SQL are");
  if (Configured(source, path) != nullptr)
    return NotSupported(path, "configuration files of migrations are");
  return {};
}

Result<ResolvedMigration> ReadMigration(const SourceFilePtr& file, FlywayName name) {
  FlywayChecksum sum;
  PlaceholderFinder placeholder;
  const Result<std::uint64_t> begin = ReadText(*file, [&](std::string_view piece) {
    sum.Feed(piece);
    placeholder.Feed(piece);
  });
  if (!begin) return tl::make_unexpected(begin.error());
  if (placeholder.found()) {
    return Fail(
        ErrorKind::kInvalidArgument,
        "`${` begins a placeholder, which Flyway replaces everywhere, in strings and comments too; "
        "placeholders are not supported yet: write the value itself",
        PositionAt(*file, *begin + *placeholder.found()));
  }
  ResolvedMigration migration;
  migration.kind = name.kind == NameKind::kRepeatable ? Kind::kRepeatable : Kind::kVersioned;
  migration.version = std::move(name.version);
  migration.description = std::move(name.description);
  migration.path = file->path();
  migration.sum = sum.ToString();
  migration.raw_sum = file->sha256();
  migration.up = WholeScript(file, *begin);
  if (*begin == 0) return migration;
  // The file's own sum is one with the byte order mark.
  Result<std::string> raw_sum = RawSumOf(migration.up);
  if (!raw_sum) return tl::make_unexpected(std::move(raw_sum).error());
  migration.raw_sum = *std::move(raw_sum);
  return migration;
}

}  // namespace

std::string FlywayResolver::Pattern() const {
  return "V<version>__<description>.sql or R__<description>.sql";
}

MigrationResolver::Match FlywayResolver::Detect(const Source& source) const {
  std::vector<std::string_view> fitting;
  for (const SourceFilePtr& file : source.files) {
    const Result<FlywayName> name = ParseFlywayName(file->path());
    if (name && IsMigration(*name)) fitting.push_back(file->path());
  }
  return MatchOf(fitting);
}

Result<ResolvedMigrations> FlywayResolver::Resolve(const Source& source) const {
  ResolvedMigrations found{.format = Format::kFlyway};
  found.versioned.reserve(source.files.size());
  for (const SourceFilePtr& file : source.files) {
    Result<FlywayName> name = ParseFlywayName(file->path());
    if (!name) return tl::make_unexpected(std::move(name).error());
    if (!IsMigration(*name)) {
      const Result<void> harmless = RefuseWhatMatters(source, file->path(), name->kind);
      if (!harmless) return tl::make_unexpected(harmless.error());
      found.ignored.push_back(file->path());
      continue;
    }
    Result<ResolvedMigration> migration = ReadMigration(file, *std::move(name));
    if (!migration) return tl::make_unexpected(std::move(migration).error());
    auto& list = migration->kind == Kind::kRepeatable ? found.repeatable : found.versioned;
    list.push_back(*std::move(migration));
  }
  if (Result<void> sorted = SortByVersion(found.versioned); !sorted)
    return tl::make_unexpected(sorted.error());
  if (Result<void> sorted = SortByDescription(found.repeatable); !sorted)
    return tl::make_unexpected(sorted.error());
  return found;
}

}  // namespace whimbrel::migration
