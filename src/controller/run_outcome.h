#pragma once

#include <vector>

#include "controller/action.h"
#include "controller/conditions.h"
#include "controller/observed.h"

namespace whimbrel::controller {

/// Puts the report of an ended run into `status`: what the database holds, the verdict, and when
/// the next attempt is due. Appends what is worth an event. `cancelled`: a person asked for the
/// end.
void AbsorbReport(Status& status, const Observed& observed, bool cancelled, SystemTime now,
                  std::vector<EventNote>& events);

/// A person ended it, so a person must say when it goes on.
[[nodiscard]] Verdict CancelledVerdict(const std::string& requested_at);

/// `003_add_table.sql:4:12: relation "x" does not exist (SQLSTATE 42P01)`, with the version before
/// and the hint after it.
[[nodiscard]] std::string DescribeFailure(const FailureStatus& failure);

}  // namespace whimbrel::controller
