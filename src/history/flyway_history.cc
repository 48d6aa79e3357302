#include "history/flyway_history.h"

#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "history/java_string.h"

namespace whimbrel::history {

using migration::Kind;
using migration::ResolvedMigration;
using migration::Version;

namespace {

constexpr std::string_view kEllipsis = "...";

enum class RowType { kMigration, kBaseline, kDelete, kUndo, kMarker };

/// Types are spelled in api/CoreMigrationType.java; an unknown one is somebody's own kind of
/// migration.
RowType TypeOf(std::string_view type) {
  if (type == "SCHEMA") return RowType::kMarker;
  if (type == "DELETE") return RowType::kDelete;
  if (type.starts_with("UNDO_")) return RowType::kUndo;
  if (type == "BASELINE" || type == "INIT" || type == "SQL_STATE_SCRIPT" ||
      type.ends_with("_BASELINE")) {
    return RowType::kBaseline;
  }
  return RowType::kMigration;
}

/// Descriptions of the files, by what Flyway stores of them: where it had to cut, the whole is
/// known again.
class Descriptions {
 public:
  explicit Descriptions(const migration::ResolvedMigrations& source) {
    Add(source.versioned);
    Add(source.repeatable);
  }

  [[nodiscard]] std::string Whole(Kind kind, std::string_view version, std::string stored) const {
    if (!stored.ends_with(kEllipsis)) return stored;
    auto it = cut_.find({kind, std::string(version), stored});
    return it == cut_.end() ? stored : it->second;
  }

 private:
  void Add(const std::vector<ResolvedMigration>& migrations) {
    for (const ResolvedMigration& migration : migrations) {
      std::string stored = FlywayDescription(migration.description);
      if (stored == migration.description) continue;
      cut_.emplace(std::tuple(migration.kind, migration.version.canonical(), std::move(stored)),
                   migration.description);
    }
  }

  std::map<std::tuple<Kind, std::string, std::string>, std::string> cut_;
};

/// The scan by rank.
class Scan {
 public:
  Scan(const migration::ResolvedMigrations& source, std::size_t row_count) : descriptions_(source) {
    rows_.reserve(row_count);
    index_.reserve(row_count);
  }

  void Add(FlywayRow row) {
    const RowType type = TypeOf(row.type);
    if (type == RowType::kMarker) return;
    if (!row.version) return AddRepeatable(std::move(row), type);
    Result<Version> version = Version::Parse(*row.version);
    // Flyway itself refuses such a table; no file can have such a version.
    if (!version) return;
    AddVersioned(std::move(row), type, *version);
  }

  ToolHistory Finish() && {
    std::erase_if(rows_, [](const ToolRow& row) { return row.kind == kCancelled; });
    return ToolHistory{
        .exists = true, .applied = std::move(rows_), .baseline_version = baseline_.canonical()};
  }

 private:
  void AddVersioned(FlywayRow row, RowType type, const Version& version) {
    if (type == RowType::kBaseline) {
      if (row.success && version > baseline_) baseline_ = version;
      return;
    }
    const bool cancels = type == RowType::kDelete || type == RowType::kUndo;
    if (cancels && row.success) return Forget(Kind::kVersioned, version.canonical());
    row.description =
        descriptions_.Whole(Kind::kVersioned, version.canonical(), std::move(row.description));
    Put(Kind::kVersioned, version.canonical(), std::move(row));
  }

  void AddRepeatable(FlywayRow row, RowType type) {
    row.description = descriptions_.Whole(Kind::kRepeatable, "", std::move(row.description));
    if (type == RowType::kDelete && row.success) {
      Forget(Kind::kRepeatable, row.description);
    } else if (type == RowType::kMigration) {
      const std::string id = row.description;
      Put(Kind::kRepeatable, id, std::move(row));
    }
  }

  /// A later row of the same migration takes the place of the earlier one, at the end.
  void Put(Kind kind, const std::string& id, FlywayRow row) {
    auto [place, is_new] = index_.try_emplace(Key(kind, id), rows_.size());
    if (!is_new) rows_[std::exchange(place->second, rows_.size())].kind = kCancelled;
    rows_.push_back(ToolRow{.kind = kind,
                            .id = id,
                            .version = std::move(row.version).value_or(""),
                            .description = std::move(row.description),
                            .path = std::move(row.script),
                            .sum = std::move(row.checksum),
                            .failed = !row.success,
                            .applied_at = row.installed_on});
  }

  void Forget(Kind kind, const std::string& id) {
    auto it = index_.find(Key(kind, id));
    if (it == index_.end()) return;
    rows_[it->second].kind = kCancelled;
    index_.erase(it);
  }

  static std::string Key(Kind kind, const std::string& id) { return static_cast<char>(kind) + id; }

  /// Marks rows that later ones cancelled; no row of a scan is of this kind.
  static constexpr Kind kCancelled = Kind::kUndo;

  Descriptions descriptions_;
  std::vector<ToolRow> rows_;
  std::unordered_map<std::string, std::size_t> index_;  ///< Key → the slot that counts.
  Version baseline_;
};

}  // namespace

ToolHistory ReadFlywayHistory(std::vector<FlywayRow> rows,
                              const migration::ResolvedMigrations& source) {
  Scan scan(source, rows.size());
  for (FlywayRow& row : rows) scan.Add(std::move(row));
  return std::move(scan).Finish();
}

std::string FlywayDescription(std::string_view description) {
  if (JavaLength(description) <= 200) return std::string(description);
  return std::string(JavaPrefix(description, 197)).append(kEllipsis);
}

std::string FlywayScript(std::string_view path) {
  if (JavaLength(path) <= 1000) return std::string(path);
  const std::string_view head = JavaPrefix(path, 1000);
  return std::string(kEllipsis).append(head.substr(JavaPrefix(path, 3).size()));
}

std::int64_t FlywayLockKey(std::string_view quoted_name) {
  constexpr std::int64_t kFlyway = 77431708279161;
  return kFlyway + JavaHashCode(quoted_name);
}

}  // namespace whimbrel::history
