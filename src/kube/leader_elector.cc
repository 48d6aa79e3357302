#include "whimbrel/kube/leader_elector.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "kube/leader_machine.h"
#include "kube/object_json.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/base/log.h"

namespace whimbrel::kube {
namespace {

using Action = LeaderEffect::Action;
using Change = LeaderEffect::Change;

constexpr std::string_view kLogger = "leader-election";

/// Calls with a token that is stopped at `deadline` too: an answer that comes later is of no use.
template <class Call>
auto WithDeadline(const Clock& clock, SteadyTime deadline, const std::stop_token& stop,
                  const Call& call) {
  std::stop_source cut_off;
  const std::stop_callback forward(stop, [&] { cut_off.request_stop(); });
  const std::jthread timer([&](std::stop_token answered) {
    if (clock.SleepUntil(deadline, std::move(answered))) cut_off.request_stop();
  });
  return call(cut_off.get_token());
}

}  // namespace

class LeaderElector::Impl {
 public:
  Impl(ObjectClient& client, LeaderElectionOptions options, const Clock& clock, Random& random,
       MetricsSink& metrics)
      : client_(client),
        options_(std::move(options)),
        clock_(clock),
        random_(random),
        metrics_(metrics),
        thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  ~Impl() {
    thread_.request_stop();
    release_.request_stop();  // Wakes it, whatever it waits for.
  }

  bool WaitUntilLeading(std::stop_token stop) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, std::move(stop), [&] { return leading_ || ended_; });
    return leading_;
  }

  [[nodiscard]] std::stop_token lost() const { return lost_.get_token(); }

  [[nodiscard]] SteadyTime may_work_until() const {
    const std::lock_guard lock(mutex_);
    return may_work_until_;
  }

  [[nodiscard]] bool may_work() const { return clock_.SteadyNow() < may_work_until(); }

  [[nodiscard]] Result<void> Check(Duration tolerance) const {
    const std::lock_guard lock(mutex_);
    if (!leading_ || clock_.SteadyNow() <= lease_end_ + tolerance) return {};
    return Fail(ErrorKind::kDeadlineExceeded, "the lease " + options_.lease.ToString() +
                                                  " ran out and was neither renewed nor "
                                                  "given up");
  }

  void Release() {
    const std::lock_guard lock(releasing_);
    release_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Run(const std::stop_token& stop) {
    metrics_.Gauge("leader_election_master_status", {{"name", options_.lease.name}}, 0);
    try {
      Elect(stop);
    } catch (const std::exception& error) {
      // A bug or no memory. Nobody renews any more, so nobody may work any more.
      log::Error(kLogger, "leader election failed", {{"error", error.what()}});
      lost_.request_stop();
    }
    {
      const std::lock_guard lock(mutex_);
      leading_ = false;
      ended_ = true;
    }
    changed_.notify_all();
  }

  void Elect(const std::stop_token& stop) {
    LeaderInput input = Woke{};
    while (!stop.stop_requested()) {
      const LeaderEffect effect = Advance(state_, input, options_, Now());
      Publish(effect);
      if (effect.action == Action::kEnd) return;
      input = effect.action == Action::kWait ? Wait(effect.until, stop) : Ask(effect, stop);
      TellHolder();
    }
  }

  LeaderInstant Now() {
    return {
        .steady = clock_.SteadyNow(), .system = clock_.SystemNow(), .chance = random_.Uniform()};
  }

  LeaderInput Wait(SteadyTime until, const std::stop_token& stop) {
    const bool woke = clock_.SleepUntil(until, release_told_ ? stop : release_.get_token());
    if (woke || release_told_) return Woke{};
    release_told_ = true;
    return ReleaseAsked{};
  }

  LeaderInput Ask(const LeaderEffect& effect, const std::stop_token& stop) {
    ApiResult<Json> answer =
        WithDeadline(clock_, effect.until, stop, [&](const std::stop_token& token) {
          if (effect.action == Action::kGet) return client_.Get(Leases(), options_.lease, token);
          if (effect.action == Action::kCreate) {
            return client_.Create(Leases(), NewLeaseObject(options_.lease, effect.record), token);
          }
          return client_.Update(Leases(), UpdatedLeaseObject(stored_, effect.record), token);
        });
    Complain(effect.action, answer);
    ApiResult<Lease> lease = answer.map(ParseLease);
    if (answer) stored_ = *std::move(answer);
    if (effect.action == Action::kGet) return LeaseRead{std::move(lease)};
    return LeaseWritten{std::move(lease)};
  }

  /// Once for each kind of failure in a row; that another one was faster is no failure.
  void Complain(Action action, const ApiResult<Json>& answer) {
    if (answer) {
      failing_.reset();
      return;
    }
    const ApiError& error = answer.error();
    if (error.IsNotFound() || error.IsConflict() ||
        error.reason == ApiErrorReason::kAlreadyExists || failing_ == error.reason) {
      return;
    }
    failing_ = error.reason;
    const bool forbidden = error.reason == ApiErrorReason::kForbidden;
    log::Write(forbidden ? log::Level::kError : log::Level::kWarning, kLogger,
               forbidden ? "may not use the lease; grant get, create and update of leases"
                         : "cannot reach the lease; trying again",
               {{"verb", action == Action::kGet      ? "get"
                         : action == Action::kCreate ? "create"
                                                     : "update"},
                {"lease", options_.lease.ToString()},
                {"error", error.ToString()}});
  }

  void TellHolder() {
    if (!state_.observed || state_.observed->record.holder == holder_) return;
    holder_ = state_.observed->record.holder;
    if (holder_.empty() || holder_ == options_.identity) return;
    log::Info(kLogger, "another replica leads",
              {{"lease", options_.lease.ToString()}, {"holder", holder_}});
  }

  void Publish(const LeaderEffect& effect) {
    {
      const std::lock_guard lock(mutex_);
      leading_ = state_.leading;
      if (state_.leading) {
        may_work_until_ = MayWorkUntil(state_, options_);
        lease_end_ = state_.renewed_at + options_.lease_duration;
      } else if (effect.change == Change::kReleased) {
        may_work_until_ = SteadyTime::min();
      }
    }
    if (effect.change == Change::kNone) return;
    metrics_.Gauge("leader_election_master_status", {{"name", options_.lease.name}},
                   state_.leading ? 1 : 0);
    Tell(effect.change);
    if (effect.change == Change::kLost) lost_.request_stop();
    changed_.notify_all();
  }

  void Tell(Change change) const {
    const bool lost = change == Change::kLost;
    log::Write(lost ? log::Level::kError : log::Level::kInfo, kLogger,
               change == Change::kBecameLeader ? "became leader"
               : lost                          ? "stopped leading: the lease is lost"
                                               : "stopped leading: the lease is handed over",
               {{"lease", options_.lease.ToString()}, {"identity", options_.identity}});
    if (options_.events == nullptr) return;
    options_.events->Record(
        {.resource = Leases(), .key = options_.lease, .uid = StringAt(stored_, "metadata", "uid")},
        EventType::kNormal, "LeaderElection", "",
        options_.identity +
            (change == Change::kBecameLeader ? " became leader" : " stopped leading"));
  }

  ObjectClient& client_;
  const LeaderElectionOptions options_;
  const Clock& clock_;
  Random& random_;
  MetricsSink& metrics_;

  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  bool leading_ = false;
  bool ended_ = false;
  SteadyTime may_work_until_ = SteadyTime::min();
  SteadyTime lease_end_ = SteadyTime::min();
  std::stop_source lost_;
  std::stop_source release_;
  std::mutex releasing_;  ///< Held while the thread is joined.

  // Of the thread alone.
  LeaderState state_;
  Json stored_;  ///< The Lease as last read or written.
  bool release_told_ = false;
  std::string holder_;
  std::optional<ApiErrorReason> failing_;

  std::jthread thread_;  // Last: ends before anything it uses.
};

