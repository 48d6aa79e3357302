#include "engine/report_builder.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace whimbrel::engine {

using report::AppliedMigration;
using report::RunReport;

namespace {

/// `15.18` of 150018 (PQserverVersion: ten thousands since PostgreSQL 10).
std::string ServerVersion(int version) {
  return std::to_string(version / 10000) + "." + std::to_string(version % 10000);
}

/// (kind, version) as AppliedMigration has them.
std::pair<std::string, std::string> ShownKey(const history::LedgerRow& row) {
  return {std::string(1, static_cast<char>(row.kind)),
          row.kind == migration::Kind::kRepeatable ? row.description : row.version};
}

AppliedMigration FromRow(const history::LedgerRow& row) {
  AppliedMigration out;
  std::tie(out.kind, out.version) = ShownKey(row);
  out.description = row.description;
  out.checksum = row.sum.value_or("");
  out.applied_at = row.applied_at.value_or(SystemTime());
  out.duration = std::chrono::milliseconds(row.duration_ms);
  return out;
}

void FillServer(RunReport& out, const postgres::ServerFacts& server) {
  out.server_version = ServerVersion(server.version);
  out.database = server.database;
  out.system_identifier = server.system_identifier;
}

void FillApplied(RunReport& out, const ReportState& state) {
  const auto& now = *state.applied_now;
  out.applied_this_run = static_cast<int>(now.size());
  for (auto it = now.rbegin(); it != now.rend() && out.applied.size() < RunReport::kMaxListed; ++it)
    out.applied.push_back(*it);
  if (state.plan == nullptr) return;
  // Rows of the ledger that this run wrote are in both lists when it planned anew half-way.
  std::set<std::pair<std::string, std::string>> listed;
  for (const AppliedMigration& done : now) listed.emplace(done.kind, done.version);
  const auto& before = state.plan->applied;
  int earlier = 0;
  for (auto it = before.rbegin(); it != before.rend(); ++it) {
    if (!listed.empty() && listed.contains(ShownKey(*it->row))) continue;
    ++earlier;
    if (out.applied.size() < RunReport::kMaxListed) out.applied.push_back(FromRow(*it->row));
  }
  out.applied_count = earlier + static_cast<int>(listed.size());
}

void FillPending(RunReport& out, const ReportState& state) {
  std::set<std::pair<std::string, std::string>> done;
  for (const AppliedMigration& now : *state.applied_now) done.emplace(now.kind, now.version);
  for (const Step& step : state.plan->steps) {
    const auto& file = *step.migration;
    const std::string version =
        file.kind == migration::Kind::kRepeatable ? file.description : file.version.display();
    if (done.contains({std::string(1, static_cast<char>(file.kind)), version})) continue;
    ++out.pending_count;
    if (out.pending.size() < RunReport::kMaxListed)
      out.pending.push_back({version, file.description, file.path});
  }
}

/// The highest version that is applied now: the plan's, raised by what this run applied.
std::string CurrentVersion(const ReportState& state) {
  std::string current = state.plan == nullptr ? "" : state.plan->current_version;
  migration::Version highest = migration::Version::Parse(current).value_or(migration::Version());
  for (const AppliedMigration& now : *state.applied_now) {
    if (now.kind != "V") continue;
    Result<migration::Version> version = migration::Version::Parse(now.version);
    if (!version || (!highest.empty() && !(*version > highest))) continue;
    highest = *version;
    current = now.version;
  }
  return current;
}

RunReport CommonReport(const RunContext& context, const ReportState& state) {
  RunReport out;
  out.source_digest = context.request.source->digest;
  out.source_files = static_cast<int>(context.request.source->files.size());
  out.notices = context.notices;
  out.lock_wait = std::chrono::floor<std::chrono::milliseconds>(context.lock_wait);
  if (state.resolved != nullptr) {
    out.format = std::string(migration::ToString(state.resolved->format));
    out.format_reason = state.resolved->format_reason;
  }
  if (state.server != nullptr) FillServer(out, *state.server);
  if (state.applied_now == nullptr) return out;
  out.set = state.set;
  FillApplied(out, state);
  out.current_version = CurrentVersion(state);
  if (state.plan != nullptr) {
    out.target_version = state.plan->target_version;
    FillPending(out, state);
  }
  return out;
}

}  // namespace

AppliedMigration DescribeApplied(const Step& step, std::chrono::milliseconds duration,
                                 SystemTime now) {
  const auto& file = *step.migration;
  AppliedMigration out;
  out.kind = std::string(1, static_cast<char>(file.kind));
  out.version =
      file.kind == migration::Kind::kRepeatable ? file.description : file.version.display();
  out.description = file.description;
  out.checksum = file.sum;
  out.applied_at = now;
  out.duration = duration;
  out.this_run = true;
  return out;
}

RunReport SucceededReport(const RunContext& context, const ReportState& state) {
  RunReport out = CommonReport(context, state);
  out.succeeded = true;
  return out;
}

RunReport FailedReport(const RunContext& context, RunFailure failure, const ReportState& state) {
  RunReport out = CommonReport(context, state);
  out.transient = failure.transient;
  out.uncounted = failure.uncounted;
  out.failure = std::move(failure.failure);
  // The failure keeps what PostgreSQL said; the reason says what happens next. A source that moved
  // has no other word than its reason.
  const bool says_it = report::ClassOf(out.failure->reason) == report::ReasonClass::kReconciling ||
                       out.failure->reason == report::Reason::kSourceChanged;
  if (out.transient && !out.uncounted && !says_it) out.failure->reason = report::Reason::kRetrying;
  return out;
}

}  // namespace whimbrel::engine
