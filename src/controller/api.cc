#include "whimbrel/controller/api.h"

#include <algorithm>
#include <utility>

#include "controller/json_fields.h"
#include "whimbrel/report/reason.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using report::Reason;

/// A request counts only when it is the time that it should be: it is written back to status, where
/// the schema wants one too.
std::string ReadRequest(const json& annotations, std::string_view name) {
  std::string value = Text(annotations, std::string(name).c_str());
  return ParseRfc3339(value) ? value : std::string();
}

Metadata ReadMetadata(const json& metadata) {
  const json& annotations = Member(metadata, "annotations");
  return {.key = {.ns = Text(metadata, "namespace"), .name = Text(metadata, "name")},
          .uid = Text(metadata, "uid"),
          .resource_version = Text(metadata, "resourceVersion"),
          .generation = Integer(metadata, "generation").value_or(0),
          .deleting = Member(metadata, "deletionTimestamp").is_string(),
          .retry_request = ReadRequest(annotations, kRetryAnnotation),
          .cancel_request = ReadRequest(annotations, kCancelAnnotation)};
}

bool WaitsForObjects(std::string_view reason) {
  const auto parsed = report::ParseReason(reason);
  return parsed == Reason::kSourceNotFound || parsed == Reason::kSourceDigestMismatch ||
         parsed == Reason::kSecretNotFound || parsed == Reason::kAuthenticationFailed ||
         parsed == Reason::kDatabaseMissing;
}

Standing StandingOf(const Metadata& metadata, const Status& status) {
  const Condition* ready = status.Find("Ready");
  const bool answered =
      status.retry_requested_at == metadata.retry_request || metadata.retry_request.empty();
  if (!answered || ready == nullptr || status.observed_generation != metadata.generation ||
      ready->observed_generation != metadata.generation) {
    return Standing::kWorking;
  }
  if (status.IsTrue("Stalled")) return Standing::kStalled;
  if (ready->status == Truth::kTrue) return Standing::kReady;
  if (ready->reason == report::ToString(Reason::kSuspended)) return Standing::kSuspended;
  return WaitsForObjects(ready->reason) ? Standing::kWaitingForObjects : Standing::kWorking;
}

std::vector<std::string> ReferencedConfigMaps(const json& spec) {
  std::vector<std::string> names;
  const auto add = [&](std::string name) {
    if (!name.empty()) names.push_back(std::move(name));
  };
  const json& source = Member(spec, "source");
  for (auto& name : ListOf<std::string>(source, "configMaps",
                                        [](const json& ref) { return Text(ref, "name"); })) {
    add(std::move(name));
  }
  add(Text(Member(source, "archive"), "configMap"));
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

}  // namespace

const kube::Resource& DatabaseMigrations() {
  static const kube::Resource resource{.group = "whimbrel.dev",
                                       .version = "v1alpha1",
                                       .plural = "databasemigrations",
                                       .kind = "DatabaseMigration"};
  return resource;
}

DatabaseMigration ParseDatabaseMigration(const json& object) {
  return {.metadata = ReadMetadata(Member(object, "metadata")),
          .spec = ParseSpec(Member(object, "spec")),
          .status = StatusFromJson(Member(object, "status"))};
}

CachedMigration Summarize(const json& object) {
  const Metadata metadata = ReadMetadata(Member(object, "metadata"));
  return {.uid = metadata.uid,
          .resource_version = metadata.resource_version,
          .config_maps = ReferencedConfigMaps(Member(object, "spec")),
          .standing = StandingOf(metadata, StatusFromJson(Member(object, "status")))};
}

}  // namespace whimbrel::controller
