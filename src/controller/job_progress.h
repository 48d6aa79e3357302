#pragma once

#include <optional>
#include <string_view>

#include "whimbrel/report/progress.h"

namespace whimbrel::controller {

/// The newest progress that a runner's log tells of; nullopt where there is none. The first line
/// may be cut, and whatever is no line of progress is passed over.
[[nodiscard]] std::optional<report::Progress> LastProgress(std::string_view log);

}  // namespace whimbrel::controller
