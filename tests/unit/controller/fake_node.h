#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/job_builder.h"
#include "support/eventually.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/kube/object_client.h"
#include "whimbrel/report/run_report.h"

namespace whimbrel::controller::testing {

/// Job controller, scheduler and kubelet of one namespace, played by hand on a real API server.
class FakeNode {
 public:
  FakeNode(kube::ObjectClient& client, std::string ns) : client_(client), ns_(std::move(ns)) {}

  [[nodiscard]] std::vector<nlohmann::json> Jobs() const {
    std::vector<nlohmann::json> jobs;
    (void)client_.List(kube::Jobs(), {.ns = ns_},
                       [&](nlohmann::json&& job) { jobs.push_back(std::move(job)); }, {});
    return jobs;
  }

  /// Waits for the n-th Job of `owner` (n of its name).
  nlohmann::json AwaitJob(const std::string& owner, int number = 1) const {
    nlohmann::json found;
    const bool there = static_cast<bool>(whimbrel::testing::Eventually([&] {
      for (nlohmann::json& job : Jobs()) {
        const nlohmann::json& metadata = job.at("metadata");
        const std::string name = metadata.at("name");
        if (name.starts_with(owner + "-") && name.ends_with("-" + std::to_string(number))) {
          found = std::move(job);
          return true;
        }
      }
      return false;
    }));
    if (!there) throw std::runtime_error("no Job of " + owner + " appeared");
    return found;
  }

  /// Makes the pod that the Job controller would make; returns its name.
  std::string CreatePod(const nlohmann::json& job) const {
    const nlohmann::json& pod_template = job.at("spec").at("template");
    const std::string name = job.at("metadata").at("name").get<std::string>() + "-x7k2p";
    nlohmann::json metadata = pod_template.at("metadata");
    metadata["name"] = name;
    metadata["namespace"] = ns_;
    metadata["ownerReferences"] = {{{"apiVersion", "batch/v1"},
                                    {"kind", "Job"},
                                    {"name", job.at("metadata").at("name")},
                                    {"uid", job.at("metadata").at("uid")},
                                    {"controller", true}}};
    Must(client_.Create(kube::Pods(),
                        {{"apiVersion", "v1"},
                         {"kind", "Pod"},
                         {"metadata", metadata},
                         {"spec", pod_template.at("spec")}},
                        {}));
    return name;
  }

  void SetPod(const std::string& pod, nlohmann::json status) const {
    SetStatus(kube::Pods(), pod, std::move(status));
  }
  void Run(const std::string& pod) const {
    SetPod(pod, {{"phase", "Running"},
                 {"containerStatuses",
                  {Container({{"running", {{"startedAt", "2026-11-21T10:00:00Z"}}}})}}});
  }
  void Wait(const std::string& pod, const std::string& reason, const std::string& message) const {
    SetPod(pod, {{"phase", "Pending"},
                 {"containerStatuses",
                  {Container({{"waiting", {{"reason", reason}, {"message", message}}}})}}});
  }
  /// The container ends, and leaves `message`.
  void End(const std::string& pod, int exit_code, const std::string& reason,
           const std::string& message) const {
    SetPod(pod, {{"phase", exit_code == 0 ? "Succeeded" : "Failed"},
                 {"containerStatuses",
                  {Container({{"terminated",
                               {{"exitCode", exit_code},
                                {"reason", reason},
                                {"message", message},
                                {"startedAt", "2026-11-21T10:00:00Z"},
                                {"finishedAt", "2026-11-21T10:00:01Z"}}}})}}});
  }
  void End(const std::string& pod, const report::RunReport& report) const {
    End(pod, report.succeeded ? 0 : 1, report.succeeded ? "Completed" : "Error",
        report::ToJson(report).dump());
  }
  /// The pod disappears, as after its grace period.
  void RemovePod(const std::string& pod) const {
    Must(client_.Delete(kube::Pods(), {.ns = ns_, .name = pod}, "", {}));
  }
  /// What the Job controller says of a pod that it could not create.
  void RefusePod(const nlohmann::json& job, const std::string& message) const {
    const nlohmann::json& metadata = job.at("metadata");
    Must(client_.Create(kube::CoreEvents(),
                        {{"apiVersion", "v1"},
                         {"kind", "Event"},
                         {"metadata", {{"name", "refused-" + NewUuid()}, {"namespace", ns_}}},
                         {"involvedObject",
                          {{"apiVersion", "batch/v1"},
                           {"kind", "Job"},
                           {"namespace", ns_},
                           {"name", metadata.at("name")},
                           {"uid", metadata.at("uid")}}},
                         {"reason", "FailedCreate"},
                         {"type", "Warning"},
                         {"message", message}},
                        {}));
  }
  void FinishJob(const nlohmann::json& job, bool complete) const {
    nlohmann::json conditions = nlohmann::json::array();
    const std::vector<const char*> types = complete ? std::vector{"SuccessCriteriaMet", "Complete"}
                                                    : std::vector{"FailureTarget", "Failed"};
    for (const char* type : types) {
      conditions.push_back(
          {{"type", type}, {"status", "True"}, {"lastTransitionTime", "2026-11-21T10:00:01Z"}});
    }
    nlohmann::json status = {{"startTime", "2026-11-21T10:00:00Z"}, {"conditions", conditions}};
    if (complete) status["completionTime"] = "2026-11-21T10:00:01Z";
    SetStatus(kube::Jobs(), job.at("metadata").at("name"), std::move(status));
  }

 private:
  static nlohmann::json Container(nlohmann::json state) {
    return {{"name", "runner"},
            {"image", "whimbrel"},
            {"imageID", ""},
            {"ready", false},
            {"restartCount", 0},
            {"state", std::move(state)},
            {"lastState", nlohmann::json::object()}};
  }
  template <class Answer>
  static void Must(const kube::ApiResult<Answer>& answer) {
    if (!answer) throw std::runtime_error(answer.error().ToString());
  }
  void SetStatus(const kube::Resource& resource, const std::string& name,
                 nlohmann::json status) const {
    Must(client_.Apply(resource,
                       {{"apiVersion", resource.ApiVersion()},
                        {"kind", resource.kind},
                        {"metadata", {{"name", name}, {"namespace", ns_}}},
                        {"status", std::move(status)}},
                       {.field_manager = "node", .force = true, .subresource = "status"}, {}));
  }

  kube::ObjectClient& client_;
  const std::string ns_;
};

}  // namespace whimbrel::controller::testing
