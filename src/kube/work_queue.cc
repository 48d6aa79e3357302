#include "whimbrel/kube/work_queue.h"

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "kube/work_queue_meter.h"

namespace whimbrel::kube {

namespace {

constexpr std::chrono::milliseconds kReportEvery{500};  // As client-go does.

}  // namespace

// A key that is known to the queue is in exactly one of these places:
//   ready_      may be handed out;
//   delayed_    waits for its time, in by_time_ too (and may be in processing_ at once);
//   again_      is in processing_ and becomes ready when that is done;
//   processing_ alone.
class WorkQueue::Impl {
 public:
  Impl(WorkQueueOptions options, const Clock& clock, Random& random)
      : options_(std::move(options)),
        clock_(clock),
        random_(random),
        meter_(options_.name, *options_.metrics, clock) {
    if (meter_.enabled())
      reporter_ = std::jthread([this](const std::stop_token& stop) { Report(stop); });
  }

  void Add(const ObjectKey& key) {
    std::lock_guard lock(mutex_);
    AddLocked(key);
  }

  void AddAfter(const ObjectKey& key, Duration delay) {
    std::lock_guard lock(mutex_);
    meter_.Later();
    AddAfterLocked(key, delay);
  }

  void AddRateLimited(const ObjectKey& key) {
    // Keys that failed together must not come back together.
    const double jitter = 0.9 + 0.2 * random_.Uniform();
    std::lock_guard lock(mutex_);
    const Duration ceiling = options_.rate_limit.Ceiling(failures_[key]++);
    meter_.Later();
    AddAfterLocked(key, std::chrono::duration_cast<Duration>(ceiling * jitter));
  }

  void Forget(const ObjectKey& key) {
    std::lock_guard lock(mutex_);
    failures_.erase(key);
  }

  int NumRequeues(const ObjectKey& key) const {
    std::lock_guard lock(mutex_);
    auto it = failures_.find(key);
    return it == failures_.end() ? 0 : it->second;
  }

  std::optional<ObjectKey> Get(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (!shut_down_ && !stop.stop_requested()) {
      PromoteDue();
      if (!ready_.empty()) return Take();
      Wait(lock, stop);
    }
    WakeOne();  // A wake-up that was meant for work must not end with us.
    return std::nullopt;
  }

  void Done(const ObjectKey& key) {
    std::lock_guard lock(mutex_);
    processing_.erase(key);
    meter_.Done(key);
    if (again_.erase(key) > 0) AddLocked(key);
  }

  void ShutDown() {
    std::lock_guard lock(mutex_);
    shut_down_ = true;
    while (!waiters_.empty()) WakeOne();
  }

  std::size_t Depth() const {
    std::lock_guard lock(mutex_);
    return ready_.size();
  }

 private:
  using ByTime = std::multimap<SteadyTime, ObjectKey>;
  using Waiters = std::list<std::stop_source>;

  void Report(const std::stop_token& stop) {
    while (clock_.SleepFor(kReportEvery, stop)) {
      std::lock_guard lock(mutex_);
      meter_.ReportUnfinished();
    }
  }

  bool IsReady(const ObjectKey& key) const {
    return is_ready_.contains(key) || again_.contains(key);
  }

  void AddLocked(const ObjectKey& key) {
    if (shut_down_ || IsReady(key)) return;
    Undelay(key);
    if (processing_.contains(key)) {
      again_.insert(key);
      return;
    }
    is_ready_.insert(key);
    ready_.push_back(key);
    meter_.Ready(key, ready_.size());
    WakeOne();
  }

  void AddAfterLocked(const ObjectKey& key, Duration delay) {
    if (delay <= Duration::zero()) return AddLocked(key);
    if (shut_down_ || IsReady(key)) return;
    const SteadyTime now = clock_.SteadyNow();
    const SteadyTime at = delay < SteadyTime::max() - now ? now + delay : SteadyTime::max();
    auto it = delayed_.find(key);
    if (it != delayed_.end() && it->second->first <= at) return;
    Undelay(key);
    auto place = by_time_.emplace(at, key);
    delayed_.emplace(key, place);
    if (place == by_time_.begin()) WakeOne();  // Somebody has to wait for a shorter time now.
  }

  void Undelay(const ObjectKey& key) {
    auto it = delayed_.find(key);
    if (it == delayed_.end()) return;
    by_time_.erase(it->second);
    delayed_.erase(it);
  }

  void PromoteDue() {
    const SteadyTime now = clock_.SteadyNow();
    while (!by_time_.empty() && by_time_.begin()->first <= now) {
      const ObjectKey key = by_time_.begin()->second;
      AddLocked(key);
    }
  }

  ObjectKey Take() {
    ObjectKey key = std::move(ready_.front());
    ready_.pop_front();
    is_ready_.erase(key);
    processing_.insert(key);
    meter_.Taken(key, ready_.size());
    // The others may sleep for longer than what is next: this worker was the one that watched for
    // it.
    if (!ready_.empty() || !by_time_.empty()) WakeOne();
    return key;
  }

  // Sleeps on the clock rather than on a condition variable, so that a test's clock drives it.
  void Wait(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
    auto self = waiters_.emplace(waiters_.end());
    std::stop_source wake_up = *self;
    const SteadyTime until = by_time_.empty() ? SteadyTime::max() : by_time_.begin()->first;
    lock.unlock();
    {
      std::stop_callback on_stop(stop, [&wake_up] { wake_up.request_stop(); });
      clock_.SleepUntil(until, wake_up.get_token());
    }
    lock.lock();
    std::erase(waiters_, wake_up);  // Gone already when it was WakeOne that woke us.
  }

  void WakeOne() {
    if (waiters_.empty()) return;
    waiters_.front().request_stop();
    waiters_.pop_front();
  }

  const WorkQueueOptions options_;
  const Clock& clock_;
  Random& random_;

  mutable std::mutex mutex_;
  bool shut_down_ = false;
  std::deque<ObjectKey> ready_;
  std::unordered_set<ObjectKey> is_ready_;
  std::unordered_set<ObjectKey> processing_;
  std::unordered_set<ObjectKey> again_;
  ByTime by_time_;
  std::unordered_map<ObjectKey, ByTime::iterator> delayed_;
  std::unordered_map<ObjectKey, int> failures_;
  Waiters waiters_;
  WorkQueueMeter meter_;

  std::jthread reporter_;  // Last: ends before what it uses.
};

WorkQueue::WorkQueue(WorkQueueOptions options, const Clock& clock, Random& random)
    : impl_(std::make_unique<Impl>(std::move(options), clock, random)) {}
WorkQueue::~WorkQueue() = default;

void WorkQueue::Add(const ObjectKey& key) { impl_->Add(key); }
void WorkQueue::AddAfter(const ObjectKey& key, Duration delay) { impl_->AddAfter(key, delay); }
void WorkQueue::AddRateLimited(const ObjectKey& key) { impl_->AddRateLimited(key); }
void WorkQueue::Forget(const ObjectKey& key) { impl_->Forget(key); }
int WorkQueue::NumRequeues(const ObjectKey& key) const { return impl_->NumRequeues(key); }
std::optional<ObjectKey> WorkQueue::Get(std::stop_token stop) {
  return impl_->Get(std::move(stop));
}
void WorkQueue::Done(const ObjectKey& key) { impl_->Done(key); }
void WorkQueue::ShutDown() { impl_->ShutDown(); }
std::size_t WorkQueue::Depth() const { return impl_->Depth(); }

}  // namespace whimbrel::kube
