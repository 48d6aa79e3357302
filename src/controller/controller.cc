#include "whimbrel/controller/controller.h"

#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "controller/change_signal.h"
#include "controller/check_access.h"
#include "controller/job_builder.h"
#include "controller/job_runs.h"
#include "controller/json_fields.h"
#include "controller/metrics.h"
#include "controller/pending_keys.h"
#include "controller/reconciler.h"
#include "controller/watchers.h"
#include "whimbrel/base/log.h"
#include "whimbrel/kube/reflector.h"
#include "whimbrel/kube/work_queue.h"

namespace whimbrel::controller {
namespace {

using kube::ObjectKey;

constexpr std::string_view kLogger = "controller";
constexpr std::string_view kReportingController = "whimbrel.dev/controller";
/// For runs to roll back at Stop; with the recorder's own five seconds this stays below ten.
constexpr std::chrono::seconds kRunsEnd{4};

std::vector<std::string> NamespacesOf(const ControllerOptions& options) {
  return options.namespaces.empty() ? std::vector<std::string>{""} : options.namespaces;
}

/// Where a runner's threads knock. It outlives the controller for as long as one of them holds it.
struct Doorbell {
  std::mutex mutex;
  std::function<void(const std::string& run_id)> ring;  ///< Empty: nobody is at home any more.
};

}  // namespace

class Controller::Impl {
 public:
  Impl(kube::ObjectClient& client, report::Runner& runner, ControllerOptions options,
       const Clock& clock, Random& random);
  ~Impl() { Stop(); }

  Result<void> Start(std::stop_token stop);
  void Stop();
  [[nodiscard]] bool synced() const;
  bool WaitUntilSettled(std::stop_token stop) const;
  [[nodiscard]] bool settled() const;
  [[nodiscard]] std::vector<Outcome> Outcomes() const;

 private:
  void Wake(const ObjectKey& key);
  void OnRunChanged(const std::string& run_id);
  void See(const ObjectKey& key, const nlohmann::json& object);
  void ListenToRunner();
  void StartReflectors();
  void Work(std::stop_token stop);
  void Process(const ObjectKey& key, std::stop_token stop);
  PassResult Pass(const ObjectKey& key, std::stop_token stop);
  void Complain(const ObjectKey& key, const kube::ApiError& error);
  void CancelRuns();
  void AwaitRuns();
  [[nodiscard]] bool IsSettled(Standing standing) const;

  kube::ObjectClient& client_;
  report::Runner& runner_;
  const ControllerOptions options_;
  const Clock& clock_;
  Random& random_;

  RunBook book_;
  MigrationStore store_{MigrationIndex};
  JobRuns job_runs_;
  PendingKeys pending_;
  PassMetrics pass_metrics_;
  kube::WorkQueue queue_;
  std::unique_ptr<kube::EventRecorder> recorder_;
  std::unique_ptr<Reconciler> reconciler_;
  std::shared_ptr<Doorbell> doorbell_ = std::make_shared<Doorbell>();

  ChangeSignal changed_;  ///< Something that settled() looks at.
  std::size_t wanted_syncs_ = 0;
  std::atomic<std::size_t> syncs_ = 0;
  std::atomic<bool> stopped_ = false;

