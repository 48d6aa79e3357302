// Two or three candidates in virtual time, a network that loses, delays and doubts, machines that
// crash, stop for a minute, and have clocks that go wrong: there are never two who may work.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "kube/leader_machine.h"

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Action = LeaderEffect::Action;
using Change = LeaderEffect::Change;

/// How unkind the world is, each in [0, 1].
struct Faults {
  double lose_request = 0;
  double lose_answer = 0;
  double refuse = 0;  ///< 500, nothing done.
  double slow = 0;    ///< Seconds on the way, on either leg.
  double stop = 0;    ///< A process does not go on for up to a minute.
  double crash = 0;   ///< It is replaced by a new one.
  double release = 0;
  double remove = 0;  ///< Somebody deletes the Lease.
};

/// The API server's part: one Lease, written only by whoever knows its newest version.
class LeaseServer {
 public:
  ApiResult<Lease> Get() const {
    if (!lease_) return Refuse(ApiErrorReason::kNotFound);
    return *lease_;
  }
  ApiResult<Lease> Create(const LeaseRecord& record) {
    if (lease_) return Refuse(ApiErrorReason::kAlreadyExists);
    return Store(record, "uid-" + std::to_string(++uids_));
  }
  ApiResult<Lease> Update(const Lease& from, const LeaseRecord& record) {
    if (!lease_ || lease_->uid != from.uid || lease_->resource_version != from.resource_version) {
      return Refuse(ApiErrorReason::kConflict);
    }
    return Store(record, from.uid);
  }
  void Delete() { lease_.reset(); }

 private:
  ApiResult<Lease> Store(const LeaseRecord& record, const std::string& uid) {
    lease_ = Lease{.record = record, .uid = uid, .resource_version = std::to_string(++versions_)};
    return *lease_;
  }
  static tl::unexpected<ApiError> Refuse(ApiErrorReason reason) {
    return tl::make_unexpected(ApiError{.reason = reason});
  }

  std::optional<Lease> lease_;
  int uids_ = 0;
  int versions_ = 0;
};

class World {
 public:
  World(std::uint64_t seed, int candidates, const Faults& faults)
      : engine_(seed), faults_(faults), options_{.lease = {.ns = "ns", .name = "lease"}} {
    for (int i = 0; i < candidates; ++i) Begin(i);
  }

  /// False, with `problem`, as soon as two may work.
  bool RunFor(Duration duration) {
    const Duration end = now_ + duration;
    while (!queue_.empty() && queue_.begin()->first <= end && problem.empty()) {
      auto next = queue_.extract(queue_.begin());
      now_ = next.key();
      next.mapped()();
      CheckWorkers();
    }
    now_ = end;
    return problem.empty();
  }
  void BeKind() { faults_ = {}; }
  void BeUnkind(const Faults& faults) { faults_ = faults; }
  [[nodiscard]] int Workers() const {
    return static_cast<int>(std::count_if(processes_.begin(), processes_.end(),
                                          [&](const auto& one) { return MayWork(*one.second); }));
  }

  std::string problem;
  int terms = 0;  ///< How often somebody became leader.

 private:
  struct Process {
    int slot = 0;
    std::string identity;
    double rate = 1;    ///< Of its steady clock.
    Duration offset{};  ///< Of its steady clock.
    Duration stopped_until{};
    bool ended = false;
    int asked = 0;  ///< Number of the effect under way; what answers another one is too late.
    LeaderState state;
    LeaderEffect effect;
    SteadyTime may_work_until = SteadyTime::min();
  };
  using ProcessPtr = std::shared_ptr<Process>;

  bool Chance(double probability) { return Uniform() < probability; }
  double Uniform() { return std::uniform_real_distribution<>(0, 1)(engine_); }
  Duration Upto(Duration most) { return std::chrono::duration_cast<Duration>(most * Uniform()); }
  Duration OnTheWay() {
    return Chance(faults_.slow) ? Upto(seconds(20)) : milliseconds(1) + Upto(milliseconds(50));
  }
  void At(Duration time, std::function<void()> what) { queue_.emplace(time, std::move(what)); }

