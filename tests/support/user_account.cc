#include "support/user_account.h"

#include <pwd.h>

#include <array>
#include <stdexcept>

namespace whimbrel::testing {

UserAccount FindUser(const std::string& name) {
  std::array<char, 16'384> texts{};  // Of the entry; sysconf(_SC_GETPW_R_SIZE_MAX) says 1,024.
  passwd entry{};
  passwd* found = nullptr;
  if (getpwnam_r(name.c_str(), &entry, texts.data(), texts.size(), &found) != 0 ||
      found == nullptr) {
    throw std::runtime_error("there is no user " + name);
  }
  return {.uid = entry.pw_uid, .gid = entry.pw_gid};
}

}  // namespace whimbrel::testing
