#pragma once

#include <libpq-fe.h>

#include <string>

#include "whimbrel/base/clock.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

/// Asks the server to cancel what `conn` runs: by pg_cancel_backend in a session of its own, which
/// has TLS and the same login; where that fails (no slot free), by libpq's cancel request. True
/// when the session worked.
bool CancelBackend(PGconn* conn, const ConnectionParameters& parameters,
                   const ConnectOptions& options, SteadyTime deadline);

/// Has the server end the session of `conn`: for one that obeys no cancel.
void TerminateBackend(PGconn* conn, const ConnectionParameters& parameters,
                      const ConnectOptions& options, SteadyTime deadline);

}  // namespace whimbrel::postgres
