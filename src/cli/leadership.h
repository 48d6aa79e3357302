#pragma once

#include <memory>

#include "cli/exit_deadline.h"
#include "whimbrel/base/metrics.h"
#include "whimbrel/kube/event_recorder.h"
#include "whimbrel/kube/leader_elector.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::cli {

/// What one of several replicas needs to lead: the elector with a connection of its own, a client
/// for the work that writes nothing once the lease is over, and the end of the process where the
/// work does not end in time.
class Leadership {
 public:
  /// `connection` is for the election alone; `work` is the client to guard, which writes the events
  /// of the election too, and must outlive this.
  Leadership(std::unique_ptr<kube::ObjectClient> connection, kube::LeaderElectionOptions options,
             kube::ObjectClient& work, MetricsSink& metrics);

  [[nodiscard]] kube::LeaderElector& elector() { return elector_; }
  /// For everything that only a leader may write.
  [[nodiscard]] kube::ObjectClient& client() { return *guarded_; }

 private:
  std::unique_ptr<kube::ObjectClient> connection_;
  kube::EventRecorder events_;
  kube::LeaderElector elector_;
  std::unique_ptr<kube::ObjectClient> guarded_;
  ExitDeadline exit_;
};

}  // namespace whimbrel::cli
