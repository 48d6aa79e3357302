#pragma once

#include <string_view>

#include "whimbrel/base/error.h"
#include "whimbrel/kube/manifest_client.h"

namespace whimbrel::controller {

/// The CRD of this very version (crds/), as YAML.
[[nodiscard]] std::string_view EmbeddedCrd();

/// What an in-memory API server needs to serve DatabaseMigrations as a real one does: the CRD's
/// schema and the twins of its CEL rules.
[[nodiscard]] Result<kube::ServedResource> ServedDatabaseMigrations();

}  // namespace whimbrel::controller
