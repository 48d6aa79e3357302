#include "controller/job_runs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "controller/job_builder.h"
#include "controller/job_history.h"
#include "controller/job_observation.h"
#include "controller/job_progress.h"
#include "controller/json_fields.h"
#include "whimbrel/base/log.h"

namespace whimbrel::controller {

using kube::ApiError;
using kube::ApiErrorReason;
using kube::ApiResult;
using kube::Json;
using kube::ObjectKey;
using report::Reason;
using std::chrono::seconds;

namespace {

constexpr std::string_view kLogger = "jobs";
/// No event of ours tells that the Job controller could not make a pod.
constexpr seconds kRefusalPeriod{3};
constexpr std::chrono::minutes kLogRightPeriod{10};
constexpr int kTailLines = 20;

report::RunReport FailedStart(Reason reason, std::string message, bool transient) {
  report::RunReport report;
  report.transient = report.uncounted = transient;
  report.failure = report::Failure{.reason = reason, .message = std::move(message)};
  return report;
}

/// The install's policy compares a Job with the API server's own copy of its resource, which may be
/// some moments behind ours: what is refused so, is taken soon (deploy/parts/policy.yaml).
bool IsBehind(const ApiError& error) {
  return error.message.find("'whimbrel-job-owner'") != std::string::npos;
}

bool IsOf(const JobFacts& job, const Metadata& owner, const RunState& run) {
  return job.owner_uid == owner.uid && job.run_id == run.id;
}

}  // namespace

std::vector<std::string> OwnerIndex(const ObjectKey& /*key*/, const JobFacts& job) {
  return {job.owner_uid};
}
std::vector<std::string> OwnerIndex(const ObjectKey& /*key*/, const PodFacts& pod) {
  return {pod.owner_uid};
}

JobRuns::JobRuns(kube::ObjectClient& client, RunnerImage image, const Clock& clock)
    : client_(client),
      image_(std::move(image)),
      clock_(clock),
      jobs_([](const ObjectKey& key, const JobFacts& job) { return OwnerIndex(key, job); }),
      pods_([](const ObjectKey& key, const PodFacts& pod) { return OwnerIndex(key, pod); }) {}

// What is there

std::vector<PodFacts> JobRuns::PodsOf(const std::string& owner_uid) const {
  std::vector<PodFacts> pods;
  for (const ObjectKey& key : pods_.ByIndex(owner_uid)) {
    if (const PodStore::Ptr pod = pods_.Get(key)) pods.push_back(*pod);
  }
  return pods;
}

ObservedJobs JobRuns::Survey(const Metadata& owner, const std::optional<RunState>& last) {
  ObservedJobs seen{.available = !image_.image.empty()};
  if (!seen.available) return seen;
  if (last) seen.next_number = JobNumber(last->job_name) + 1;
  for (const ObjectKey& key : jobs_.ByIndex(owner.uid)) {
    const JobStore::Ptr job = jobs_.Get(key);
    if (!job) continue;
    seen.next_number = std::max(seen.next_number, job->number + 1);
    seen.jobs.push_back(*job);
  }
  const std::string awaited = last && !last->ended() ? last->id : std::string();
  for (const ObjectKey& key : pods_.ByIndex(owner.uid)) {
    const PodStore::Ptr pod = pods_.Get(key);
    // What a pod said last was kept beyond its end for the run that still waits for it.
    if (pod && pod->gone && pod->run_id != awaited) pods_.Remove(key);
  }
  seen.not_before = NextJobNotBefore(PodsOf(owner.uid), clock_.SystemNow());
  return seen;
}

ApiResult<std::optional<JobFacts>> JobRuns::Find(const ObjectKey& key, std::stop_token stop) {
  if (const JobStore::Ptr job = jobs_.Get(key)) return std::optional(*job);
  ApiResult<Json> object = client_.Get(kube::Jobs(), key, std::move(stop));
  if (!object && object.error().IsNotFound()) return std::optional<JobFacts>();
  if (!object) return tl::make_unexpected(std::move(object).error());
  return std::optional(ReadJob(*object));
}

ApiResult<report::RunStatus> JobRuns::Observe(const Metadata& owner, OwnRun& run,
                                              ObservedJobs& seen, std::stop_token stop) {
  ApiResult<std::optional<JobFacts>> found =
      Find({.ns = owner.key.ns, .name = run.state.job_name}, stop);
  if (!found) return tl::make_unexpected(std::move(found).error());
  std::vector<PodFacts> pods = PodsOf(owner.uid);
  std::erase_if(pods, [&](const PodFacts& pod) { return pod.run_id != run.state.id; });
  // Jobs and pods come by two watches, and the one of the pods may be behind.
  const bool over = !*found || (*found)->complete || (*found)->failed;
  if (over && std::ranges::none_of(pods, &PodFacts::ended)) {
    if (ApiResult<void> listed = ListPods(owner.key.ns, run.state.id, pods, stop); !listed) {
      return tl::make_unexpected(std::move(listed).error());
    }
  }
  const bool there = *found && IsOf(**found, owner, run.state);
  if (!there && pods.empty()) {
    return report::RunStatus{.report = LostRun("its Job " + run.state.job_name + " is gone")};
  }
  // Without the Job its pods are asked to end, and what they say is as good as ever.
  const JobFacts job = there ? **found : JobFacts{.name = run.state.job_name, .deleting = true};
  if (there && run.resolved.empty()) run.resolved = job.resolved;
  std::vector<std::string> refusals;
  if (there && pods.empty() && !job.failed && !job.complete) {
    refusals = ReadRefusals(owner.key.ns, job.uid, stop);
    seen.look_again = kRefusalPeriod;
  }
  JobObservation observation = ObserveJob(job, pods, refusals);
  const SystemTime now = clock_.SystemNow();
  if (!observation.status.report) observation.status.report = GivenUp(pods, now);
  if (const auto until = NextJobNotBefore(pods, now); until && *until != SystemTime::max()) {
    seen.look_again = *until - now;
  }
  if (!observation.status.report) seen.obstacle = std::move(observation.obstacle);
  seen.image_missing = observation.image_missing;
  seen.started = observation.started;
  seen.pod_name = std::move(observation.pod_name);
  if (!observation.status.report && !seen.obstacle) {
    ReadProgress(owner.key.ns, pods, observation.status, seen, std::move(stop));
  }
  return std::move(observation.status);
}

ApiResult<void> JobRuns::ListPods(const std::string& ns, const std::string& run_id,
                                  std::vector<PodFacts>& pods, std::stop_token stop) {
  pods.clear();
  const ApiResult<std::string> listed = client_.List(
      kube::Pods(), {.ns = ns, .label_selector = std::string(kRunIdLabel) + "=" + run_id},
      [&](Json&& pod) { pods.push_back(ReadPod(pod)); }, std::move(stop));
  if (!listed) return tl::make_unexpected(listed.error());
  return {};
}

std::vector<std::string> JobRuns::ReadRefusals(const std::string& ns, const std::string& job_uid,
                                               std::stop_token stop) {
  std::vector<std::string> messages;
  const ApiResult<std::string> listed = client_.List(
      kube::CoreEvents(),
      {.ns = ns, .field_selector = "involvedObject.uid=" + job_uid + ",reason=FailedCreate"},
      [&](Json&& event) { messages.push_back(Text(event, "message")); }, std::move(stop));
  // Without that right the Job still says that it has no pod.
  if (!listed) log::Debug(kLogger, "events not read", {{"error", listed.error().ToString()}});
  std::ranges::reverse(messages);
  return messages;
}

void JobRuns::ReadProgress(const std::string& ns, const std::vector<PodFacts>& pods,
                           report::RunStatus& status, ObservedJobs& seen, std::stop_token stop) {
  const auto running =
      std::ranges::find_if(pods, [](const PodFacts& pod) { return pod.running && !pod.ended(); });
  if (running == pods.end() || clock_.SteadyNow() < no_logs_until_.load()) return;
  const ApiResult<std::string> text = client_.ReadLog(
      {.ns = ns, .name = running->name},
      {.container = std::string(kRunnerContainer), .tail_lines = kTailLines}, std::move(stop));
  if (!text && text.error().reason == ApiErrorReason::kForbidden) {
    no_logs_until_ = clock_.SteadyNow() + kLogRightPeriod;
    return;
  }
  seen.shows_progress = true;
  if (!text) return;
  if (std::optional<report::Progress> progress = LastProgress(*text)) {
    status.progress = *std::move(progress);
  }
}

// Start and end

std::optional<report::RunReport> JobRuns::Start(const DatabaseMigration& object,
                                                const RunState& run, int number,
                                                const std::vector<ResolvedObject>& resolved,
                                                std::stop_token stop) {
  Result<Json> job = BuildJob(object, run, number, resolved, image_);
  if (!job) return FailedStart(Reason::kInvalidSource, job.error().message, false);
  const ObjectKey key{.ns = object.metadata.key.ns, .name = run.job_name};
  ApiResult<Json> created = client_.Create(kube::Jobs(), *job, stop);
  if (!created) return Refused(created.error(), key, object.metadata, run, std::move(stop));
  // The watch tells of it later; until then nobody should take it for lost.
  jobs_.Put(key, std::make_shared<const JobFacts>(ReadJob(*created)));
  return std::nullopt;
}

std::optional<report::RunReport> JobRuns::Refused(const ApiError& error, const ObjectKey& key,
                                                  const Metadata& owner, const RunState& run,
                                                  std::stop_token stop) {
  if (error.reason == ApiErrorReason::kCancelled) return std::nullopt;
  const bool refused =
      error.reason == ApiErrorReason::kForbidden || error.reason == ApiErrorReason::kInvalid;
  if (refused && !IsBehind(error)) {
    return FailedStart(Reason::kJobRejected,
                       "the cluster refused the Job " + key.name + ": " + error.message, false);
  }
  // It may have been stored all the same, by this request or by one before.
  const ApiResult<std::optional<JobFacts>> found = Find(key, std::move(stop));
  // Until somebody can tell, it counts as made: another one could run beside it. Observe asks on.
  if (!found) return std::nullopt;
  if (*found && IsOf(**found, owner, run)) return std::nullopt;
  const std::string why = error.reason == ApiErrorReason::kAlreadyExists
                              ? "another one of that name is there"
                              : error.ToString();
  return FailedStart(Reason::kJobPending, "the Job " + key.name + " could not be made: " + why,
                     true);
}

void JobRuns::Delete(const std::string& ns, const std::string& name, const std::string& uid,
                     std::stop_token stop) {
  const ApiResult<void> deleted =
      client_.Delete(kube::Jobs(), {.ns = ns, .name = name}, uid, std::move(stop));
  if (deleted || deleted.error().IsNotFound() || deleted.error().IsConflict()) return;
  log::Warning(kLogger, "a Job could not be deleted",
               {{"namespace", ns}, {"name", name}, {"error", deleted.error().ToString()}});
}

}  // namespace whimbrel::controller
