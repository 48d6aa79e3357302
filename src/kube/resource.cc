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

const Resource& Events() {
  static const Resource resource{
      .group = "events.k8s.io", .version = "v1", .plural = "events", .kind = "Event"};
  return resource;
}

}  // namespace whimbrel::kube
