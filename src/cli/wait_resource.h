#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/wait_loop.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::cli {

/// Options of `whimbrel wait --resource`, as given.
struct WaitResourceOptions {
  std::string resource;  ///< `dbmig/NAME`.
  std::string ns;        ///< Empty: of the context, or of the pod.
  std::string kubeconfig;
  std::string context;
};

/// NAME of `dbmig/NAME`; the type may be spelled in each way that kubectl takes.
[[nodiscard]] Result<std::string> ParseResourceName(const std::string& text);

/// What a DatabaseMigration says of itself. A status that is about an older generation says
/// nothing.
[[nodiscard]] Sighting JudgeResource(const nlohmann::json& object);
/// Why it cannot be had. One that is not there may come; a type that is not there, or a right,
/// comes from a person.
[[nodiscard]] Sighting JudgeApiError(const kube::ApiError& error, const kube::ObjectKey& key);

}  // namespace whimbrel::cli
