#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <thread>

#include "whimbrel/base/clock.h"

namespace whimbrel::cli {

/// Ends the process with status 1 when its orderly end takes too long: from the moment `begun`
/// fires until the deadline that is asked for then. Destroying it calls that off.
class ExitDeadline {
 public:
  /// `deadline` is called on another thread; `why` is what the log says.
  ExitDeadline(std::stop_token begun, std::function<SteadyTime()> deadline, std::string why);

 private:
  std::jthread thread_;
};

}  // namespace whimbrel::cli
