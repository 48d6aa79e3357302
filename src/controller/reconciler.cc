#include "controller/reconciler.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "controller/credentials.h"
#include "controller/decide.h"
#include "controller/job_history.h"
#include "controller/metrics.h"
#include "controller/run_request.h"
#include "controller/source_gatherer.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/base/log.h"

namespace whimbrel::controller {

using kube::ApiResult;
using kube::Json;
using kube::ObjectKey;

namespace {

constexpr std::string_view kLogger = "controller";

/// Empty where the watch has not told of it yet; then the name has to do.
std::string UidOf(const std::vector<JobFacts>& jobs, const std::string& name) {
  const auto found = std::ranges::find(jobs, name, &JobFacts::name);
  return found == jobs.end() ? std::string() : found->uid;
}

SystemTime WholeSeconds(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time); }

}  // namespace

Reconciler::Reconciler(kube::ObjectClient& client, report::Runner& runner, JobRuns& job_runs,
                       kube::EventRecorder& recorder, RunBook& book,
                       const ControllerOptions& options, const Clock& clock, Random& random,
                       SeenFunction seen)
    : client_(client),
      runner_(runner),
      job_runs_(job_runs),
      recorder_(recorder),
      book_(book),
      options_(options),
      clock_(clock),
      random_(random),
      seen_(std::move(seen)) {}

ApiResult<std::optional<Duration>> Reconciler::Reconcile(const ObjectKey& key,
                                                         std::stop_token stop) {
  ApiResult<std::optional<Observed>> gathered = Gather(key, stop);
  if (!gathered) return tl::make_unexpected(std::move(gathered).error());
  if (!*gathered) {
    LetGo(key);
    return std::nullopt;
  }
  Observed& observed = **gathered;
  Action action = Decide(observed, clock_.SystemNow());
  if (action.read_credentials) {
    ApiResult<CredentialsState> credentials =
        ReadCredentials(client_, key.ns, observed.object.spec->database, stop);
    if (!credentials) return tl::make_unexpected(std::move(credentials).error());
    observed.credentials = *std::move(credentials);
    action = Decide(observed, clock_.SystemNow());
  }
  return Act(observed, std::move(action), stop);
}

// Gather

ApiResult<std::optional<Observed>> Reconciler::Gather(const ObjectKey& key, std::stop_token stop) {
  ApiResult<Json> object = client_.Get(DatabaseMigrations(), key, stop);
  if (!object && object.error().IsNotFound()) return std::optional<Observed>();
  if (!object) return tl::make_unexpected(std::move(object).error());
  seen_(key, *object);
  Observed observed{.object = ParseDatabaseMigration(*object),
                    .new_run_id = NewUuid(),
                    .jitter = random_.Uniform(),
                    .resync = options_.resync,
                    .source_timeout = options_.source_timeout,
                    .jobs_in_process = options_.jobs_in_process};
  observed.jobs = job_runs_.Survey(observed.object.metadata, observed.object.status.run);
  if (ApiResult<void> run = GatherRun(observed, stop); !run) {
    return tl::make_unexpected(std::move(run).error());
  }
  if (ApiResult<void> files = GatherFiles(observed, stop); !files) {
    return tl::make_unexpected(std::move(files).error());
  }
  return std::optional(std::move(observed));
}

ApiResult<void> Reconciler::GatherRun(Observed& observed, std::stop_token stop) {
  const std::optional<RunState>& last = observed.object.status.run;
  const bool follow_job = last && !last->ended() && !last->job_name.empty();
  if (follow_job && observed.jobs.available) return GatherJob(observed, std::move(stop));
  GatherOwnRun(observed);
  return {};
}

