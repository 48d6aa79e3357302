#include "whimbrel/engine/plan.h"

#include <algorithm>

#include "engine/effective_history.h"

namespace whimbrel::engine {

using history::LedgerState;
using migration::Kind;
using migration::ResolvedMigration;
using migration::Version;
using report::Failure;
using report::Notice;
using report::Reason;

namespace {

Failure Conflict(Reason reason, const std::string& version, const std::string& file,
                 std::string message, std::string hint) {
  Failure failure;
  failure.reason = reason;
  failure.version = version;
  failure.position.file = file;
  failure.message = std::move(message);
  failure.hint = std::move(hint);
  return failure;
}

/// Makes one plan. Each Check… is one rule of design §3 ("What differs, and what it is called") and
/// stops at the first breach, lowest version first.
class Planner {
 public:
  explicit Planner(const PlanInput& input) : input_(input), history_(input) {}

  Result<Plan, Failure> Make() {
    for (auto check : {&Planner::CheckTool, &Planner::CheckTarget, &Planner::CheckRunning,
                       &Planner::CheckApplied, &Planner::CheckMissing}) {
      if (std::optional<Failure> failure = (this->*check)())
        return tl::make_unexpected(std::move(*failure));
    }
    CollectApplied();
    if (std::optional<Failure> failure = PlanVersioned())
      return tl::make_unexpected(std::move(*failure));
    PlanRepeatables();
    NoticeFuture();
    SetVersions();
    return std::move(plan_);
  }

 private:
  std::optional<Failure> CheckTool();
  std::optional<Failure> CheckRunning();
  std::optional<Failure> CheckTarget();
  std::optional<Failure> CheckApplied();
  std::optional<Failure> CheckMissing();
  std::optional<Failure> CheckOneApplied(const ResolvedMigration& file, const Entry& entry) const;
  std::optional<Failure> PlanVersioned();
  void CollectApplied();
  void PlanRepeatables();
  void NoticeFuture();
  void SetVersions();
  void AddStep(const ResolvedMigration& file, const Entry* entry);
  [[nodiscard]] Resume ResumeOf(const history::LedgerRow& row) const;

