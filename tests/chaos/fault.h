#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "chaos/message_counter.h"

namespace whimbrel::chaos {

enum class Death {
  kKill,        ///< SIGKILL to the runner.
  kFreeze,      ///< SIGSTOP; later it goes on or is killed.
  kTerminate,   ///< An administrator ends the sessions of all runners in the database.
  kPostmaster,  ///< SIGKILL to the server and all its backends; it is started again later.
  kCut,         ///< The connection is reset.
  kBlackHole,   ///< Nothing passes; later what was held back arrives, or all is reset.
  kDelay,       ///< Everything is late.
};
inline constexpr int kDeaths = 7;

[[nodiscard]] const char* ToText(Death death);

/// What happens to one runner, and where.
struct Fault {
  Death death = Death::kKill;
  Place place;
  /// nullopt: while the place has not been passed, so that nothing else happens in between. Else so
  /// long after it was passed, with everything else going on: in the midst of what it began.
  std::optional<std::chrono::milliseconds> later = std::nullopt;
  std::chrono::milliseconds lasts{0};  ///< kFreeze, kPostmaster, kBlackHole, kDelay.
  bool comes_back = false;             ///< kFreeze, kBlackHole: as if nothing had been.
  /// kFreeze: until all other runners are done, which do not need its end.
  bool for_ever = false;

  [[nodiscard]] std::string ToText() const;
};

}  // namespace whimbrel::chaos
