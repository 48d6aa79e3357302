#include "migration/numbered_resolver.h"

#include <algorithm>
#include <utility>

#include "migration/down_section.h"
#include "migration/file_name.h"
#include "migration/normalised_sum.h"
#include "migration/read_text.h"
#include "migration/script.h"
#include "migration/sort_migrations.h"

namespace whimbrel::migration {
namespace {

/// A file's name, cut up; views into the path.
struct NumberedName {
  std::string_view number;
  std::string_view description;
  bool is_down = false;
};

std::optional<NumberedName> ParseName(std::string_view path) {
  std::string_view name = BaseName(path);
  NumberedName parsed;
  if (EndsWithIgnoringCase(name, ".down.sql")) {
    parsed.is_down = true;
    name.remove_suffix(std::string_view(".down.sql").size());
  } else if (EndsWithIgnoringCase(name, ".up.sql")) {
    name.remove_suffix(std::string_view(".up.sql").size());
  } else if (EndsWithIgnoringCase(name, ".sql")) {
    name.remove_suffix(std::string_view(".sql").size());
  } else {
    return std::nullopt;
  }
  parsed.number = name.substr(0, CountDigits(name));
  name.remove_prefix(parsed.number.size());
  if (parsed.number.empty() || (!name.empty() && name.front() != '_')) return std::nullopt;
  parsed.description = name.substr(std::min<std::size_t>(1, name.size()));
  return parsed;
}

/// Cuts the migration's file in two where its down section begins, if it has one.
Result<void> CutOffDownSection(ResolvedMigration& migration) {
  const Result<std::optional<DownSection>> section = FindDownSection(*migration.up.file);
  if (!section) return tl::make_unexpected(section.error());
  if (!*section) return {};
  if ((*section)->has_statements) {
    migration.down = migration.up;
    migration.down->begin = (*section)->begin;
    migration.down->start = PositionAt(*migration.up.file, (*section)->begin);
    Result<std::string> sum = NormalisedSumOf(*migration.down);
    if (!sum) return tl::make_unexpected(std::move(sum).error());
    migration.down_sum = *std::move(sum);
  }
  migration.up.end = (*section)->begin;
  Result<std::string> sum = NormalisedSumOf(migration.up);
  if (!sum) return tl::make_unexpected(std::move(sum).error());
  migration.sum = *std::move(sum);
  return {};
}

/// Reads the migration's file: its parts and their sums. A sum that is known already, since the
/// bytes are the same, is not computed again.
Result<void> ReadFile(const SourceFilePtr& file, bool may_have_sections,
                      ResolvedMigration& migration) {
  const bool is_normal = file->bytes() != nullptr && NormalisedSum::IsNormal(*file->bytes());
  std::optional<NormalisedSum> sum;
  if (!is_normal) sum.emplace();
  SectionHint hint;
  const Result<std::uint64_t> begin = ReadText(*file, [&](std::string_view piece) {
    if (may_have_sections) hint.Feed(piece);
    if (sum) sum->Feed(piece);
  });
  if (!begin) return tl::make_unexpected(begin.error());
  migration.up = WholeScript(file, *begin);
  if (sum) migration.sum = sum->Hex();
  if (hint.found()) {
    if (Result<void> cut = CutOffDownSection(migration); !cut) return cut;
  }
  const bool is_whole = *begin == 0 && migration.up.end == file->size();
  Result<std::string> raw_sum = is_whole ? file->sha256() : RawSumOf(migration.up);
  if (!raw_sum) return tl::make_unexpected(std::move(raw_sum).error());
  migration.raw_sum = *std::move(raw_sum);
  if (migration.sum.empty()) migration.sum = migration.raw_sum;
  return {};
}

tl::unexpected<Error> BadName(const std::string& path) {
  return Fail(ErrorKind::kInvalidArgument,
              path +
                  ": the name does not fit the format Numbered, in which a migration is called "
                  "<number>_<description>.sql, such as 002_add_orders.sql; rename the file, or "
                  "leave it out of the source");
}

/// Gathers the migrations of one source.
class Collector {
 public:
  explicit Collector(std::size_t files) { found_.versioned.reserve(files); }

  Result<void> Add(const SourceFilePtr& file) {
    if (!EndsWithIgnoringCase(file->path(), ".sql")) {
      found_.ignored.push_back(file->path());
      return {};
    }
    const std::optional<NumberedName> name = ParseName(file->path());
    if (!name) return BadName(file->path());
    Result<Version> version = Version::Parse(name->number);
    if (!version) return tl::make_unexpected(std::move(version).error());
    ResolvedMigration migration;
    migration.version = *std::move(version);
    migration.description = name->description;
    migration.path = file->path();
    Result<void> read = ReadFile(file, !name->is_down, migration);
    if (read) (name->is_down ? down_files_ : found_.versioned).push_back(std::move(migration));
    return read;
  }

  Result<ResolvedMigrations> Finish() && {
    if (Result<void> sorted = SortByVersion(found_.versioned); !sorted)
      return tl::make_unexpected(sorted.error());
    if (Result<void> sorted = SortByVersion(down_files_); !sorted)
      return tl::make_unexpected(sorted.error());
    for (ResolvedMigration& down : down_files_) {
      if (Result<void> joined = Join(down); !joined) return tl::make_unexpected(joined.error());
    }
    return std::move(found_);
  }

 private:
  /// Gives a `.down.sql` file to its migration.
  Result<void> Join(ResolvedMigration& down) {
    const auto up =
        std::lower_bound(found_.versioned.begin(), found_.versioned.end(), down,
                         [](const auto& a, const auto& b) { return a.version < b.version; });
    if (up == found_.versioned.end() || up->version != down.version) {
      return Fail(ErrorKind::kInvalidArgument,
                  down.path + ": there is no file that it undoes; one called " +
                      down.version.display() + "_<description>.sql or .up.sql is missing");
    }
    if (up->description != down.description) {
      return Fail(ErrorKind::kInvalidArgument,
                  down.path + " and " + up->path +
                      " have the same version, but other descriptions: a migration and "
                      "what undoes it are called the same");
    }
    if (up->down) {
      return Fail(ErrorKind::kInvalidArgument, up->path + " has a down section, and " + down.path +
                                                   " undoes it too: keep one of them");
    }
    up->down = std::move(down.up);
    up->down_sum = std::move(down.sum);
    return {};
  }

  ResolvedMigrations found_{.format = Format::kNumbered};
  std::vector<ResolvedMigration> down_files_;
};

}  // namespace

std::string NumberedResolver::Pattern() const { return "<number>_<description>.sql"; }

MigrationResolver::Match NumberedResolver::Detect(const Source& source) const {
  std::vector<std::string_view> fitting;
  for (const SourceFilePtr& file : source.files) {
    if (ParseName(file->path())) fitting.push_back(file->path());
  }
  return MatchOf(fitting);
}

Result<ResolvedMigrations> NumberedResolver::Resolve(const Source& source) const {
  Collector collector(source.files.size());
  for (const SourceFilePtr& file : source.files) {
    if (Result<void> added = collector.Add(file); !added)
      return tl::make_unexpected(std::move(added).error());
  }
  return std::move(collector).Finish();
}

}  // namespace whimbrel::migration