  const PlanInput& input_;
  EffectiveHistory history_;
  Plan plan_;
  Version target_;
  Version highest_applied_;
  Version newest_file_;
};

std::optional<Failure> Planner::CheckTool() {
  if (!input_.tool) return std::nullopt;
  const auto& tool = *input_.tool;
  const int ledger = history_.ledger_applied();
  const std::string hint = "restore the table, or give this source a history.set of its own";
  // A baseline alone is a history, too: without the table its next row has no place.
  if (!tool.exists && !input_.ledger.empty()) {
    return Conflict(Reason::kHistoryConflict, "", "",
                    "the history table " + input_.set + " is gone, but Whimbrel's ledger has " +
                        std::to_string(ledger) + " applied migrations of it",
                    hint);
  }
  if (tool.applied.empty() && tool.baseline_version.empty() && ledger >= 2) {
    return Conflict(Reason::kHistoryConflict, "", "",
                    "the history table " + input_.set + " has no row, but Whimbrel's ledger has " +
                        std::to_string(ledger) + " applied migrations of it",
                    hint);
  }
  for (const history::ToolRow& row : tool.applied) {
    if (!row.failed) continue;
    return Conflict(Reason::kHistoryConflict, row.version, row.path,
                    "the history table " + input_.set + " says that " + row.version +
                        " failed; somebody must look what it left behind",
                    "repair the database by hand, then the table with the tool that wrote the row");
  }
  return std::nullopt;
}

std::optional<Failure> Planner::CheckRunning() {
  for (const Entry* entry : history_.entries()) {
    if (!entry->running()) continue;
    const history::LedgerRow& row = *entry->newest;
    if (entry->tool != nullptr && !entry->tool->failed) {
      return Conflict(
          Reason::kHistoryConflict, row.version, row.path,
          input_.set + " says that " + row.path +
              " is applied, but Whimbrel's own run of it stopped half-way",
          "delete that row, and Whimbrel finishes the file; it goes on where it stopped");
    }
    const ResolvedMigration* file = entry->file;
    if (file == nullptr) {
      return Conflict(Reason::kPartiallyApplied, row.version, row.path,
                      row.path + " is applied in part: it is not one transaction, and its run " +
                          "stopped half-way; now the source has no such file",
                      "put the file back, and Whimbrel goes on where it stopped");
    }
    if (!target_.empty() && entry->kind == Kind::kVersioned && file->version > target_) {
      return Conflict(Reason::kPartiallyApplied, row.version, row.path,
                      row.path + " is applied in part, and target.version " + target_.display() +
                          " is below it",
                      "raise target.version so that the file can be finished");
    }
  }
  return std::nullopt;
}

std::optional<Failure> Planner::CheckTarget() {
  const auto& files = input_.resolved->versioned;
  if (!files.empty()) newest_file_ = files.back().version;
  const auto& known_ones = history_.entries();
  const auto highest = std::find_if(known_ones.rbegin(), known_ones.rend(), [](const Entry* entry) {
    return entry->kind == Kind::kVersioned && entry->applied;
  });
  if (highest != known_ones.rend()) highest_applied_ = (*highest)->version;
  if (input_.target_version.empty()) return std::nullopt;

  Result<Version> target = Version::Parse(input_.target_version);
  const bool known =
      target && (std::any_of(files.begin(), files.end(),
                             [&](const auto& file) { return file.version == *target; }) ||
                 history_.Find(Kind::kVersioned, target->canonical()) != nullptr);
  if (!known) {
    return Conflict(Reason::kInvalidSource, input_.target_version, "",
                    "target.version " + input_.target_version +
                        " is not in the source, whose newest version is " +
                        (newest_file_.empty() ? "none" : newest_file_.display()),
                    "add the file, or change target.version");
  }
  target_ = *target;
  if (!highest_applied_.empty() && highest_applied_ > target_ &&
      !(highest_applied_ > newest_file_)) {
    return Conflict(Reason::kRollbackForbidden, input_.target_version, "",
                    "target.version " + target_.display() + " is below the database's version " +
                        highest_applied_.display(),
                    "Whimbrel does not undo migrations yet: raise target.version, or remove it");
  }
  return std::nullopt;
}

std::optional<Failure> Planner::CheckOneApplied(const ResolvedMigration& file,
                                                const Entry& entry) const {
  const history::LedgerRow& row = *entry.newest;
  // The tool's table is the truth where it is kept: its own repair command may have changed it.
  const std::optional<std::string>& sum =
      entry.tool != nullptr && entry.tool->sum ? entry.tool->sum : row.sum;
  const std::string& description = entry.tool != nullptr && !entry.tool->description.empty()
                                       ? entry.tool->description
                                       : row.description;
  // An empty description was imported from a tool that keeps none: nothing to compare.
  if (!description.empty() && description != file.description) {
    return Conflict(
        Reason::kHistoryConflict, file.Label(), file.path,
        "version " + file.Label() + " was applied as \"" + description + "\" in the history \"" +
            input_.set + "\", but the file says \"" + file.description + "\"",
        "two sources share one history: give each its own history.set; or rename the file back");
  }
  if (sum && *sum != file.sum) {
    return Conflict(Reason::kChecksumMismatch, file.Label(), file.path,
                    file.path + " was edited after it was applied: its checksum is " + file.sum +
                        ", applied was " + *sum,
                    "put the applied text back, and write the change as a new migration");
  }
  return std::nullopt;
}

std::optional<Failure> Planner::CheckApplied() {
  for (const ResolvedMigration& file : input_.resolved->versioned) {
    const Entry* entry = history_.Find(file);
    if (entry == nullptr || entry->newest == nullptr || !entry->applied) continue;
    if (std::optional<Failure> failure = CheckOneApplied(file, *entry)) return failure;
  }
  return std::nullopt;
}

std::optional<Failure> Planner::CheckMissing() {
  for (const Entry* entry : history_.entries()) {
    if (entry->kind != Kind::kVersioned || !entry->applied || entry->newest == nullptr) continue;
    const history::LedgerRow& row = *entry->newest;
    // Imported without a file: there never was one here.
    if (row.origin == history::Origin::kImported && !row.raw_sum) continue;
    if (entry->file != nullptr || entry->version.empty()) continue;
    if (history_.AtOrBelowBaseline(entry->version) || !(newest_file_ > entry->version)) continue;
    return Conflict(Reason::kHistoryConflict, row.version, row.path,
                    "version " + row.version + " (" + row.path + ") is applied in the history \"" +
                        input_.set +
                        "\", but the source has no such file although it has newer ones",
                    "put the file back; when another source made that history, give this one its "
                    "own history.set");
  }
  return std::nullopt;
}

void Planner::CollectApplied() {
  std::vector<AppliedState> repeatable;
  for (const Entry* entry : history_.entries()) {
    if (!entry->applied || entry->newest == nullptr) continue;
    const AppliedState state{entry->newest, entry->file};
    if (entry->kind == Kind::kVersioned) plan_.applied.push_back(state);
    if (entry->kind == Kind::kRepeatable) repeatable.push_back(state);
  }
  plan_.applied.insert(plan_.applied.end(), repeatable.begin(), repeatable.end());
}

void Planner::AddStep(const ResolvedMigration& file, const Entry* entry) {
  Step step;
  step.migration = &file;
  // A versioned file that is run again although an older run counts as applied was withdrawn.
  step.withdraws_previous =
      entry != nullptr && (entry->withdrawn || (entry->running() && file.kind == Kind::kVersioned));
  if (entry != nullptr && entry->running()) {
    step.run = entry->newest->run;
    step.resume = ResumeOf(*entry->newest);
  } else if (entry != nullptr && entry->newest != nullptr) {
    step.run = entry->newest->run + 1;
  }
  plan_.steps.push_back(std::move(step));
}

Resume Planner::ResumeOf(const history::LedgerRow& row) const {
  Resume resume{.attempt = row.attempt};
  for (const history::JournalRow& journal : input_.journal) {
    if (journal.kind == row.kind && journal.id == row.id && journal.run == row.run)
      resume.journal.push_back(journal);
  }
  return resume;
}

std::optional<Failure> Planner::PlanVersioned() {
  for (const ResolvedMigration& file : input_.resolved->versioned) {
    const Entry* entry = history_.Find(file);
    if (entry != nullptr && entry->applied) continue;
    if (history_.AtOrBelowBaseline(file.version)) continue;
    if (!target_.empty() && file.version > target_) continue;
    const bool withdrawn = entry != nullptr && entry->withdrawn;
    if (withdrawn) {
      plan_.notices.push_back(
          {Notice::Kind::kWithdrawn,
           "version " + file.Label() + " is no longer in " + input_.set + ": it is applied again"});
    }
    // A file that was begun is finished, whatever was applied above it.
    const bool begun = withdrawn || (entry != nullptr && entry->running());
    const bool late = !begun && !highest_applied_.empty() && file.version < highest_applied_;
    if (late && input_.out_of_order == report::OutOfOrder::kSkip) continue;
    if (late && input_.out_of_order == report::OutOfOrder::kReject) {
      return Conflict(
          Reason::kOutOfOrder, file.Label(), file.path,
          file.path + " is older than version " + highest_applied_.display() +
              ", which is applied already",
          "give the file a newer version, or set execution.outOfOrder to Apply (or Skip)");
    }
    AddStep(file, entry);
  }
  return std::nullopt;
}

void Planner::PlanRepeatables() {
  for (const ResolvedMigration& file : input_.resolved->repeatable) {
    const Entry* entry = history_.Find(file);
    const bool current = entry != nullptr && entry->applied && entry->newest != nullptr &&
                         entry->newest->sum == file.sum;
    if (!current) AddStep(file, entry);
  }
}

void Planner::NoticeFuture() {
  if (highest_applied_.empty() || newest_file_.empty() || !(highest_applied_ > newest_file_))
    return;
  plan_.notices.push_back(
      {Notice::Kind::kFuture, "the database is at version " + highest_applied_.display() +
                                  ", newer than the newest file, " + newest_file_.display()});
}

void Planner::SetVersions() {
  if (!highest_applied_.empty()) {
    const Entry* highest = history_.Find(Kind::kVersioned, highest_applied_.canonical());
    const bool shown =
        highest != nullptr && highest->newest != nullptr && !highest->newest->version.empty();
    plan_.current_version = shown ? highest->newest->version : highest_applied_.display();
  } else if (!history_.baseline().empty()) {
    plan_.current_version = history_.baseline().display();
  }
  plan_.target_version = plan_.current_version;
  for (const Step& step : plan_.steps) {
    const bool raises = highest_applied_.empty() || step.migration->version > highest_applied_;
    if (step.migration->kind == Kind::kVersioned && raises)
      plan_.target_version = step.migration->version.display();
  }
}

}  // namespace

Result<Plan, Failure> MakePlan(const PlanInput& input) { return Planner(input).Make(); }

}  // namespace whimbrel::engine
