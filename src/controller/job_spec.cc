#include "controller/job_spec.h"

#include "controller/json_fields.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;

std::map<std::string, std::string> ReadMap(const json& object, const char* field) {
  std::map<std::string, std::string> map;
  const json& values = Member(object, field);
  if (!values.is_object()) return map;
  for (const auto& [key, value] : values.items()) {
    if (value.is_string()) map.emplace(key, value.get<std::string>());
  }
  return map;
}

/// `cpu: 2` is a quantity as good as `cpu: "2"`.
std::string ReadQuantity(const json& object, const char* field) {
  const json& value = Member(object, field);
  return value.is_number_integer() ? value.dump() : Text(object, field);
}

ResourceAmounts ReadAmounts(const json& value) {
  return {.cpu = ReadQuantity(value, "cpu"),
          .memory = ReadQuantity(value, "memory"),
          .ephemeral_storage = ReadQuantity(value, "ephemeral-storage")};
}

TolerationSpec ReadToleration(const json& value) {
  return {.key = Text(value, "key"),
          .op = Text(value, "operator"),
          .value = Text(value, "value"),
          .effect = Text(value, "effect"),
          .seconds = Integer(value, "tolerationSeconds")};
}

std::string ReadName(const json& value) { return Text(value, "name"); }

}  // namespace

JobSpec ReadJobSpec(const json& job) {
  const JobSpec usual;
  const json& resources = Member(job, "resources");
  return {.service_account = Text(job, "serviceAccountName"),
          .pod_labels = ReadMap(job, "podLabels"),
          .pod_annotations = ReadMap(job, "podAnnotations"),
          .requests = ReadAmounts(Member(resources, "requests")),
          .limits = ReadAmounts(Member(resources, "limits")),
          .node_selector = ReadMap(job, "nodeSelector"),
          .tolerations = ListOf<TolerationSpec>(job, "tolerations", ReadToleration),
          .priority_class = Text(job, "priorityClassName"),
          .runtime_class = Text(job, "runtimeClassName"),
          .image_pull_secrets = ListOf<std::string>(job, "imagePullSecrets", ReadName),
          .successful_history_limit =
              Number(job, "successfulHistoryLimit", usual.successful_history_limit),
          .failed_history_limit = Number(job, "failedHistoryLimit", usual.failed_history_limit),
          .ttl_seconds_after_finished = Integer(job, "ttlSecondsAfterFinished")};
}

}  // namespace whimbrel::controller
