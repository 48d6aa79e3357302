#pragma once

#include "engine/run_context.h"
#include "whimbrel/postgres/connection.h"
#include "whimbrel/postgres/connection_parameters.h"

namespace whimbrel::engine {

/// The request's connection data with the login as it is now, vetted. Errors name keys, never
/// values.
[[nodiscard]] Result<postgres::ConnectionParameters> ToParameters(
    const report::DatabaseRequest& database);

/// For one more session to the very server of `main`, with the login as it is now; with that of
/// `main` where it cannot be read.
[[nodiscard]] postgres::ConnectionParameters ParametersBeside(
    const postgres::ConnectionParameters& main, const report::DatabaseRequest& database);

/// Connects, and tries again until the database answers, is open for writing and has what
/// database.ready asks for. Waiting ends uncounted (Reason::kWaitingForDatabase) after
/// ready.timeoutSeconds; a refused login and a missing database are reported at once.
RunResult<postgres::Connection> ConnectWhenReady(RunContext& context);

}  // namespace whimbrel::engine
