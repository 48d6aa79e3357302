#include "kube/lease.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "kube/object_json.h"

namespace whimbrel::kube {

using nlohmann::json;

namespace {

std::int64_t NumberAt(const json& object, const char* outer, const char* inner) {
  const auto found = object.find(outer);
  if (found == object.end() || !found->is_object()) return 0;
  const auto value = found->find(inner);
  return value != found->end() && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

json Spec(const LeaseRecord& record) {
  return {{"holderIdentity", record.holder},
          {"leaseDurationSeconds", record.duration_seconds},
          {"acquireTime", record.acquire_time},
          {"renewTime", record.renew_time},
          {"leaseTransitions", record.transitions}};
}

}  // namespace

Lease ParseLease(const json& object) {
  if (!object.is_object()) return {};
  return {.record = {.holder = StringAt(object, "spec", "holderIdentity"),
                     .duration_seconds = NumberAt(object, "spec", "leaseDurationSeconds"),
                     .acquire_time = StringAt(object, "spec", "acquireTime"),
                     .renew_time = StringAt(object, "spec", "renewTime"),
                     .transitions = NumberAt(object, "spec", "leaseTransitions")},
          .uid = StringAt(object, "metadata", "uid"),
          .resource_version = StringAt(object, "metadata", "resourceVersion")};
}

json NewLeaseObject(const ObjectKey& key, const LeaseRecord& record) {
  return {{"apiVersion", Leases().ApiVersion()},
          {"kind", Leases().kind},
          {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
          {"spec", Spec(record)}};
}

json UpdatedLeaseObject(json stored, const LeaseRecord& record) {
  stored["spec"] = Spec(record);
  return stored;
}

}  // namespace whimbrel::kube
