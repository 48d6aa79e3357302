#pragma once

#include <nlohmann/json_fwd.hpp>

#include "whimbrel/controller/api.h"

namespace whimbrel::controller {

/// spec.job, whose defaults are here and not in the CRD: there it must be absent in mode InProcess.
[[nodiscard]] JobSpec ReadJobSpec(const nlohmann::json& job);

}  // namespace whimbrel::controller
