#pragma once

#include <optional>
#include <variant>

#include "kube/lease.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/kube/api_error.h"
#include "whimbrel/kube/leader_elector.h"

namespace whimbrel::kube {

/// One candidate of an election: client-go's tryAcquireOrRenew and the loops around it, as a pure
/// machine: no clock, no thread, no request. Stricter than client-go where that costs nothing:
/// - a leader that reads another holder has lost at once, not at its renew deadline;
/// - a Lease that was held by another and is deleted counts as a change of it: the holder may still
///   work, and so the duration of its lease is waited for;
/// - a lease counts from the beginning of the request that renewed it.
struct LeaderState {
  /// Requests are made one after the other; which one is under way, and why.
  enum class Step { kNone, kFastUpdate, kGet, kWrite };

  Step step = Step::kNone;
  SteadyTime asked_at;            ///< When the request under way, or the last one, was begun.
  std::optional<Lease> observed;  ///< As last read or written.
  SteadyTime observed_at;         ///< When its record changed last, by our clock.
  bool gone = false;              ///< The last read found none.
  bool leading = false;
  bool releasing = false;
  SteadyTime renewed_at;  ///< When the last renewal that succeeded was begun.
};

// What happened.
struct Woke {};  ///< The wait is over; also the beginning.
struct LeaseRead {
  ApiResult<Lease> answer;
};
struct LeaseWritten {  ///< Created or updated.
  ApiResult<Lease> answer;
};
struct ReleaseAsked {};  ///< In place of Woke, at most once.
using LeaderInput = std::variant<Woke, LeaseRead, LeaseWritten, ReleaseAsked>;

struct LeaderInstant {
  SteadyTime steady;
  SystemTime system;  ///< For the times that people read.
  double chance = 0;  ///< In [0, 1).
};

/// What to do next, and what became of the leadership by now.
struct LeaderEffect {
  enum class Action { kGet, kCreate, kUpdate, kWait, kEnd };
  enum class Change { kNone, kBecameLeader, kLost, kReleased };

  Action action = Action::kEnd;
  SteadyTime until;         ///< Waits until then; a request without an answer by then has failed.
  LeaseRecord record = {};  ///< What to create; what to write over the observed object.
  Change change = Change::kNone;

  friend bool operator==(const LeaderEffect&, const LeaderEffect&) = default;
};

[[nodiscard]] LeaderEffect Advance(LeaderState& state, const LeaderInput& input,
                                   const LeaderElectionOptions& options, const LeaderInstant& now);

/// See LeaderElector::may_work_until; SteadyTime::min() for one that does not lead.
[[nodiscard]] SteadyTime MayWorkUntil(const LeaderState& state,
                                      const LeaderElectionOptions& options);

}  // namespace whimbrel::kube