  [[nodiscard]] SteadyTime ClockOf(const Process& process) const {
    return SteadyTime(process.offset + std::chrono::duration_cast<Duration>(now_ * process.rate));
  }
  /// When its clock will show `time`; a little later, never earlier.
  [[nodiscard]] Duration WhenItShows(const Process& process, SteadyTime time) const {
    const auto since = (time.time_since_epoch() - process.offset) / process.rate;
    return std::max(now_,
                    std::chrono::duration_cast<Duration>(since) + std::chrono::microseconds(1));
  }
  [[nodiscard]] bool MayWork(const Process& process) const {
    return !process.ended && ClockOf(process) < process.may_work_until;
  }

  void Begin(int slot) {
    auto process = std::make_shared<Process>();
    process->slot = slot;
    process->identity = "candidate-" + std::to_string(++identities_);
    process->rate = 0.98 + 0.04 * Uniform();
    process->offset = std::chrono::hours(1) + Upto(std::chrono::hours(1000));
    processes_[slot] = process;
    Feed(process, Woke{}, 0);
  }

  /// Whatever happens to a process, happens when it is not stopped.
  void Feed(const ProcessPtr& process, LeaderInput input, int asked) {
    if (process->ended || process->asked != asked) return;
    if (now_ < process->stopped_until) {
      At(process->stopped_until,
         [this, process, input = std::move(input), asked] { Feed(process, input, asked); });
      return;
    }
    if (Chance(faults_.crash)) return Replace(process);
    if (Chance(faults_.stop)) process->stopped_until = now_ + Upto(minutes(1));
    if (std::holds_alternative<Woke>(input) && process->state.leading &&
        !process->state.releasing && Chance(faults_.release)) {
      process->may_work_until = SteadyTime::min();  // All guarded work has ended.
      input = ReleaseAsked{};
    }
    Step(process, input);
  }

  void Step(const ProcessPtr& process, const LeaderInput& input) {
    LeaderElectionOptions options = options_;
    options.identity = process->identity;
    // Nobody's wall clock is right.
    const SystemTime wall{std::chrono::duration_cast<SystemTime::duration>(Upto(minutes(600)))};
    process->effect = Advance(process->state, input, options,
                              {.steady = ClockOf(*process), .system = wall, .chance = Uniform()});
    if (process->state.leading && !process->state.releasing) {
      process->may_work_until = MayWorkUntil(process->state, options);
    }
    if (process->effect.change == Change::kBecameLeader) ++terms;
    const int asked = ++process->asked;
    if (process->effect.action == Action::kEnd) {
      // It works until its deadline and not longer, then it is started again.
      const Duration last = process->may_work_until == SteadyTime::min()
                                ? now_
                                : WhenItShows(*process, process->may_work_until);
      At(std::min(last, now_ + minutes(2)), [this, process] { Replace(process); });
      return;
    }
    At(WhenItShows(*process, process->effect.until), [this, process, asked] {
      Feed(process,
           process->effect.action == Action::kWait ? LeaderInput(Woke{}) : NoAnswer(*process),
           asked);
    });
    if (process->effect.action != Action::kWait) Send(process, asked);
  }

  void Replace(const ProcessPtr& process) {
    if (process->ended) return;
    process->ended = true;
    const int slot = process->slot;
    At(now_ + Upto(seconds(5)), [this, slot] { Begin(slot); });
  }

  static LeaderInput NoAnswer(const Process& process) {
    return Answer(process, tl::make_unexpected(ApiError{.reason = ApiErrorReason::kTransport}));
  }
  static LeaderInput Answer(const Process& process, ApiResult<Lease> answer) {
    if (process.effect.action == Action::kGet) return LeaseRead{std::move(answer)};
    return LeaseWritten{std::move(answer)};
  }

