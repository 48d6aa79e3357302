#pragma once

#include <cstdint>

#include "postgres/wire.h"
#include "whimbrel/postgres/connection.h"
#include "whimbrel/postgres/statement_stream.h"

namespace whimbrel::postgres {

/// Connection::Run.
[[nodiscard]] Result<std::uint64_t, StreamError> RunStream(Wire& wire, StatementStream& stream);

/// Whether a statement that answered `tag` inside a transaction, and left the session in one, has
/// ended that transaction and begun the next: COMMIT AND CHAIN, or ROLLBACK AND CHAIN. (ROLLBACK TO
/// SAVEPOINT answers ROLLBACK too.)
[[nodiscard]] bool ChainsTransactions(std::string_view tag, std::string_view statement);

}  // namespace whimbrel::postgres
