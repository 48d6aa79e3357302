#pragma once

#include <cstdint>

#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::testing {

/// A TCP port of 127.0.0.1 that is ours as long as this lives, also while nobody listens on it (a
/// server that is being restarted). It lies below the range from which the kernel takes ports of
/// outgoing connections, and other test processes see the reservation.
class FreePort {
 public:
  FreePort();

  [[nodiscard]] std::uint16_t number() const { return number_; }

 private:
  std::uint16_t number_ = 0;
  FileDescriptor reservation_;
};

}  // namespace whimbrel::testing
