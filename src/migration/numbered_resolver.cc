#include "migration/numbered_resolver.h"

#include <algorithm>
#include <set>
#include <utility>

#include "migration/down_section.h"
#include "migration/file_name.h"
#include "migration/normalised_sum.h"
#include "migration/psql_expansion.h"
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
  const SourcePosition marker = PositionAt(*migration.up.file, (*section)->begin);
  if (migration.up.Locate(marker).file != migration.path) {
    return Fail(ErrorKind::kInvalidArgument,
                "the down section begins here, in a file that " + migration.path +
                    " includes: what undoes a migration stands in the migration's own file",
                marker);
  }
  if ((*section)->has_statements) {
    migration.down = migration.up;
    migration.down->begin = (*section)->begin;
    migration.down->start = marker;
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

/// What a file's text holds besides SQL, as far as it shows without cutting it into statements.
struct Hints {
  SectionHint section;
  PsqlHint psql;
};

/// Reads the migration's file: its parts and their sums. A sum that is known already, since the
/// bytes are the same, is not computed again.
Result<Hints> ReadFile(const SourceFilePtr& file, bool may_have_sections,
                       ResolvedMigration& migration) {
  const bool is_normal = file->bytes() != nullptr && NormalisedSum::IsNormal(*file->bytes());
  std::optional<NormalisedSum> sum;
  if (!is_normal) sum.emplace();
  Hints hints;
  const Result<std::uint64_t> begin = ReadText(*file, [&](std::string_view piece) {
    hints.psql.Feed(piece);
    if (may_have_sections) hints.section.Feed(piece);
    if (sum) sum->Feed(piece);
  });
  if (!begin) return tl::make_unexpected(begin.error());
  migration.up = WholeScript(file, *begin);
  migration.sum = sum ? sum->Hex() : std::string();
  return hints;
}

/// Cuts what was read into its parts.
Result<void> CutFile(const SourceFilePtr& file, const Hints& hints, ResolvedMigration& migration) {
  if (hints.section.found()) {
    if (Result<void> cut = CutOffDownSection(migration); !cut) return cut;
  }
  const bool is_whole = migration.up.begin == 0 && migration.up.end == file->size();
  Result<std::string> raw_sum = is_whole ? file->sha256() : RawSumOf(migration.up);
  if (!raw_sum) return tl::make_unexpected(std::move(raw_sum).error());
  migration.raw_sum = *std::move(raw_sum);
  if (migration.sum.empty()) migration.sum = migration.raw_sum;
  return {};
}

/// An error in a text, where a person finds it.
tl::unexpected<Error> Located(Error error, const SourceFile& text) {
  if (error.position) error.position = text.Locate(*error.position);
  return tl::make_unexpected(std::move(error));
}

/// Reads a migration as psql would, and adds the paths of the files that it includes to `included`.
Result<void> ReadMigration(const Source& source, const SourceFilePtr& file, bool may_have_sections,
                           ResolvedMigration& migration, std::set<std::string>& included) {
  Result<Hints> hints = ReadFile(file, may_have_sections, migration);
  if (!hints) return tl::make_unexpected(std::move(hints).error());
  SourceFilePtr text = file;
  if (hints->psql.found()) {
    Result<PsqlExpansion> expansion = ExpandPsql(source, file);
    if (!expansion) return tl::make_unexpected(std::move(expansion).error());
    included.insert(expansion->included.begin(), expansion->included.end());
    text = std::move(expansion->file);
    if (text != file) hints = ReadFile(text, may_have_sections, migration);
    if (!hints) return Located(std::move(hints).error(), *text);
  }
  if (Result<void> cut = CutFile(text, *hints, migration); !cut) {
    return Located(std::move(cut).error(), *text);
  }
  return {};
}

tl::unexpected<Error> BadName(const std::string& path) {
  return Fail(
      ErrorKind::kInvalidArgument,
      path +
          ": the name does not fit the format Numbered, in which a migration is called "
          "<number>_<description>.sql, such as 002_add_orders.sql, and no migration includes "
          "it (\\i); rename the file, or leave it out of the source");
}

/// Gathers the migrations of one source.
class Collector {
 public:
  explicit Collector(const Source& source) : source_(source) {
    found_.versioned.reserve(source.files.size());
  }

  Result<void> Add(const SourceFilePtr& file) {
    if (!EndsWithIgnoringCase(file->path(), ".sql")) {
      found_.ignored.push_back(file->path());
      return {};
    }
    const std::optional<NumberedName> name = ParseName(file->path());
    if (!name) {
      unnumbered_.push_back(file->path());
      return {};
    }
    Result<Version> version = Version::Parse(name->number);
    if (!version) return tl::make_unexpected(std::move(version).error());
    ResolvedMigration migration;
    migration.version = *std::move(version);
    migration.description = name->description;
    migration.path = file->path();
    Result<void> read = ReadMigration(source_, file, !name->is_down, migration, included_);
    if (read) (name->is_down ? down_files_ : found_.versioned).push_back(std::move(migration));
    return read;
  }

  Result<ResolvedMigrations> Finish() && {
    for (const std::string& path : unnumbered_) {
      if (!included_.contains(path)) return BadName(path);
    }
    std::erase_if(found_.ignored, [this](const auto& path) { return included_.contains(path); });
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

  const Source& source_;
  ResolvedMigrations found_{.format = Format::kNumbered};
  std::vector<ResolvedMigration> down_files_;
  std::vector<std::string> unnumbered_;  ///< Files of SQL that must be parts of others.
  std::set<std::string> included_;
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
  Collector collector(source);
  for (const SourceFilePtr& file : source.files) {
    if (Result<void> added = collector.Add(file); !added)
      return tl::make_unexpected(std::move(added).error());
  }
  return std::move(collector).Finish();
}

}  // namespace whimbrel::migration
