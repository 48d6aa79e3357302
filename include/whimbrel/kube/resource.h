#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace whimbrel::kube {

/// Group, version and resource, with the kind that objects of it carry.
struct Resource {
  std::string group;  ///< Empty: core.
  std::string version;
  std::string plural;
  std::string kind;
  bool namespaced = true;

  /// `v1` or `group/v1`.
  [[nodiscard]] std::string ApiVersion() const {
    return group.empty() ? version : group + "/" + version;
  }
  friend auto operator<=>(const Resource&, const Resource&) = default;
};

/// The resources that Whimbrel speaks.
[[nodiscard]] const Resource& ConfigMaps();
[[nodiscard]] const Resource& Secrets();
[[nodiscard]] const Resource& Jobs();
[[nodiscard]] const Resource& Pods();
[[nodiscard]] const Resource& Leases();
[[nodiscard]] const Resource& TokenReviews();
[[nodiscard]] const Resource& SubjectAccessReviews();
[[nodiscard]] const Resource& Events();  ///< events.k8s.io/v1
/// The same events in the older schema, whose fields (`involvedObject`) selectors may name.
[[nodiscard]] const Resource& CoreEvents();

/// Namespace and name; the only input of a reconcile pass.
struct ObjectKey {
  std::string ns;
  std::string name;

  [[nodiscard]] std::string ToString() const { return ns.empty() ? name : ns + "/" + name; }
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

}  // namespace whimbrel::kube

template <>
struct std::hash<whimbrel::kube::ObjectKey> {
  std::size_t operator()(const whimbrel::kube::ObjectKey& key) const noexcept {
    return std::hash<std::string>()(key.ns) * 31 + std::hash<std::string>()(key.name);
  }
};