  /// The request may arrive long after its sender has given up.
  void Send(const ProcessPtr& process, int asked) {
    if (Chance(faults_.lose_request)) return;
    const LeaderEffect effect = process->effect;
    const Lease from = process->state.observed.value_or(Lease{});
    At(now_ + OnTheWay(), [this, process, asked, effect, from] {
      if (Chance(faults_.remove)) server_.Delete();
      ApiResult<Lease> answer =
          tl::make_unexpected(ApiError{.reason = ApiErrorReason::kServerError});
      if (!Chance(faults_.refuse)) {
        answer = effect.action == Action::kGet      ? server_.Get()
                 : effect.action == Action::kCreate ? server_.Create(effect.record)
                                                    : server_.Update(from, effect.record);
      }
      if (Chance(faults_.lose_answer)) return;
      At(now_ + OnTheWay(), [this, process, asked, answer] {
        if (process->asked == asked) Feed(process, Answer(*process, answer), asked);
      });
    });
  }

  void CheckWorkers() {
    if (Workers() <= 1) return;
    problem = "two may work at " + std::to_string(now_.count()) + " ns:";
    for (const auto& [slot, process] : processes_) {
      if (MayWork(*process)) problem += " " + process->identity;
    }
  }

  std::mt19937_64 engine_;
  Faults faults_;
  const LeaderElectionOptions options_;
  LeaseServer server_;
  Duration now_{0};
  int identities_ = 0;
  std::multimap<Duration, std::function<void()>> queue_;
  std::map<int, ProcessPtr> processes_;
};

struct Case {
  const char* name;
  Faults faults;
  int least_terms;  ///< In all seeds: the faults must have an effect.
};

const Case kCases[] = {
    {"nothing goes wrong", {}, 15},
    {"requests and answers get lost", {.lose_request = 0.2, .lose_answer = 0.2}, 15},
    {"most answers get lost", {.lose_answer = 0.8}, 15},
    {"the server fails", {.refuse = 0.5}, 15},
    {"the network is slow", {.slow = 0.3}, 20},
    {"processes stop for long", {.stop = 0.02}, 75},
    {"processes crash", {.crash = 0.02}, 75},
    {"leaders hand over", {.release = 0.1}, 75},
    {"everything at once",
     {.lose_request = 0.1,
      .lose_answer = 0.1,
      .refuse = 0.1,
      .slow = 0.1,
      .stop = 0.01,
      .crash = 0.01,
      .release = 0.02},
     75},
};

TEST(LeaderPropertyTest, NeverLetsTwoWorkAndAlwaysFindsOneInTheEnd) {
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.name);
    int terms = 0;
    for (std::uint64_t seed = 0; seed < 15; ++seed) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed);
      World world(seed, 2 + static_cast<int>(seed % 2), one.faults);
      ASSERT_TRUE(world.RunFor(minutes(10))) << world.problem;
      world.BeKind();
      // A minute for who was stopped, and a lease with its retries.
      ASSERT_TRUE(world.RunFor(minutes(2))) << world.problem;
      EXPECT_EQ(world.Workers(), 1);
      terms += world.terms;
    }
    EXPECT_GE(terms, one.least_terms);
  }
}

TEST(LeaderPropertyTest, OutlivesADeletedLease) {
  // Nobody crashes here, and each has seen the Lease: who begins just after the deletion cannot
  // know of a holder.
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    World world(seed, 3, {});
    ASSERT_TRUE(world.RunFor(minutes(1))) << world.problem;
    world.BeUnkind({.lose_request = 0.1, .lose_answer = 0.1, .remove = 0.05});
    ASSERT_TRUE(world.RunFor(seconds(9))) << world.problem;
    world.BeKind();
    ASSERT_TRUE(world.RunFor(minutes(2))) << world.problem;
    EXPECT_EQ(world.Workers(), 1);
  }
}

}  // namespace
}  // namespace whimbrel::kube
