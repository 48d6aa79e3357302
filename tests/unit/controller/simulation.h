#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "controller/conditions.h"
#include "controller/decide.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::controller::testing {

/// One resource and its surroundings, without threads: passes are made by hand, and what they
/// decide is carried out here as the reconciler would.
class Simulation {
 public:
  Simulation() {
    seen_.object.metadata = {.key = {.ns = "shop", .name = "orders"},
                             .uid = "uid-1",
                             .resource_version = "1",
                             .generation = 1};
    Spec spec;
    spec.source.config_maps = {{.name = "orders-sql"}};
    spec.database.secret = SecretRef{.name = "orders-db"};
    spec.execution.mode = ExecutionMode::kInProcess;
    seen_.object.spec = spec;
    SetFiles("create table a()");
  }

  // What the world does.

  Spec& EditSpec() {
    ++seen_.object.metadata.generation;
    return *seen_.object.spec;
  }
  Spec& spec() { return *seen_.object.spec; }
  Metadata& metadata() { return seen_.object.metadata; }
  Observed& observed() { return seen_; }
  void SetFiles(const std::string& sql) {
    migration::MemorySourceBuilder builder;
    (void)builder.Add("001_a.sql", sql, "test");
    source_ = GatheredSource{.source = std::move(builder).Build()};
  }
  void LoseFiles(Obstacle obstacle) { source_ = tl::make_unexpected(std::move(obstacle)); }
  void LoseSecret() {
    credentials_ = tl::make_unexpected(
        Obstacle{report::Reason::kSecretNotFound, "Secret shop/orders-db does not exist"});
  }
  void FindSecret() { credentials_ = Credentials(); }
  void Pass(std::chrono::seconds time) { now_ += time; }
  void Report(report::Progress progress) { seen_.run_status.progress = std::move(progress); }
  void EndRun(report::RunReport report) { seen_.run_status.report = std::move(report); }
  /// The controller is killed and started anew; status stays.
  void Restart() {
    seen_.run.reset();
    seen_.run_status = {};
    seen_.foreign_run_lost = true;
  }

  // What the controller does.

  /// One pass; what it decided has been carried out.
  Action Reconcile() {
    seen_.new_run_id = "run-" + std::to_string(runs_ + 1);
    const bool running = seen_.run && !seen_.run_status.report;
    seen_.source = running ? std::nullopt : std::optional(source_);
    seen_.credentials.reset();
    Action action = Decide(seen_, now_);
    if (action.read_credentials) {
      seen_.credentials = credentials_;
      action = Decide(seen_, now_);
    }
    CarryOut(action);
    return action;
  }
  /// Passes until one wants nothing more at this moment; all that they did.
  std::vector<Action> Settle() {
    std::vector<Action> actions;
    do {
      actions.push_back(Reconcile());
    } while (actions.size() < 10 && actions.back().requeue_after &&
             *actions.back().requeue_after <= Duration::zero());
    return actions;
  }
  /// Starts a run, lets it end so, and makes the pass that sees it.
  Action Run(report::RunReport report) {
    (void)Reconcile();
    EndRun(std::move(report));
    return Reconcile();
  }

  [[nodiscard]] const Status& status() const { return seen_.object.status; }
  [[nodiscard]] bool running() const { return seen_.run && !seen_.run_status.report; }
  [[nodiscard]] int runs() const { return runs_; }
  [[nodiscard]] int writes() const { return writes_; }
  [[nodiscard]] int cancels() const { return cancels_; }
  [[nodiscard]] SystemTime now() const { return now_; }
  [[nodiscard]] const std::vector<EventNote>& events() const { return events_; }
  [[nodiscard]] std::vector<std::string> EventReasons() const {
    std::vector<std::string> reasons;
    for (const EventNote& event : events_) reasons.push_back(event.reason);
    return reasons;
  }
  /// `Ready=False Reconciling=True Stalled=False Migrating`.
  [[nodiscard]] std::string Conditions() const {
    std::string text;
    for (const Condition& condition : status().conditions) {
      text += condition.type + "=" + (condition.status == Truth::kTrue ? "True " : "False ");
    }
    return text + std::string(ReadyReason(status()));
  }
  [[nodiscard]] std::string message() const {
    const Condition* ready = status().Find("Ready");
    return ready == nullptr ? "" : ready->message;
  }

 private:
  void CarryOut(const Action& action) {
    if (action.status != seen_.object.status) {
      ++writes_;
      seen_.object.status = action.status;
      if (seen_.run) seen_.run->last_write = now_;
    }
    events_.insert(events_.end(), action.events.begin(), action.events.end());
    if (action.cancel_run) {
      ++cancels_;
      seen_.run->cancel_requested = true;
    }
    if (action.forget_run) seen_.run.reset();
    if (!action.start_run) return;
    ++runs_;
    seen_.foreign_run_lost = false;
    seen_.run = OwnRun{.state = *action.status.run, .uid = "uid-1", .last_write = now_};
    seen_.run_status = {};
  }

  Observed seen_{.object = {.spec = Spec()}, .jitter = 0.5};
  SourceState source_;
  CredentialsState credentials_ = Credentials();
  SystemTime now_{std::chrono::seconds(1767323045)};
  int runs_ = 0;
  int writes_ = 0;
  int cancels_ = 0;
  std::vector<EventNote> events_;
};

inline constexpr std::string_view kReady = "Ready=True Reconciling=False Stalled=False ";
inline constexpr std::string_view kReconciling = "Ready=False Reconciling=True Stalled=False ";
inline constexpr std::string_view kStalled = "Ready=False Reconciling=False Stalled=True ";

inline std::string Ready(std::string_view reason = "UpToDate") {
  return std::string(kReady) + std::string(reason);
}
inline std::string Reconciling(std::string_view reason) {
  return std::string(kReconciling) + std::string(reason);
}
inline std::string Stalled(std::string_view reason) {
  return std::string(kStalled) + std::string(reason);
}

inline report::RunReport Success(std::string version = "1") {
  report::RunReport report;
  report.succeeded = true;
  report.current_version = report.target_version = version;
  report.applied_count = 1;
  report.set = "default";
  report.database = "orders";
  report.system_identifier = "42";
  report.server_version = "15.18";
  report.format = "Numbered";
  report.source_digest = "sha256:" + std::string(64, 'a');
  report.source_files = 1;
  return report;
}

inline report::RunReport Applied(std::vector<std::string> versions) {
  report::RunReport report = Success(versions.back());
  report.applied_count = report.applied_this_run = static_cast<int>(versions.size());
  for (auto it = versions.rbegin(); it != versions.rend(); ++it) {
    report.applied.push_back({.version = *it,
                              .kind = "V",
                              .description = "step",
                              .applied_at = SystemTime(std::chrono::seconds(1767323040)),
                              .duration = std::chrono::milliseconds(7),
                              .this_run = true});
  }
  return report;
}

inline report::RunReport Failed(report::Reason reason, std::string message = "it broke") {
  report::RunReport report;
  report.failure = report::Failure{.reason = reason, .message = std::move(message)};
  return report;
}
inline report::RunReport Transient(std::string message = "connection lost") {
  report::RunReport report = Failed(report::Reason::kRetrying, std::move(message));
  report.transient = true;
  return report;
}
inline report::RunReport Uncounted(report::Reason reason) {
  report::RunReport report = Failed(reason);
  report.transient = report.uncounted = true;
  return report;
}

}  // namespace whimbrel::controller::testing
