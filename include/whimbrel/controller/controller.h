#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/metrics.h"
#include "whimbrel/controller/api.h"
#include "whimbrel/kube/object_client.h"
#include "whimbrel/report/runner.h"

namespace whimbrel::controller {

/// What an installation decides about the pods of runs (execution.mode: Job).
struct RunnerImage {
  std::string image;  ///< Empty: there are none, and a resource that asks for one is told so.
  std::string pull_policy = "IfNotPresent";
};

struct ControllerOptions {
  std::vector<std::string> namespaces;  ///< Empty: all.
  int workers = 4;                      ///< Reconcile passes at once; none waits for a database.
  std::chrono::seconds resync{600};     ///< `resyncSeconds`: how often outside causes are tried.
  std::chrono::seconds source_timeout{300};  ///< `sourceTimeoutSeconds`; then Stalled.
  report::Trust trust = report::Trust::kCluster;
  std::string instance;  ///< Reporting instance of events (host name, pod); empty: `whimbrel`.
  /// False: nobody adds or mends anything any more (`whimbrel run -f`), so a resource that is
  /// kWaitingForObjects counts as settled.
  bool objects_may_appear = true;
  /// Runs in this process also what asks for mode Job: where there is no cluster that could run
  /// one.
  bool jobs_in_process = false;
  RunnerImage runner;
  /// Gets what ControllerMetrics() describes; outlives the controller.
  MetricsSink* metrics = &MetricsSink::Null();
};

/// Where one resource stands.
struct Outcome {
  kube::ObjectKey key;
  Standing standing = Standing::kWorking;
};

/// Brings every DatabaseMigration to Ready or says why not: reflectors → work queue → workers, each
/// pass Gather → Decide → Act (design §6). Owns its threads; borrows client, runner, clock and
/// random, which must outlive it, and the runner's listener while it runs. Public functions are
/// thread-safe.
class Controller {
 public:
  Controller(kube::ObjectClient& client, report::Runner& runner, ControllerOptions options,
             const Clock& clock = Clock::System(), Random& random = Random::System());
  /// Stops first.
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  /// Asks the API server whether the work is possible, then begins. A server that does not answer
  /// is asked again until it does, or until `stop` (kCancelled), which ends that question only.
  /// What somebody must mend is an error that says how, and nothing runs: kNotFound where the CRD
  /// is not installed, kPermissionDenied, kUnauthenticated; kUnavailable: an answer without sense.
  Result<void> Start(std::stop_token stop = {});

  /// Hands out no key any more, cancels the runs, ends the passes under way, and gives the runs
  /// four seconds to roll back (the runner's own end waits for the rest), the events five to be
  /// written. Statuses stay as they are: whoever starts next looks at the databases. Idempotent.
  void Stop();

  /// The first lists are done.
  [[nodiscard]] bool synced() const;

  /// Waits until every resource, seen up to now, is Ready, Stalled or Suspended with a status as
  /// new as its spec and its files, and no pass is due. False: a stop was requested first.
  bool WaitUntilSettled(std::stop_token stop) const;
  [[nodiscard]] bool settled() const;

  /// Every resource that is known, by key.
  [[nodiscard]] std::vector<Outcome> Outcomes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The objects themselves, read anew, by key; for printing (PrinterRow, `-o json`).
[[nodiscard]] kube::ApiResult<std::vector<nlohmann::json>> ReadDatabaseMigrations(
    kube::ObjectClient& client, const std::vector<std::string>& namespaces, std::stop_token stop);

}  // namespace whimbrel::controller
