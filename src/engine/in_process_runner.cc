#include "whimbrel/engine/in_process_runner.h"

#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "engine/run.h"
#include "engine/slot_pool.h"

namespace whimbrel::engine {

using report::Progress;
using report::RunReport;
using report::RunRequest;
using report::RunStatus;

namespace {

RunReport ExecuteRun(const RunRequest& request, std::stop_token stop, SlotPool& slots,
                     std::function<void(const Progress&)> publish, const Clock& clock,
                     Random& random) {
  RunContext context{.request = request,
                     .limits = {.deadline = clock.SteadyNow() + request.execution.deadline,
                                .stop = std::move(stop)},
                     .clock = clock,
                     .random = random,
                     .slots = slots,
                     .progress = ProgressReporter(std::move(publish), clock)};
  return Run(context).Execute();
}

/// An exception is a bug or a lack of memory: it must end this run with a report, not the process
/// with all other runs.
RunReport ExecuteGuarded(const RunRequest& request, std::stop_token stop, SlotPool& slots,
                         std::function<void(const Progress&)> publish, const Clock& clock,
                         Random& random) {
  try {
    return ExecuteRun(request, std::move(stop), slots, std::move(publish), clock, random);
  } catch (const std::exception& error) {
    RunReport report;
    report.failure.emplace();
    report.failure->reason = report::Reason::kInternalError;
    report.failure->message = std::string("internal error: ") + error.what();
    return report;
  }
}

class InProcessRunner final : public report::Runner {
 public:
  InProcessRunner(InProcessRunnerOptions options, const Clock& clock, Random& random)
      : clock_(clock), random_(random), slots_(options.max_concurrent_migrations) {}
  ~InProcessRunner() override;

  Result<void> Start(RunRequest request) override;
  std::optional<RunStatus> Observe(std::string_view run_id) const override;
  void Cancel(std::string_view run_id) override;
  void Forget(std::string_view run_id) override;
  void SetListener(Listener listener) override;

 private:
  struct Job {
    RunRequest request;
    RunStatus status;
    bool forgotten = false;
    std::jthread thread;  // Last: it is joined before the rest goes.
  };
  using JobPtr = std::unique_ptr<Job>;

  void RunJob(Job& job, std::stop_token stop);
  void Publish(Job& job, const Progress& progress);
  void Finish(Job& job, RunReport report);

  const Clock& clock_;
  Random& random_;
  SlotPool slots_;
  mutable std::mutex mutex_;
  Listener listener_;
  std::map<std::string, JobPtr, std::less<>> jobs_;
  /// Forgotten before they ended; a thread cannot join itself, so the next caller does.
  std::vector<JobPtr> ended_;
};

InProcessRunner::~InProcessRunner() {
  std::map<std::string, JobPtr, std::less<>> jobs;
  std::vector<JobPtr> ended;
  {
    std::lock_guard lock(mutex_);
    listener_ = nullptr;
    for (auto& [id, job] : jobs_) job->thread.request_stop();
  }
  // Without the mutex: the threads need it to finish.
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (jobs_.empty()) break;
      jobs.insert(jobs_.extract(jobs_.begin()));
    }
    jobs.clear();
  }
  ended.swap(ended_);
}

Result<void> InProcessRunner::Start(RunRequest request) {
  std::vector<JobPtr> ended;
  const std::string id = request.run_id;
  std::lock_guard lock(mutex_);
  ended.swap(ended_);
  auto [it, inserted] = jobs_.try_emplace(id, nullptr);
  if (!inserted) return Fail(ErrorKind::kAlreadyExists, "run " + id + " is known already");
  it->second = std::make_unique<Job>();
  Job& job = *it->second;
  job.request = std::move(request);
  try {
    job.thread = std::jthread([this, &job](std::stop_token stop) { RunJob(job, std::move(stop)); });
  } catch (const std::system_error& error) {
    // Left in the list it would be under way for ever.
    jobs_.erase(it);
    return Fail(ErrorKind::kUnavailable, std::string("no thread for the run: ") + error.what());
  }
  return {};
}

std::optional<RunStatus> InProcessRunner::Observe(std::string_view run_id) const {
  std::lock_guard lock(mutex_);
  auto it = jobs_.find(run_id);
  if (it == jobs_.end()) return std::nullopt;
  return it->second->status;
}

void InProcessRunner::Cancel(std::string_view run_id) {
  std::lock_guard lock(mutex_);
  if (auto it = jobs_.find(run_id); it != jobs_.end()) it->second->thread.request_stop();
}

void InProcessRunner::Forget(std::string_view run_id) {
  JobPtr ended;  // Joined after the mutex is free again.
  std::lock_guard lock(mutex_);
  auto it = jobs_.find(run_id);
  if (it == jobs_.end()) return;
  if (it->second->status.report) {
    ended = std::move(it->second);
    jobs_.erase(it);
    return;
  }
  it->second->forgotten = true;
  it->second->thread.request_stop();
}

void InProcessRunner::SetListener(Listener listener) {
  std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

void InProcessRunner::RunJob(Job& job, std::stop_token stop) {
  Finish(job, ExecuteGuarded(
                  job.request, std::move(stop), slots_,
                  [&](const Progress& progress) { Publish(job, progress); }, clock_, random_));
}

void InProcessRunner::Publish(Job& job, const Progress& progress) {
  Listener listener;
  {
    std::lock_guard lock(mutex_);
    if (job.forgotten) return;
    job.status.progress = progress;
    listener = listener_;
  }
  if (listener) listener(job.request.run_id);
}

void InProcessRunner::Finish(Job& job, RunReport report) {
  const std::string id = job.request.run_id;
  Listener listener;
  {
    std::lock_guard lock(mutex_);
    job.status.progress.phase = Progress::Phase::kDone;
    job.status.report = std::move(report);
    if (job.forgotten) {
      if (auto it = jobs_.find(id); it != jobs_.end()) {
        ended_.push_back(std::move(it->second));
        jobs_.erase(it);
      }
      return;
    }
    listener = listener_;
  }
  if (listener) listener(id);
}

}  // namespace

std::unique_ptr<report::Runner> NewInProcessRunner(InProcessRunnerOptions options,
                                                   const Clock& clock, Random& random) {
  return std::make_unique<InProcessRunner>(options, clock, random);
}

RunReport RunNow(const RunRequest& request, std::stop_token stop,
                 const std::function<void(const Progress&)>& publish, const Clock& clock,
                 Random& random) {
  SlotPool slots(1);
  return ExecuteGuarded(request, std::move(stop), slots, publish, clock, random);
}

}  // namespace whimbrel::engine