ApiResult<void> Reconciler::GatherJob(Observed& observed, std::stop_token stop) {
  const Metadata& metadata = observed.object.metadata;
  const RunState& last = *observed.object.status.run;
  std::optional<OwnRun> known = book_.Find(metadata.key);
  if (!known || known->state.id != last.id || known->uid != metadata.uid) {
    known = OwnRun{.uid = metadata.uid};
  }
  known->state = last;
  known->cancel_requested = known->cancel_requested || last.phase == kCancellingPhase;
  if (known->failed_start) {
    observed.run_status.report = known->failed_start;
  } else {
    ApiResult<report::RunStatus> status =
        job_runs_.Observe(metadata, *known, observed.jobs, std::move(stop));
    if (!status) return tl::make_unexpected(std::move(status).error());
    observed.run_status = *std::move(status);
  }
  book_.Put(metadata.key, *known);
  observed.run = std::move(known);
  return {};
}

void Reconciler::GatherOwnRun(Observed& observed) {
  const Metadata& metadata = observed.object.metadata;
  std::optional<OwnRun> own = book_.Find(metadata.key);
  if (own && own->uid != metadata.uid) {
    // Deleted and created anew in between: what runs belongs to the old one.
    ForgetRun(metadata.key, own->state.id);
    own.reset();
  }
  if (own) {
    if (std::optional<report::RunStatus> status = runner_.Observe(own->state.id)) {
      observed.run = std::move(own);
      observed.run_status = *std::move(status);
    } else {
      book_.MarkLost(metadata.key, own->state.id);
      book_.Erase(metadata.key);
    }
  }
  const std::optional<RunState>& run = observed.object.status.run;
  const std::string unfinished = run && !run->ended() ? run->id : std::string();
  const bool lost = book_.IsLost(metadata.key, unfinished, metadata.resource_version,
                                 clock_.SteadyNow(), options_.resync);
  observed.foreign_run_lost = !observed.run && lost;
}

ApiResult<void> Reconciler::GatherFiles(Observed& observed, std::stop_token stop) {
  const bool running = observed.run && !observed.run_status.report;
  if (running || !observed.object.spec || observed.object.metadata.deleting) return {};
  ApiResult<SourceState> source = GatherSource(client_, observed.object.metadata.key.ns,
                                               observed.object.spec->source, std::move(stop));
  if (!source) return tl::make_unexpected(std::move(source).error());
  observed.source = *std::move(source);
  return {};
}

// Act

ApiResult<std::optional<Duration>> Reconciler::Act(Observed& observed, Action action,
                                                   std::stop_token stop) {
  const Metadata& metadata = observed.object.metadata;
  if (action.status != observed.object.status) {
    ApiResult<void> written = WriteStatus(observed, action.status, stop);
    // The server may have stored it although the answer was lost: the run that it announces is
    // nobody's then, and need not be waited for.
    if (!written && action.start_run) book_.MarkLost(metadata.key, action.status.run->id);
    if (!written && written.error().IsNotFound()) return std::nullopt;  // Its end will wake us.
    if (!written) return tl::make_unexpected(std::move(written).error());
  }
  Tell(metadata, std::move(action.events));
  if (action.cancel_run) CancelRun(observed, stop);
  if (action.forget_run) {
    if (observed.run_status.report) CountRun(*options_.metrics, *observed.run_status.report);
    ForgetRun(metadata.key, observed.run->state.id);
  }
  DeleteJobs(observed, action.delete_jobs, stop);
  if (!action.start_run) return action.requeue_after;
  const bool started = StartRun(observed, *action.status.run, std::move(stop));
  return started ? action.requeue_after : std::optional(Duration::zero());
}

ApiResult<void> Reconciler::WriteStatus(const Observed& observed, const Status& status,
                                        std::stop_token stop) {
  const Metadata& metadata = observed.object.metadata;
  const Json object = {{"apiVersion", DatabaseMigrations().ApiVersion()},
                       {"kind", DatabaseMigrations().kind},
                       {"metadata",
                        {{"name", metadata.key.name},
                         {"namespace", metadata.key.ns},
                         // Nothing else protects a newer object (reference/controller.md, top).
                         {"resourceVersion", metadata.resource_version}}},
                       {"status", ToJson(status)}};
  ApiResult<Json> written = client_.Apply(
      DatabaseMigrations(), object,
      {.field_manager = std::string(kFieldManager), .force = true, .subresource = "status"},
      std::move(stop));
  if (!written) return tl::make_unexpected(std::move(written).error());
  seen_(metadata.key, *written);
  if (observed.run) {
    OwnRun run = *observed.run;
    run.last_write = WholeSeconds(clock_.SystemNow());
    book_.Put(metadata.key, std::move(run));
  }
  return {};
}

