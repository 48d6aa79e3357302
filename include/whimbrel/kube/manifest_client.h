#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/kube/object_client.h"
#include "whimbrel/kube/schema.h"

namespace whimbrel::kube {

/// A custom resource that the in-memory API server serves.
struct ServedResource {
  Resource resource;
  Schema schema;  ///< Of the CRD: defaults, unknown fields, validation.
  /// The C++ twins of the CRD's CEL rules (design §2): what is broken, field first. Called with an
  /// object that the schema finds valid, defaults filled in; old_object is null on create.
  std::function<std::vector<std::string>(const Json& object, const Json& old_object)> validate;
};

/// An in-memory API server loaded from YAML manifests (design §1): uid, generation,
/// resourceVersion, watches, `stringData`, a status subresource, and the CRD's own schema. What a
/// real server would refuse under kubectl's strict validation is an error here, in nearly the same
/// words. Thread-safe.
///
/// Served are Secrets, ConfigMaps, Events and the `served` resources; other kinds in the manifests
/// are left out with a warning, and are not found here. Where it is simpler than a real server:
///  - selectors are refused (kInvalid), lists have one page, watches send no bookmarks and are
///    kExpired when more than a thousand changes behind;
///  - Apply with subresource "status" replaces the whole status (it has one writer), and without
///  one
///    merges the object into what is there (RFC 7386) or creates it;
///  - of Events the newest thousand are kept.
class ManifestClient : public ObjectClient {
 public:
  /// Reads files, and folders (not recursively) with their *.yaml, *.yml and *.json, as `kubectl
  /// apply -f` does. `default_namespace` is for objects without one. An error lists everything that
  /// is wrong, a line for each: `file:line: Kind namespace/name: field: problem`.
  [[nodiscard]] static Result<std::unique_ptr<ManifestClient>> Load(
      std::vector<std::string> paths, std::string default_namespace,
      std::vector<ServedResource> served, const Clock& clock = Clock::System());

  /// Reads the paths again, and turns differences into watch events: uid, creation time and status
  /// of an object stay; its generation rises when its spec changed. On an error nothing changes.
  [[nodiscard]] virtual Result<void> Reload() = 0;
  /// What the last load left out, for people.
  [[nodiscard]] virtual std::vector<std::string> Warnings() const = 0;
};

}  // namespace whimbrel::kube
