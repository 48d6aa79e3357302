#pragma once

#include <map>
#include <string>

#include "support/pg_client.h"

namespace whimbrel::chaos {

/// What a database is like, as far as two of them have to be the same: part → text. Times,
/// durations, numbers of attempts, OIDs and the nonces of attempts are left out.
using Snapshot = std::map<std::string, std::string>;

[[nodiscard]] Snapshot TakeSnapshot(const testing::PgTarget& database);

/// What differs, for a person; empty: nothing.
[[nodiscard]] std::string Differences(const Snapshot& expected, const Snapshot& actual);

}  // namespace whimbrel::chaos
