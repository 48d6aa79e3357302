#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/postgres/connection_parameters.h"
#include "whimbrel/postgres/error.h"

namespace whimbrel::postgres {

/// One place to connect to.
struct Target {
  std::string host;     ///< As the user wrote it: what TLS verifies.
  std::string address;  ///< Numeric; empty: libpq finds the way itself (Unix socket, service file).
  std::string port;
};

/// Every address of every host of the parameters, in the user's order. getaddrinfo blocks without a
/// limit, and libpq calls it inside PQconnectPoll: so names are resolved here, on a thread of their
/// own, and libpq gets numbers.
[[nodiscard]] PgResult<std::vector<Target>> ResolveTargets(const ConnectionParameters& parameters,
                                                           SteadyTime deadline,
                                                           const std::stop_token& stop);

}  // namespace whimbrel::postgres
