#pragma once

#include <nlohmann/json.hpp>

#include "whimbrel/controller/api.h"
#include "whimbrel/report/runner_task.h"

namespace whimbrel::controller {

/// What a run's pod finds below report::RunnerFiles::kRoot.
struct JobVolumes {
  nlohmann::json volumes = nlohmann::json::array();
  nlohmann::json mounts = nlohmann::json::array();
};

/// The user's own ConfigMaps and Secrets, and the annotations as files. Each of them is optional:
/// what is not there must be reported by the runner, and not be a mount that hangs (the kubelet
/// waits for it without end, with no word in the pod's status).
[[nodiscard]] JobVolumes MountFiles(const Spec& spec);

/// The same in words, for the runner.
[[nodiscard]] report::RunnerTask DescribeTask(const DatabaseMigration& object, const RunState& run);

}  // namespace whimbrel::controller
