#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "whimbrel/base/clock.h"

namespace whimbrel::controller {

/// The printer columns of the CRD after NAME, as `kubectl get dbmig` heads them.
inline constexpr std::array<std::string_view, 5> kPrinterColumns = {"READY", "VERSION", "PENDING",
                                                                    "REASON", "AGE"};

/// NAME and the cells of kPrinterColumns, as kubectl prints them; what is absent is empty.
[[nodiscard]] std::array<std::string, 6> PrinterRow(const nlohmann::json& object, SystemTime now);

/// `45s`, `3m10s`, `25h`: apimachinery's duration.HumanDuration.
[[nodiscard]] std::string HumanDuration(std::chrono::seconds duration);

}  // namespace whimbrel::controller
