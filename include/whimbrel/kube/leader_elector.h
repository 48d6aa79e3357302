#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/metrics.h"
#include "whimbrel/kube/event_recorder.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::kube {

/// The names, meanings and defaults of client-go's tools/leaderelection.
struct LeaderElectionOptions {
  ObjectKey lease;       ///< Made when it is not there.
  std::string identity;  ///< Of this process and no other, ever: `<host>_<UUID>`.
  /// How long the others wait after the last renewal that they saw; whole seconds.
  std::chrono::seconds lease_duration{15};
  /// A leader whose renewals have failed for so long gives up.
  Duration renew_deadline = std::chrono::seconds(10);
  /// From one renewal to the next; candidates ask as often, or up to 2.2 times less.
  Duration retry_period = std::chrono::seconds(2);
  /// Gets `<identity> became leader` and `<identity> stopped leading`, about the Lease, with the
  /// reason LeaderElection (client-go, resourcelock/leaselock.go); null: nobody is told. Outlives
  /// the elector.
  EventRecorder* events = nullptr;
};

/// lease_duration > renew_deadline > 1.2 · retry_period > 0; a name, a namespace and an identity.
[[nodiscard]] Result<void> CheckLeaderElectionOptions(const LeaderElectionOptions& options);

/// Leader election by a Lease of coordination.k8s.io/v1. At most one of all electors of one Lease
/// has `now < may_work_until()`, whatever the network, the API server and the wall clocks do, as
/// long as the steady clocks of their machines go equally fast to some per cent. It is no fence: a
/// process that was stopped for longer than that and goes on finds out only when it looks. What
/// must hold even then is protected where it is kept: the database by its lock and ledger, a status
/// by its resourceVersion (GuardWrites narrows what is left).
///
/// Give it a client of its own: its requests are small, must not queue behind others, and are given
/// up after max(1 s, renew_deadline / 2). A thread of its own asks and renews from construction on.
/// Every public function is thread-safe.
class LeaderElector {
 public:
  /// `options` are valid.
  LeaderElector(ObjectClient& client, LeaderElectionOptions options,
                const Clock& clock = Clock::System(), Random& random = Random::System(),
                MetricsSink& metrics = MetricsSink::Null());
  /// Ends at once. A lease that is still held runs out by itself, as after a crash; see Release.
  ~LeaderElector();
  LeaderElector(const LeaderElector&) = delete;
  LeaderElector& operator=(const LeaderElector&) = delete;

  /// True as soon as this elector has become the leader; false: a stop was requested first.
  bool WaitUntilLeading(std::stop_token stop) const;

  /// Fires when the leadership is lost: renewals failed until the deadline, or another one has the
  /// lease. It never comes back: end all guarded work before may_work_until(), then the process.
  /// After Release it does not fire any more.
  [[nodiscard]] std::stop_token lost() const;

  /// When, without a further renewal, all guarded work must have ended: when the last successful
  /// renewal was *begun*, plus the lease duration, minus a fifth of what it has over the renew
  /// deadline, for clocks that go at different speeds. SteadyTime::min() before it ever led.
  [[nodiscard]] SteadyTime may_work_until() const;
  [[nodiscard]] bool may_work() const;

  /// For a health check: an error when it leads and its lease ran out, and this was not noticed for
  /// `tolerance`, as when its thread hangs.
  [[nodiscard]] Result<void> Check(Duration tolerance) const;

  /// Hands the lease over after all guarded work has ended, so that another one need not wait for
  /// its end; tried until it would run out. Without a lease it does nothing but stop asking for
  /// one. Idempotent.
  void Release();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// `<host>_<UUID>`.
[[nodiscard]] std::string NewLeaderIdentity(const std::string& host);

/// The same client, but every write other than of events is kCancelled, unsent, while
/// `elector.may_work()` is false. Borrows both.
[[nodiscard]] std::unique_ptr<ObjectClient> GuardWrites(ObjectClient& client,
                                                        const LeaderElector& elector);

}  // namespace whimbrel::kube
