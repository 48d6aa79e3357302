#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/cli/exit_code.h"

namespace whimbrel::cli {

/// The text of one file of a resource's source; empty when it is not known.
using SourceTextOf =
    std::function<std::string(const nlohmann::json& object, const std::string& path)>;

/// What `kubectl get dbmig` would print.
[[nodiscard]] std::string GetTable(const std::vector<nlohmann::json>& objects, SystemTime now);

/// What else a person wants to know of one resource: the versions applied, or what failed and
/// where.
[[nodiscard]] std::string DetailsText(const nlohmann::json& object, const SourceTextOf& source_text,
                                      bool colour);

/// 0 when all are Ready, 3 when one is Stalled, else 1.
[[nodiscard]] ExitCode ExitCodeOf(const std::vector<nlohmann::json>& objects);

}  // namespace whimbrel::cli
