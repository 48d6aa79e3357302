#pragma once

#include <string>

namespace whimbrel::chaos {

/// Lets this harness look at builds of whimbrel that break a promise on purpose
/// (tests/chaos/broken): each has to be found out. Returns how many were not, and says by what the
/// others were.
int RunCanaries(const std::string& folder, int workers);

}  // namespace whimbrel::chaos
