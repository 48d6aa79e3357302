#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace whimbrel::controller::testing {

/// A Job as the API server gives it, with `patch` (RFC 7386) merged into it.
inline nlohmann::json JobObject(const std::string& patch = "{}") {
  nlohmann::json job = nlohmann::json::parse(R"({
    "apiVersion": "batch/v1", "kind": "Job",
    "metadata": {
      "name": "orders-1a2b3c4d-2", "namespace": "shop", "uid": "job-uid",
      "creationTimestamp": "2026-11-21T10:00:00Z",
      "labels": {"app.kubernetes.io/managed-by": "whimbrel",
                 "whimbrel.dev/migration-uid": "1a2b3c4d-0000", "whimbrel.dev/run-id": "run-2"},
      "annotations": {"whimbrel.dev/migration": "orders", "whimbrel.dev/run-number": "2",
                      "whimbrel.dev/source-digest": "sha256:ab"}},
    "spec": {"suspend": false, "backoffLimit": 0},
    "status": {}})");
  job.merge_patch(nlohmann::json::parse(patch));
  return job;
}

/// A pod of that Job that runs, with `patch` merged into it.
inline nlohmann::json PodObject(const std::string& patch = "{}") {
  nlohmann::json pod = nlohmann::json::parse(R"({
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {
      "name": "orders-1a2b3c4d-2-x7f2q", "namespace": "shop", "uid": "pod-uid",
      "creationTimestamp": "2026-11-21T10:00:01Z",
      "labels": {"whimbrel.dev/migration-uid": "1a2b3c4d-0000", "whimbrel.dev/run-id": "run-2",
                 "batch.kubernetes.io/job-name": "orders-1a2b3c4d-2"}},
    "spec": {"nodeName": "node1", "containers": [{"name": "runner"}]},
    "status": {
      "phase": "Running",
      "conditions": [{"type": "PodScheduled", "status": "True"},
                     {"type": "Ready", "status": "True"}],
      "containerStatuses": [{"name": "runner", "ready": true, "restartCount": 0,
                             "state": {"running": {"startedAt": "2026-11-21T10:00:02Z"}},
                             "lastState": {}}]}})");
  pod.merge_patch(nlohmann::json::parse(patch));
  return pod;
}

/// A patch: the container waits.
inline std::string Waiting(const std::string& reason, const std::string& message = "") {
  nlohmann::json waiting = {{"reason", reason}};
  if (!message.empty()) waiting["message"] = message;
  return nlohmann::json{
      {"status",
       {{"phase", "Pending"},
        {"conditions",
         {{{"type", "Ready"}, {"status", "False"}, {"reason", "ContainersNotReady"}}}},
        {"containerStatuses", {{{"name", "runner"}, {"state", {{"waiting", waiting}}}}}}}}}
      .dump();
}

/// A patch: the container has ended.
inline std::string Terminated(int exit_code, const std::string& reason,
                              const std::string& message = "", const std::string& more = "{}") {
  nlohmann::json terminated = {{"exitCode", exit_code}, {"reason", reason}};
  if (!message.empty()) terminated["message"] = message;
  nlohmann::json patch = {
      {"status",
       {{"phase", exit_code == 0 ? "Succeeded" : "Failed"},
        {"conditions", {{{"type", "Ready"}, {"status", "False"}, {"reason", "PodFailed"}}}},
        {"containerStatuses", {{{"name", "runner"}, {"state", {{"terminated", terminated}}}}}}}}};
  patch.merge_patch(nlohmann::json::parse(more));
  return patch.dump();
}

/// A patch: the cluster ends the pod.
inline std::string Disrupted(const std::string& reason, const std::string& message) {
  return nlohmann::json{{"metadata", {{"deletionTimestamp", "2026-11-21T10:05:00Z"}}},
                        {"status",
                         {{"conditions",
                           {{{"type", "DisruptionTarget"},
                             {"status", "True"},
                             {"reason", reason},
                             {"message", message}}}}}}}
      .dump();
}

}  // namespace whimbrel::controller::testing
