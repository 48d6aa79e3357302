#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/kube/object_client.h"
#include "whimbrel/kube/schema.h"

namespace whimbrel::kube {

/// A custom resource that the in-memory API server serves.
struct ServedResource {
  Resource resource;
  Schema schema;  ///< Structural schema of the CRD: defaults, pruning, validation.
  /// The C++ twins of the CRD's CEL rules (design §2): messages of what is broken; old_object is null on create.
  std::function<std::vector<std::string>(const Json& object, const Json& old_object)> validate;
};

/// An in-memory API server loaded from YAML manifests: uid, generation, resourceVersion, watches, `stringData`, a status
/// subresource, and the CRD's own schema. Unknown fields are errors, as under kubectl's strict validation. Kinds other than Secret, ConfigMap,
/// Namespace, events and the served ones are skipped with a warning. Thread-safe.
class ManifestClient : public ObjectClient {
 public:
  /// Reads files (`*.yaml`, `*.yml`, `*.json`) and folders, not recursively, as `kubectl apply -f` does. Errors name file and line, or file, kind, name
  /// and field. `default_namespace` is for objects without one.
  static Result<std::unique_ptr<ManifestClient>> Load(const std::vector<std::string>& paths,
                                                      const std::string& default_namespace,
                                                      std::vector<ServedResource> served);

  /// Reads the paths again, and turns differences into watch events. On an error nothing changes.
  virtual Result<void> Reload() = 0;
  /// Warnings of the last load, for people.
  [[nodiscard]] virtual std::vector<std::string> Warnings() const = 0;
};

}  // namespace whimbrel::kube