LeaderElector::LeaderElector(ObjectClient& client, LeaderElectionOptions options,
                             const Clock& clock, Random& random, MetricsSink& metrics)
    : impl_(std::make_unique<Impl>(client, std::move(options), clock, random, metrics)) {}
LeaderElector::~LeaderElector() = default;

bool LeaderElector::WaitUntilLeading(std::stop_token stop) const {
  return impl_->WaitUntilLeading(std::move(stop));
}
std::stop_token LeaderElector::lost() const { return impl_->lost(); }
SteadyTime LeaderElector::may_work_until() const { return impl_->may_work_until(); }
bool LeaderElector::may_work() const { return impl_->may_work(); }
Result<void> LeaderElector::Check(Duration tolerance) const { return impl_->Check(tolerance); }
void LeaderElector::Release() { impl_->Release(); }

Result<void> CheckLeaderElectionOptions(const LeaderElectionOptions& options) {
  const auto refuse = [](const std::string& why) {
    return Fail(ErrorKind::kInvalidArgument, "leader election: " + why);
  };
  if (options.lease.name.empty()) return refuse("the Lease needs a name");
  if (options.lease.ns.empty()) return refuse("the Lease needs a namespace");
  if (options.identity.empty()) return refuse("the identity is empty");
  if (options.retry_period <= Duration::zero()) return refuse("the retry period must be positive");
  if (options.renew_deadline * 5 <= options.retry_period * 6) {
    return refuse("the renew deadline must be over 1.2 times the retry period");
  }
  if (options.lease_duration <= options.renew_deadline) {
    return refuse("the lease duration must be over the renew deadline");
  }
  return {};
}

std::string NewLeaderIdentity(const std::string& host) { return host + "_" + NewUuid(); }

}  // namespace whimbrel::kube
