#include "controller/reconciler.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "controller/credentials.h"
#include "controller/decide.h"
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

SystemTime WholeSeconds(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time); }

}  // namespace

Reconciler::Reconciler(kube::ObjectClient& client, report::Runner& runner,
                       kube::EventRecorder& recorder, RunBook& book,
                       const ControllerOptions& options, const Clock& clock, Random& random,
                       SeenFunction seen)
    : client_(client),
      runner_(runner),
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
  GatherRun(observed);
  if (ApiResult<void> files = GatherFiles(observed, stop); !files) {
    return tl::make_unexpected(std::move(files).error());
  }
  return std::optional(std::move(observed));
}

void Reconciler::GatherRun(Observed& observed) {
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
    ApiResult<void> written = WriteStatus(observed, action.status, std::move(stop));
    if (!written && written.error().IsNotFound()) return std::nullopt;  // Its end will wake us.
    if (!written) return tl::make_unexpected(std::move(written).error());
  }
  Tell(metadata, std::move(action.events));
  if (action.cancel_run) CancelRun(observed);
  if (action.forget_run) ForgetRun(metadata.key, observed.run->state.id);
  if (action.start_run) StartRun(observed, *action.status.run);
  return action.requeue_after;
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

void Reconciler::CancelRun(const Observed& observed) {
  runner_.Cancel(observed.run->state.id);
  std::optional<OwnRun> run = book_.Find(observed.object.metadata.key);
  if (!run) return;
  run->cancel_requested = true;
  book_.Put(observed.object.metadata.key, *std::move(run));
}

void Reconciler::ForgetRun(const ObjectKey& key, const std::string& run_id) {
  book_.Erase(key);
  runner_.Forget(run_id);
}

void Reconciler::StartRun(Observed& observed, const RunState& run) {
  const Metadata& metadata = observed.object.metadata;
  log::Info(kLogger, "starting a run",
            {{"namespace", metadata.key.ns},
             {"name", metadata.key.name},
             {"runId", run.id},
             {"attempt", run.attempt}});
  GatheredSource& source = **observed.source;
  // Before the start: the run may end, and wake us, at any moment after it.
  book_.Put(metadata.key, {.state = run,
                           .resolved = std::move(source.resolved),
                           .uid = metadata.uid,
                           .last_write = WholeSeconds(clock_.SystemNow())});
  const Result<void> started =
      runner_.Start(BuildRunRequest(observed.object, run, std::move(source.source),
                                    **std::move(observed.credentials), options_.trust));
  if (started) return;
  log::Error(kLogger, "a run could not be started",
             {{"runId", run.id}, {"error", started.error().message}});
  book_.Erase(metadata.key);
  book_.MarkLost(metadata.key, run.id);
}

void Reconciler::LetGo(const ObjectKey& key) {
  if (const std::optional<OwnRun> run = book_.Find(key)) ForgetRun(key, run->state.id);
  book_.Drop(key);
}

}  // namespace whimbrel::controller
