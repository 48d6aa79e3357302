#pragma once

#include <string>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"

namespace whimbrel::serve {

struct SelfSignedPair {
  std::string certificate_pem;
  Secret key_pem;
};

/// A new P-256 key and a certificate for `localhost` that it signs itself, good for a year from an
/// hour ago (clocks differ).
[[nodiscard]] Result<SelfSignedPair> MakeSelfSigned(SystemTime now);

}  // namespace whimbrel::serve
