#pragma once

#include <libpq-fe.h>

#include "whimbrel/base/c_ptr.h"

namespace whimbrel::postgres {

/// Owners of what libpq allocates.
using ConnPtr = CPtr<PGconn, PQfinish>;
using ResultPtr = CPtr<PGresult, PQclear>;
using CancelPtr = CPtr<PGcancel, PQfreeCancel>;
using OptionsPtr = CPtr<PQconninfoOption, PQconninfoFree>;
using PqString = CPtr<char, PQfreemem>;

}  // namespace whimbrel::postgres
