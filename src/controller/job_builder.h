#pragma once

#include <string>
#include <vector>

#include "controller/observed.h"
#include "whimbrel/controller/api.h"
#include "whimbrel/controller/controller.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::controller {

/// Labels and annotations of Jobs and their pods.
inline constexpr std::string_view kOwnerUidLabel = "whimbrel.dev/migration-uid";
inline constexpr std::string_view kRunIdLabel = "whimbrel.dev/run-id";
inline constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";  // whimbrel
inline constexpr std::string_view kOwnerNameAnnotation = "whimbrel.dev/migration";
inline constexpr std::string_view kDigestAnnotation = "whimbrel.dev/source-digest";
inline constexpr std::string_view kNumberAnnotation = "whimbrel.dev/run-number";
inline constexpr std::string_view kResolvedAnnotation = "whimbrel.dev/resolved";  // JSON

/// `<name cut to 40>-<uid8>-<n>`: at most 63 characters (design §6).
[[nodiscard]] std::string JobName(const Metadata& owner, int number);

/// The whole Job for one attempt: the user's own ConfigMaps and Secrets mounted, the task as an
/// annotation, the `restricted` Pod Security level, no token. Pure; equal inputs give equal Jobs.
/// kInvalidArgument: what does not fit into a pod (inline SQL that is too large as an annotation).
[[nodiscard]] Result<kube::Json> BuildJob(const DatabaseMigration& object, const RunState& run,
                                          int number, const std::vector<ResolvedObject>& resolved,
                                          const RunnerImage& image);

}  // namespace whimbrel::controller
