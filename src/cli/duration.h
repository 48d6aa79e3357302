#pragma once

#include <string>
#include <string_view>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"

namespace whimbrel::cli {

/// Reads a duration as Go's flags take it (time.ParseDuration): `15s`, `1m30s`, `2.5s`, `500ms`;
/// units h, m, s and ms; none below zero.
[[nodiscard]] Result<Duration> ParseDuration(std::string_view text);

/// The same way: `1m30s`, `2s500ms`; to the millisecond.
[[nodiscard]] std::string FormatDuration(Duration duration);

}  // namespace whimbrel::cli
