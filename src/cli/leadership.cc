#include "cli/leadership.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "whimbrel/base/backoff.h"

namespace whimbrel::cli {
namespace {

/// For runs to be cancelled in the server by a process that was stopped until after its lease.
/// Ending at once would not be safer: their statements would go on there.
constexpr std::chrono::seconds kCancelTime{5};

constexpr std::string_view kReportingController = "whimbrel.dev/leader-election";

kube::LeaderElectionOptions WithEvents(kube::LeaderElectionOptions options,
                                       kube::EventRecorder& events) {
  options.events = &events;
  return options;
}

SteadyTime ExitTime(const kube::LeaderElector& elector) {
  const SteadyTime now = Clock::System().SteadyNow();
  return elector.may_work() ? elector.may_work_until() : now + kCancelTime;
}

}  // namespace

Leadership::Leadership(std::unique_ptr<kube::ObjectClient> connection,
                       kube::LeaderElectionOptions options, kube::ObjectClient& work,
                       MetricsSink& metrics)
    : connection_(std::move(connection)),
      events_(work, kReportingController, options.identity),
      elector_(*connection_, WithEvents(std::move(options), events_), Clock::System(),
               Random::System(), metrics),
      guarded_(kube::GuardWrites(work, elector_)),
      exit_(
          elector_.lost(), [this] { return ExitTime(elector_); },
          "the lease is over and the work has not ended") {}

}  // namespace whimbrel::cli
