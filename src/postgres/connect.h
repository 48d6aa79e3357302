#pragma once

#include "postgres/interrupt.h"
#include "postgres/pq_handles.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

/// Resolves and logs in, under `interrupt`'s limits and the options' timeout. Tries every target in
/// turn; stops at the first server that refuses us by name (wrong password, no such database).
[[nodiscard]] PgResult<ConnPtr> Connect(const ConnectionParameters& parameters,
                                        const ConnectOptions& options, const Interrupt& interrupt);

/// Narrows parameters that may name many servers to the one that `conn` found.
void PinServer(ConnectionParameters& parameters, PGconn* conn);

}  // namespace whimbrel::postgres
