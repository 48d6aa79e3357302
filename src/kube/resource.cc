#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

const Resource& ConfigMaps() {
  static const Resource resource{
      .group = "", .version = "v1", .plural = "configmaps", .kind = "ConfigMap"};
  return resource;
}

const Resource& Secrets() {
  static const Resource resource{
      .group = "", .version = "v1", .plural = "secrets", .kind = "Secret"};
  return resource;
}

const Resource& Jobs() {
  static const Resource resource{
      .group = "batch", .version = "v1", .plural = "jobs", .kind = "Job"};
  return resource;
}

const Resource& Pods() {
  static const Resource resource{.group = "", .version = "v1", .plural = "pods", .kind = "Pod"};
  return resource;
}

const Resource& Leases() {
  static const Resource resource{
      .group = "coordination.k8s.io", .version = "v1", .plural = "leases", .kind = "Lease"};
  return resource;
}

const Resource& TokenReviews() {
  static const Resource resource{.group = "authentication.k8s.io",
                                 .version = "v1",
                                 .plural = "tokenreviews",
                                 .kind = "TokenReview",
                                 .namespaced = false};
  return resource;
}

const Resource& SubjectAccessReviews() {
  static const Resource resource{.group = "authorization.k8s.io",
                                 .version = "v1",
                                 .plural = "subjectaccessreviews",
                                 .kind = "SubjectAccessReview",
                                 .namespaced = false};
  return resource;
}

const Resource& Events() {
  static const Resource resource{
      .group = "events.k8s.io", .version = "v1", .plural = "events", .kind = "Event"};
  return resource;
}

const Resource& CoreEvents() {
  static const Resource resource{.group = "", .version = "v1", .plural = "events", .kind = "Event"};
  return resource;
}

}  // namespace whimbrel::kube
