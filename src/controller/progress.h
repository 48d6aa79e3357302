#pragma once

#include "controller/observed.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/controller/status.h"
#include "whimbrel/report/progress.h"

namespace whimbrel::controller {

/// Puts the snapshot of a run into `status`. Conditions speak of the generation that the run works
/// on, and stay as they are while a repeated attempt has not come further than the last one.
void ShowProgress(Status& status, const RunState& run, const report::Progress& progress,
                  SystemTime now);

}  // namespace whimbrel::controller
