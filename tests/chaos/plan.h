#pragma once

#include <string>
#include <vector>

#include "chaos/dice.h"
#include "chaos/disturbed_run.h"

namespace whimbrel::chaos {

/// Random rounds for a set whose undisturbed run takes so many messages each way: a function of the
/// dice alone.
[[nodiscard]] std::vector<Round> MakeRounds(Dice& dice, int to_server, int to_client);

[[nodiscard]] std::string ToText(const std::vector<Round>& rounds);

}  // namespace whimbrel::chaos
