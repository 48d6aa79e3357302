#include "kube/leader_machine.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

namespace whimbrel::kube {
namespace {

using Action = LeaderEffect::Action;
using Change = LeaderEffect::Change;
using Step = LeaderState::Step;

/// client-go tools/leaderelection: JitterFactor.
constexpr double kJitterFactor = 1.2;
/// What an int32 takes, as the API server has it; nanoseconds hold it, too.
constexpr std::int64_t kMaxLeaseSeconds = std::numeric_limits<std::int32_t>::max();

class Election {
 public:
  Election(LeaderState& state, const LeaderElectionOptions& options, const LeaderInstant& now)
      : state_(state), options_(options), now_(now) {}

  LeaderEffect On(const Woke&) { return state_.leading ? Renew() : Get(); }

  LeaderEffect On(const ReleaseAsked&) {
    if (!state_.leading) return End(Change::kNone);
    state_.releasing = true;
    return Renew();
  }

  LeaderEffect On(const LeaseRead& read) {
    if (!read.answer) {
      return read.answer.error().IsNotFound() ? OnGone() : TryLater();
    }
    Observe(*read.answer);
    const bool mine = state_.observed->record.holder == options_.identity;
    // Whoever has it, or had it and let it go, was leading in the meantime.
    if (state_.leading && !mine) return Lose();
    if (!mine && HeldByAnother()) return TryLater();
    return Write(Action::kUpdate, Step::kWrite);
  }

  LeaderEffect On(const LeaseWritten& written) {
    if (!written.answer) {
      // Maybe somebody only touched its labels: look before giving up (client-go's slow path).
      return state_.step == Step::kFastUpdate ? Get() : TryLater();
    }
    state_.observed = *written.answer;
    state_.gone = false;
    state_.observed_at = state_.asked_at;
    if (state_.releasing) return End(Change::kReleased);
    return Hold();
  }

 private:
  [[nodiscard]] bool Overdue() const {
    return now_.steady >= state_.renewed_at + options_.renew_deadline;
  }

  LeaderEffect Renew() {
    // First of all: a process that was stopped has not renewed, and others may be at work.
    if (Overdue()) return Lose();
    return state_.gone ? Get() : Write(Action::kUpdate, Step::kFastUpdate);
  }

  LeaderEffect OnGone() {
    const bool held = state_.observed && !state_.observed->record.holder.empty() &&
                      state_.observed->record.holder != options_.identity;
    if (!state_.gone) state_.observed_at = now_.steady;
    state_.gone = true;
    if (state_.releasing) return End(Change::kReleased);
    if (held && HeldByAnother()) return TryLater();
    return Write(Action::kCreate, Step::kWrite);
  }

  void Observe(const Lease& lease) {
    const bool changed = !state_.observed || state_.gone || lease.uid != state_.observed->uid ||
                         lease.record != state_.observed->record;
    if (changed) state_.observed_at = now_.steady;
    state_.observed = lease;
    state_.gone = false;
  }

  /// By our own clock alone: the times in the Lease are those of other clocks.
  [[nodiscard]] bool HeldByAnother() const {
    const LeaseRecord& record = state_.observed->record;
    if (record.holder.empty()) return false;
    const std::chrono::seconds duration =
        record.duration_seconds > 0
            ? std::chrono::seconds(std::min(record.duration_seconds, kMaxLeaseSeconds))
            : options_.lease_duration;
    return now_.steady - state_.observed_at < duration;
  }

  LeaderEffect Hold() {
    const bool was_leading = std::exchange(state_.leading, true);
    state_.renewed_at = state_.asked_at;
    if (Overdue()) {  // The answer came to a process that was stopped.
      if (was_leading) return Lose();
      state_.leading = false;
      return TryLater();
    }
    LeaderEffect effect = WaitFor(options_.retry_period);
    if (!was_leading) effect.change = Change::kBecameLeader;
    return effect;
  }

  LeaderEffect Lose() {
    state_.leading = false;
    // Nobody is at work any more who would have to be told.
    return End(state_.releasing ? Change::kNone : Change::kLost);
  }

  LeaderEffect End(Change change) {
    state_.leading = false;
    state_.step = Step::kNone;
    return {.action = Action::kEnd, .until = now_.steady, .change = change};
  }

  LeaderEffect TryLater() {
    if (state_.leading) return Overdue() ? Lose() : WaitFor(options_.retry_period);
    return WaitFor(std::chrono::duration_cast<Duration>(options_.retry_period *
                                                        (1 + kJitterFactor * now_.chance)));
  }

  LeaderEffect WaitFor(Duration duration) {
    state_.step = Step::kNone;
    return {.action = Action::kWait, .until = Limited(now_.steady + duration)};
  }

  LeaderEffect Get() { return Ask(Action::kGet, Step::kGet); }

  LeaderEffect Write(Action action, Step step) {
    LeaderEffect effect = Ask(action, step);
    if (effect.action == Action::kEnd) return effect;
    effect.record = NextRecord(action == Action::kCreate ? nullptr : &state_.observed->record);
    return effect;
  }

  LeaderEffect Ask(Action action, Step step) {
    if (state_.leading && Overdue()) return Lose();
    state_.step = step;
    state_.asked_at = now_.steady;
    const Duration patience =
        std::max<Duration>(std::chrono::seconds(1), options_.renew_deadline / 2);
    return {.action = action, .until = Limited(now_.steady + patience)};
  }

  /// Nothing that a leader does may make it miss its own deadline.
  [[nodiscard]] SteadyTime Limited(SteadyTime until) const {
    return state_.leading ? std::min(until, state_.renewed_at + options_.renew_deadline) : until;
  }

  [[nodiscard]] LeaseRecord NextRecord(const LeaseRecord* old) const {
    const std::string time = FormatRfc3339Micro(now_.system);
    LeaseRecord record{.holder = state_.releasing ? "" : options_.identity,
                       .duration_seconds = state_.releasing ? 1 : options_.lease_duration.count(),
                       .acquire_time = time,
                       .renew_time = time};
    if (old == nullptr) return record;
    const bool mine = old->holder == options_.identity;
    if (mine && !state_.releasing) record.acquire_time = old->acquire_time;
    record.transitions = old->transitions + (mine ? 0 : 1);
    return record;
  }

  LeaderState& state_;
  const LeaderElectionOptions& options_;
  const LeaderInstant& now_;
};

}  // namespace

LeaderEffect Advance(LeaderState& state, const LeaderInput& input,
                     const LeaderElectionOptions& options, const LeaderInstant& now) {
  Election election(state, options, now);
  return std::visit([&](const auto& happened) { return election.On(happened); }, input);
}

SteadyTime MayWorkUntil(const LeaderState& state, const LeaderElectionOptions& options) {
  if (!state.leading) return SteadyTime::min();
  const Duration spare = options.lease_duration - options.renew_deadline;
  return state.renewed_at + options.lease_duration - spare / 5;
}

}  // namespace whimbrel::kube
