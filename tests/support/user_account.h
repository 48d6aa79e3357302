#pragma once

#include <sys/types.h>

#include <string>

namespace whimbrel::testing {

/// A user of this machine.
struct UserAccount {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Throws std::runtime_error when there is no such user. Thread-safe, which getpwnam is not:
/// servers that were started at once got each other's owners.
[[nodiscard]] UserAccount FindUser(const std::string& name);

}  // namespace whimbrel::testing
