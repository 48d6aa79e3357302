#pragma once

#include <chrono>
#include <string>

#include "kube/interrupter.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::kube {

struct TcpConnectOptions {
  std::string host;  ///< Name or address.
  int port = 0;
  SteadyTime deadline;                   ///< For all addresses together.
  std::chrono::milliseconds io_timeout;  ///< Of each read and write on the socket later on.
};

/// Connects to the first of the host's addresses that answers, and prepares the socket: no delay
/// for small writes, keepalive and a user timeout that notice a dead peer within a minute (HTTP/1.1
/// has no pings). Only name resolution cannot be interrupted; the
/// resolver's own limits bound it.
[[nodiscard]] Result<FileDescriptor> TcpConnect(const TcpConnectOptions& options,
                                                Interrupter& interrupter);

}  // namespace whimbrel::kube
