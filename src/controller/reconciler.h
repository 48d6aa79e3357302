#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "controller/action.h"
#include "controller/job_runs.h"
#include "controller/observed.h"
#include "controller/run_book.h"
#include "whimbrel/controller/controller.h"
#include "whimbrel/kube/event_recorder.h"

namespace whimbrel::controller {

/// One reconcile pass: Gather → Decide → Act (design §6). The key is all that it gets; it reads
/// what is there now, and never waits for a database. Thread-safe for different keys.
class Reconciler {
 public:
  /// Told of every object that this class read or wrote, before anything else comes of it.
  using SeenFunction = std::function<void(const kube::ObjectKey&, const nlohmann::json& object)>;

  Reconciler(kube::ObjectClient& client, report::Runner& runner, JobRuns& job_runs,
             kube::EventRecorder& recorder, RunBook& book, const ControllerOptions& options,
             const Clock& clock, Random& random, SeenFunction seen);

  /// When to come again, if not woken earlier. kConflict: the object is newer than what was read.
  kube::ApiResult<std::optional<Duration>> Reconcile(const kube::ObjectKey& key,
                                                     std::stop_token stop);

 private:
  kube::ApiResult<std::optional<Observed>> Gather(const kube::ObjectKey& key, std::stop_token stop);
  kube::ApiResult<void> GatherRun(Observed& observed, std::stop_token stop);
  kube::ApiResult<void> GatherJob(Observed& observed, std::stop_token stop);
  void GatherOwnRun(Observed& observed);
  kube::ApiResult<void> GatherFiles(Observed& observed, std::stop_token stop);
  kube::ApiResult<std::optional<Duration>> Act(Observed& observed, Action action,
                                               std::stop_token stop);
  kube::ApiResult<void> WriteStatus(const Observed& observed, const Status& status,
                                    std::stop_token stop);
  void Tell(const Metadata& about, std::vector<EventNote> events);
  void CancelRun(const Observed& observed, std::stop_token stop);
  void DeleteJobs(const Observed& observed, const std::vector<JobFacts>& jobs,
                  std::stop_token stop);
  void ForgetRun(const kube::ObjectKey& key, const std::string& run_id);
  /// False: it came to nothing, and the next pass says so.
  bool StartRun(Observed& observed, const RunState& run, std::stop_token stop);
  bool StartJob(const Observed& observed, const RunState& run, std::stop_token stop);
  bool StartInProcess(Observed& observed, const RunState& run);
  void LetGo(const kube::ObjectKey& key);

  kube::ObjectClient& client_;
  report::Runner& runner_;
  JobRuns& job_runs_;
  kube::EventRecorder& recorder_;
  RunBook& book_;
  const ControllerOptions& options_;
  const Clock& clock_;
  Random& random_;
  const SeenFunction seen_;
};

}  // namespace whimbrel::controller
