#include "controller/job_facts.h"

#include <algorithm>
#include <charconv>

#include "controller/job_builder.h"
#include "controller/json_fields.h"
#include "whimbrel/base/redact.h"

namespace whimbrel::controller {
namespace {

using kube::Json;

constexpr std::size_t kMaxWordsBytes = 1024;

std::string Words(const Json& object, const char* field) {
  return TruncateUtf8(Text(object, field), kMaxWordsBytes);
}

std::string TextAt(const Json& map, std::string_view key) {
  return Text(map, std::string(key).c_str());
}

/// The element of a list that has this value in `field`; null where there is none.
const Json& Find(const Json& list, const char* field, std::string_view value) {
  static const Json null;
  if (!list.is_array()) return null;
  const auto it = std::ranges::find_if(
      list, [&](const Json& element) { return Text(element, field) == value; });
  return it == list.end() ? null : *it;
}

/// A condition that holds; null where it does not.
const Json& TrueCondition(const Json& conditions, std::string_view type) {
  static const Json null;
  const Json& condition = Find(conditions, "type", type);
  return Text(condition, "status") == "True" ? condition : null;
}

int ParseNumber(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<ResolvedObject> ParseResolved(const std::string& text) {
  const Json holder = {{"resolved", Json::parse(text, nullptr, /*allow_exceptions=*/false)}};
  return ListOf<ResolvedObject>(holder, "resolved", [](const Json& object) {
    return ResolvedObject{.kind = Text(object, "kind"),
                          .name = Text(object, "name"),
                          .uid = Text(object, "uid"),
                          .resource_version = Text(object, "resourceVersion")};
  });
}

void ReadFailure(const Json& conditions, JobFacts& job) {
  const Json& failed = TrueCondition(conditions, "Failed");
  job.failed = failed.is_object();
  const Json& condition = job.failed ? failed : TrueCondition(conditions, "FailureTarget");
  job.failed_reason = Words(condition, "reason");
  job.failed_message = Words(condition, "message");
}

PodEnd ReadEnd(const Json& terminated) {
  // The termination message whole: it is JSON, and the kubelet has cut it to 4 KiB.
  return {.exit_code = Number(terminated, "exitCode", 0),
          .reason = Words(terminated, "reason"),
          .message = Text(terminated, "message")};
}

void ReadContainer(const Json& status, PodFacts& pod) {
  const Json& container = Find(Member(status, "containerStatuses"), "name", kRunnerContainer);
  const Json& state = Member(container, "state");
  const Json& waiting = Member(state, "waiting");
  pod.waiting_reason = Words(waiting, "reason");
  pod.waiting_message = Words(waiting, "message");
  pod.running = Member(state, "running").is_object();
  if (const Json& now = Member(state, "terminated"); now.is_object()) {
    pod.end = ReadEnd(now);
    return;
  }
  // A container that the node lost sight of is "waiting" with an end before, and would be started
  // again; in a pod that is over it will not.
  const Json& before = Member(Member(container, "lastState"), "terminated");
  if (before.is_object() && pod.ended()) pod.end = ReadEnd(before);
}

void ReadConditions(const Json& conditions, PodFacts& pod) {
  const Json& scheduled = Find(conditions, "type", "PodScheduled");
  if (Text(scheduled, "status") == "False") {
    pod.unschedulable = Words(scheduled, "message");
    if (pod.unschedulable.empty()) pod.unschedulable = Words(scheduled, "reason");
  }
  const Json& disrupted = TrueCondition(conditions, "DisruptionTarget");
  pod.disrupted_reason = Words(disrupted, "reason");
  pod.disrupted_message = Words(disrupted, "message");
  const Json& ready = Find(conditions, "type", "Ready");
  const std::string reason = Text(ready, "reason");
  const bool unready = ready.is_object() && Text(ready, "status") != "True" &&
                       (reason.empty() || reason.starts_with("Node"));
  pod.node_silent = pod.running && (unready || pod.reason == "NodeLost");
}

}  // namespace

JobFacts ReadJob(const Json& object) {
  const Json& metadata = Member(object, "metadata");
  const Json& labels = Member(metadata, "labels");
  const Json& annotations = Member(metadata, "annotations");
  const Json& conditions = Member(Member(object, "status"), "conditions");
  JobFacts job{.name = Text(metadata, "name"),
               .uid = Text(metadata, "uid"),
               .owner_uid = TextAt(labels, kOwnerUidLabel),
               .owner_name = TextAt(annotations, kOwnerNameAnnotation),
               .run_id = TextAt(labels, kRunIdLabel),
               .number = ParseNumber(TextAt(annotations, kNumberAnnotation)),
               .source_digest = TextAt(annotations, kDigestAnnotation),
               .resolved = ParseResolved(TextAt(annotations, kResolvedAnnotation)),
               .created = Time(metadata, "creationTimestamp").value_or(SystemTime()),
               .deleting = Member(metadata, "deletionTimestamp").is_string(),
               .suspended = Flag(Member(object, "spec"), "suspend", false),
               .complete = TrueCondition(conditions, "Complete").is_object()};
  ReadFailure(conditions, job);
  return job;
}

PodFacts ReadPod(const Json& object) {
  const Json& metadata = Member(object, "metadata");
  const Json& labels = Member(metadata, "labels");
  const Json& status = Member(object, "status");
  PodFacts pod{.name = Text(metadata, "name"),
               .uid = Text(metadata, "uid"),
               .owner_uid = TextAt(labels, kOwnerUidLabel),
               .run_id = TextAt(labels, kRunIdLabel),
               .created = Time(metadata, "creationTimestamp").value_or(SystemTime()),
               .phase = Words(status, "phase"),
               .node = Text(Member(object, "spec"), "nodeName"),
               .ends_by = Time(metadata, "deletionTimestamp"),
               .reason = Words(status, "reason"),
               .message = Words(status, "message")};
  ReadContainer(status, pod);
  ReadConditions(Member(status, "conditions"), pod);
  return pod;
}

std::string FormatResolved(const std::vector<ResolvedObject>& resolved) {
  Json list = Json::array();
  for (const ResolvedObject& object : resolved) {
    list.push_back({{"kind", object.kind},
                    {"name", object.name},
                    {"uid", object.uid},
                    {"resourceVersion", object.resource_version}});
  }
  return list.dump();
}

}  // namespace whimbrel::controller
