#include "history/flyway_history.h"

#include <algorithm>
#include <map>
#include <utility>

#include "history/java_string.h"

namespace whimbrel::history {

using migration::Kind;
using migration::ResolvedMigration;
using migration::Version;

namespace {

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

  [[nodiscard]] std::string Whole(Kind kind, std::string_view version,
                                  const std::string& stored) const {
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
  explicit Scan(const migration::ResolvedMigrations& source) : descriptions_(source) {}

  void Add(const FlywayRow& row) {
    const RowType type = TypeOf(row.type);
    if (type == RowType::kMarker) return;
    if (!row.version) return AddRepeatable(row, type);
    Result<Version> version = Version::Parse(*row.version);
    // Flyway itself refuses such a table; no file can have such a version.
    if (!version) return;
    AddVersioned(row, type, *version);
  }

  ToolHistory Finish() && {
    ToolHistory history;
    history.exists = true;
    history.baseline_version = baseline_.canonical();
    for (const auto& slot : rows_) {
      if (slot) history.applied.push_back(*slot);
    }
    return history;
  }

 private:
  void AddVersioned(const FlywayRow& row, RowType type, const Version& version) {
    if (type == RowType::kBaseline) {
      if (row.success && version > baseline_) baseline_ = version;
      return;
    }
    const bool cancels = type == RowType::kDelete || type == RowType::kUndo;
    if (cancels && row.success) {
      Forget({Kind::kVersioned, version.canonical()});
      return;
    }
    Put(Kind::kVersioned, version.canonical(), row,
        descriptions_.Whole(Kind::kVersioned, version.canonical(), row.description));
  }

  void AddRepeatable(const FlywayRow& row, RowType type) {
    std::string description = descriptions_.Whole(Kind::kRepeatable, "", row.description);
    if (type == RowType::kDelete && row.success) {
      Forget({Kind::kRepeatable, description});
    } else if (type == RowType::kMigration) {
      Put(Kind::kRepeatable, description, row, description);
    }
  }

  /// A later row of the same migration takes the place of the earlier one, at the end.
  void Put(Kind kind, const std::string& id, const FlywayRow& row, std::string description) {
    Forget({kind, id});
    index_[{kind, id}] = rows_.size();
    rows_.push_back(ToolRow{.kind = kind,
                            .id = id,
                            .version = row.version.value_or(""),
                            .description = std::move(description),
                            .path = row.script,
                            .sum = row.checksum,
                            .failed = !row.success,
                            .applied_at = row.installed_on});
  }

  void Forget(const std::pair<Kind, std::string>& key) {
    auto it = index_.find(key);
    if (it == index_.end()) return;
    rows_[it->second].reset();
    index_.erase(it);
  }

  Descriptions descriptions_;
  std::vector<std::optional<ToolRow>> rows_;
  std::map<std::pair<Kind, std::string>, std::size_t> index_;
  Version baseline_;
};

}  // namespace

ToolHistory ReadFlywayHistory(const std::vector<FlywayRow>& rows,
                              const migration::ResolvedMigrations& source) {
  Scan scan(source);
  for (const FlywayRow& row : rows) scan.Add(row);
  return std::move(scan).Finish();
}

std::string FlywayDescription(std::string_view description) {
  if (JavaLength(description) <= 200) return std::string(description);
  return std::string(JavaPrefix(description, 197)) + "...";
}

std::string FlywayScript(std::string_view path) {
  if (JavaLength(path) <= 1000) return std::string(path);
  const std::string_view head = JavaPrefix(path, 1000);
  return "..." + std::string(head.substr(JavaPrefix(path, 3).size()));
}

std::int64_t FlywayLockKey(std::string_view quoted_name) {
  constexpr std::int64_t kFlyway = 77431708279161;
  return kFlyway + JavaHashCode(quoted_name);
}

}  // namespace whimbrel::history
