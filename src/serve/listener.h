#pragma once

#include <cstdint>

#include "whimbrel/base/error.h"
#include "whimbrel/base/file_descriptor.h"
#include "whimbrel/serve/bind_address.h"

namespace whimbrel::serve {

/// A listening TCP socket, not blocking, that nobody shares: without SO_REUSEPORT a second process
/// on the same port is an error, not half of the answers.
[[nodiscard]] Result<FileDescriptor> Listen(const BindAddress& address);

/// Where it really listens; 0 when it does not.
[[nodiscard]] std::uint16_t PortOf(const FileDescriptor& listener);

}  // namespace whimbrel::serve
