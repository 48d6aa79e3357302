#pragma once

#include <memory>

#include "controller/observed.h"
#include "whimbrel/report/run_request.h"

namespace whimbrel::controller {

/// The attempt that `run` describes, as the runner wants it. The object's spec must be valid.
[[nodiscard]] report::RunRequest BuildRunRequest(const DatabaseMigration& object,
                                                 const RunState& run,
                                                 std::shared_ptr<const migration::Source> source,
                                                 Credentials credentials, report::Trust trust);

}  // namespace whimbrel::controller