  // Last: they use all of the above.
  std::vector<std::unique_ptr<kube::ReflectorHandler>> watchers_;
  std::vector<std::unique_ptr<kube::Reflector>> reflectors_;
  std::vector<std::jthread> workers_;
};

Controller::Impl::Impl(kube::ObjectClient& client, report::Runner& runner,
                       ControllerOptions options, const Clock& clock, Random& random)
    : client_(client),
      runner_(runner),
      options_(std::move(options)),
      clock_(clock),
      random_(random),
      job_runs_(client, options_.runner, clock),
      pass_metrics_(*options_.metrics, options_.workers),
      queue_({.name = "databasemigration", .metrics = options_.metrics}, clock, random) {}

// Start and stop, in the order of reference/controller.md §10.

Result<void> Controller::Impl::Start(std::stop_token stop) {
  const bool jobs = !options_.runner.image.empty();
  Result<void> access =
      CheckAccess(client_, NamespacesOf(options_), jobs, clock_, random_, std::move(stop));
  if (!access) return access;
  recorder_ = std::make_unique<kube::EventRecorder>(
      client_, std::string(kReportingController),
      options_.instance.empty() ? "whimbrel" : options_.instance, clock_);
  reconciler_ = std::make_unique<Reconciler>(
      client_, runner_, job_runs_, *recorder_, book_, options_, clock_, random_,
      [this](const ObjectKey& key, const nlohmann::json& object) { See(key, object); });
  ListenToRunner();
  StartReflectors();
  for (int i = 0; i < options_.workers; ++i) {
    workers_.emplace_back([this](std::stop_token stop_worker) { Work(std::move(stop_worker)); });
  }
  return {};
}

void Controller::Impl::ListenToRunner() {
  doorbell_->ring = [this](const std::string& run_id) { OnRunChanged(run_id); };
  runner_.SetListener([doorbell = doorbell_](const std::string& run_id) {
    const std::lock_guard lock(doorbell->mutex);
    if (doorbell->ring) doorbell->ring(run_id);
  });
}

void Controller::Impl::StartReflectors() {
  const WakeFunction wake = [this](const ObjectKey& key) { Wake(key); };
  const auto synced = [this] {
    ++syncs_;
    changed_.Notify();
  };
  const auto reflect = [&](std::unique_ptr<kube::ReflectorHandler> watcher,
                           kube::ReflectorOptions options) {
    reflectors_.push_back(
        std::make_unique<kube::Reflector>(client_, std::move(options), *watcher, clock_, random_));
    watchers_.push_back(std::move(watcher));
  };
  const std::vector<std::string> namespaces = NamespacesOf(options_);
  const bool jobs = !options_.runner.image.empty();
  const std::string ours = std::string(kManagedByLabel) + "=whimbrel";
  wanted_syncs_ = (jobs ? 4 : 2) * namespaces.size();
  for (const std::string& ns : namespaces) {
    reflect(std::make_unique<MigrationWatcher>(store_, wake, synced),
            {.name = "databasemigrations", .resource = DatabaseMigrations(), .ns = ns});
    reflect(
        std::make_unique<ConfigMapWatcher>(store_, wake, synced),
        {.name = "configmaps", .resource = kube::ConfigMaps(), .ns = ns, .metadata_only = true});
    if (!jobs) continue;
    reflect(
        std::make_unique<OwnedWatcher<JobFacts>>(job_runs_.jobs(), ReadJob, store_, wake, synced),
        {.name = "jobs", .resource = kube::Jobs(), .ns = ns, .label_selector = ours});
    reflect(
        std::make_unique<OwnedWatcher<PodFacts>>(job_runs_.pods(), ReadPod, store_, wake, synced),
        {.name = "pods", .resource = kube::Pods(), .ns = ns, .label_selector = ours});
  }
}

void Controller::Impl::Stop() {
  if (stopped_.exchange(true)) return;
  changed_.Notify();
  queue_.ShutDown();
  for (std::jthread& worker : workers_) worker.request_stop();
  CancelRuns();
  workers_.clear();
  CancelRuns();  // What the last passes had just begun.
  reflectors_.clear();
  AwaitRuns();
  {
    const std::lock_guard lock(doorbell_->mutex);
    doorbell_->ring = nullptr;
  }
  if (recorder_) runner_.SetListener(nullptr);
  recorder_.reset();
}

void Controller::Impl::CancelRuns() {
  for (const std::string& id : book_.RunIds()) runner_.Cancel(id);
}

void Controller::Impl::AwaitRuns() {
  const auto deadline = std::chrono::steady_clock::now() + kRunsEnd;
  for (const std::string& id : book_.RunIds()) {
    while (true) {
      // Each end rings, and so notifies.
      const std::uint64_t seen = changed_.Now();
      const std::optional<report::RunStatus> status = runner_.Observe(id);
      if (!status || status->report) break;
      if (!changed_.WaitUntil(seen, deadline)) return;
    }
  }
}

// What wakes a key.

void Controller::Impl::Wake(const ObjectKey& key) {
  pending_.Add(key);
  queue_.Add(key);
  pass_metrics_.Waiting(queue_.Depth());
  changed_.Notify();
}

void Controller::Impl::OnRunChanged(const std::string& run_id) {
  // Progress is looked at every few seconds; only the end is urgent.
  const std::optional<report::RunStatus> status = runner_.Observe(run_id);
  if (status && !status->report) return;
  if (const std::optional<ObjectKey> key = book_.KeyOf(run_id)) Wake(*key);
  changed_.Notify();
}

void Controller::Impl::See(const ObjectKey& key, const nlohmann::json& object) {
  PutResource(*options_.metrics, key, StatusFromJson(Member(object, "status")));
  store_.Put(key, std::make_shared<const CachedMigration>(Summarize(object)));
}

// Workers

void Controller::Impl::Work(std::stop_token stop) {
  // Nothing may be taken for absent before everything was listed once.
  for (std::uint64_t seen = changed_.Now(); !synced(); seen = changed_.Now()) {
    if (!changed_.Wait(seen, stop)) return;
  }
  while (const std::optional<ObjectKey> key = queue_.Get(stop)) {
    pass_metrics_.Waiting(queue_.Depth());
    Process(*key, stop);
    queue_.Done(*key);
  }
}

void Controller::Impl::Process(const ObjectKey& key, std::stop_token stop) {
  const SteadyTime began = clock_.SteadyNow();
  PassResult result = PassResult::kThrew;
  pass_metrics_.Began();
  try {
    result = Pass(key, std::move(stop));
  } catch (const std::exception& error) {
    // A bug or no memory: this key later again, and all others as if nothing had happened.
    log::Error(kLogger, "a reconcile pass threw",
               {{"namespace", key.ns}, {"name", key.name}, {"error", error.what()}});
    queue_.AddRateLimited(key);
  }
  pass_metrics_.Ended(result, clock_.SteadyNow() - began);
  changed_.Notify();
}

PassResult Controller::Impl::Pass(const ObjectKey& key, std::stop_token stop) {
  const std::uint64_t token = pending_.Begin(key);
  const kube::ApiResult<std::optional<Duration>> next = reconciler_->Reconcile(key, stop);
  if (!next) {
    Complain(key, next.error());
    queue_.AddRateLimited(key);
    return ResultOf(next);
  }
  queue_.Forget(key);
  if (*next) queue_.AddAfter(key, **next);
  pending_.Finish(key, token);
  return ResultOf(next);
}

void Controller::Impl::Complain(const ObjectKey& key, const kube::ApiError& error) {
  // A conflict is how two writers meet, and an end is an end.
  const bool normal = error.IsConflict() || error.reason == kube::ApiErrorReason::kCancelled;
  log::Write(normal ? log::Level::kDebug : log::Level::kError, kLogger,
             "a reconcile pass failed and is made again",
             {{"namespace", key.ns}, {"name", key.name}, {"error", error.ToString()}});
}

// What others may know

bool Controller::Impl::synced() const { return wanted_syncs_ > 0 && syncs_ >= wanted_syncs_; }

bool Controller::Impl::IsSettled(Standing standing) const {
  if (standing == Standing::kWaitingForObjects) return !options_.objects_may_appear;
  return standing != Standing::kWorking;
}

bool Controller::Impl::settled() const {
  if (!synced() || !pending_.empty() || !book_.empty()) return false;
  for (const Outcome& outcome : Outcomes()) {
    if (!IsSettled(outcome.standing)) return false;
  }
  return true;
}

bool Controller::Impl::WaitUntilSettled(std::stop_token stop) const {
  while (true) {
    const std::uint64_t seen = changed_.Now();
    if (stopped_) return false;
    if (settled()) return true;
    if (!changed_.Wait(seen, stop)) return false;
  }
}

std::vector<Outcome> Controller::Impl::Outcomes() const {
  std::vector<Outcome> outcomes;
  for (const ObjectKey& key : store_.Keys()) {
    if (const MigrationStore::Ptr migration = store_.Get(key)) {
      outcomes.push_back({.key = key, .standing = migration->standing});
    }
  }
  return outcomes;
}

Controller::Controller(kube::ObjectClient& client, report::Runner& runner,
                       ControllerOptions options, const Clock& clock, Random& random)
    : impl_(std::make_unique<Impl>(client, runner, std::move(options), clock, random)) {}
Controller::~Controller() = default;

Result<void> Controller::Start(std::stop_token stop) { return impl_->Start(std::move(stop)); }
void Controller::Stop() { impl_->Stop(); }
bool Controller::synced() const { return impl_->synced(); }
bool Controller::settled() const { return impl_->settled(); }
bool Controller::WaitUntilSettled(std::stop_token stop) const {
  return impl_->WaitUntilSettled(std::move(stop));
}
std::vector<Outcome> Controller::Outcomes() const { return impl_->Outcomes(); }

kube::ApiResult<std::vector<nlohmann::json>> ReadDatabaseMigrations(
    kube::ObjectClient& client, const std::vector<std::string>& namespaces, std::stop_token stop) {
  std::vector<nlohmann::json> objects;
  for (const std::string& ns : namespaces.empty() ? std::vector<std::string>{""} : namespaces) {
    const kube::ApiResult<std::string> listed = client.List(
        DatabaseMigrations(), {.ns = ns},
        [&](kube::Json&& object) { objects.push_back(std::move(object)); }, stop);
    if (!listed) return tl::make_unexpected(listed.error());
  }
  return objects;
}

}  // namespace whimbrel::controller
