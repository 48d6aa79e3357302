#pragma once

#include <cstddef>
#include <string_view>

#include "postgres/rows_read.h"
#include "whimbrel/postgres/advisory_lock.h"

namespace whimbrel::postgres {

/// What is asked of pg_stat_activity `a` about a session, to stand after its pid.
inline constexpr std::string_view kHolderColumns =
    "(extract(epoch FROM a.backend_start) * 1000000)::pg_catalog.int8, "
    "a.application_name, a.state, a.wait_event, "
    "extract(epoch FROM pg_catalog.clock_timestamp() - a.state_change), "
    "extract(epoch FROM pg_catalog.clock_timestamp() - a.backend_start)";

/// A row of a pid and those columns.
[[nodiscard]] LockHolder HolderAt(const Rows& rows, std::size_t row);

}  // namespace whimbrel::postgres
