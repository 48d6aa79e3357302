#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "whimbrel/postgres/error.h"

namespace whimbrel::postgres {

/// What the server reported in a failed result. The fields about the connection are left to the
/// caller, who knows what was under way.
[[nodiscard]] PgError ErrorFromResult(const PGresult* result);

/// Takes the SQLSTATE out of a text of PQerrorMessage. libpq has no call for the SQLSTATE of a
/// refused login, but writes it into the text when the verbosity is PQERRORS_VERBOSE
/// (fe-protocol3.c, pqBuildErrorMessage3): `FATAL:  28P01: password …`.
[[nodiscard]] PgError ErrorFromConnectText(std::string_view text);

/// libpq's message in one line, redacted, at most 1 KiB.
[[nodiscard]] std::string CleanMessage(std::string_view text);

}  // namespace whimbrel::postgres