void Reconciler::Tell(const Metadata& about, std::vector<EventNote> events) {
  for (EventNote& event : events) {
    recorder_.Record({.resource = DatabaseMigrations(), .key = about.key, .uid = about.uid},
                     event.type, std::move(event.reason), "Reconcile", std::move(event.note));
  }
}

void Reconciler::CancelRun(const Observed& observed, std::stop_token stop) {
  const RunState& state = observed.run->state;
  if (observed.run->is_job()) {
    const std::string uid = UidOf(observed.jobs.jobs, state.job_name);
    job_runs_.Delete(observed.object.metadata.key.ns, state.job_name, uid, std::move(stop));
  } else {
    runner_.Cancel(state.id);
  }
  std::optional<OwnRun> run = book_.Find(observed.object.metadata.key);
  if (!run) return;
  run->cancel_requested = true;
  book_.Put(observed.object.metadata.key, *std::move(run));
}

void Reconciler::DeleteJobs(const Observed& observed, const std::vector<JobFacts>& jobs,
                            std::stop_token stop) {
  for (const JobFacts& job : jobs) {
    job_runs_.Delete(observed.object.metadata.key.ns, job.name, job.uid, stop);
  }
}

void Reconciler::ForgetRun(const ObjectKey& key, const std::string& run_id) {
  book_.Erase(key);
  runner_.Forget(run_id);
}

bool Reconciler::StartRun(Observed& observed, const RunState& run, std::stop_token stop) {
  const Metadata& metadata = observed.object.metadata;
  log::Info(kLogger, "starting a run",
            {{"namespace", metadata.key.ns},
             {"name", metadata.key.name},
             {"runId", run.id},
             {"attempt", run.attempt}});
  // Before the start: the run may end, and wake us, at any moment after it.
  book_.Put(metadata.key, {.state = run,
                           .resolved = (*observed.source)->resolved,
                           .uid = metadata.uid,
                           .last_write = WholeSeconds(clock_.SystemNow())});
  return run.job_name.empty() ? StartInProcess(observed, run)
                              : StartJob(observed, run, std::move(stop));
}

bool Reconciler::StartJob(const Observed& observed, const RunState& run, std::stop_token stop) {
  const Metadata& metadata = observed.object.metadata;
  std::optional<report::RunReport> failed = job_runs_.Start(
      observed.object, run, JobNumber(run.job_name), (*observed.source)->resolved, std::move(stop));
  if (!failed) return true;
  if (std::optional<OwnRun> own = book_.Find(metadata.key)) {
    own->failed_start = std::move(failed);
    book_.Put(metadata.key, *std::move(own));
  }
  return false;
}

bool Reconciler::StartInProcess(Observed& observed, const RunState& run) {
  const Metadata& metadata = observed.object.metadata;
  const Result<void> started =
      runner_.Start(BuildRunRequest(observed.object, run, std::move((*observed.source)->source),
                                    **std::move(observed.credentials), options_.trust));
  if (started) return true;
  log::Error(kLogger, "a run could not be started",
             {{"runId", run.id}, {"error", started.error().message}});
  book_.Erase(metadata.key);
  book_.MarkLost(metadata.key, run.id);
  return true;
}

void Reconciler::LetGo(const ObjectKey& key) {
  if (const std::optional<OwnRun> run = book_.Find(key)) ForgetRun(key, run->state.id);
  book_.Drop(key);
  DropResource(*options_.metrics, key);
}

}  // namespace whimbrel::controller
