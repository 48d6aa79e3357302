#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/verifier.h"
#include "whimbrel/sql/statement_target.h"

/// One function for each family of statements; MakeVerifier (verifier.h) chooses.
namespace whimbrel::engine {

// verifier_index.cc

/// CREATE INDEX outside of a transaction. `concurrently` is false for TimescaleDB's
/// transaction_per_chunk, whose leftovers DROP INDEX CONCURRENTLY does not take.
std::unique_ptr<Verifier> VerifyCreateIndex(sql::CreateIndexTarget target, bool concurrently);
std::unique_ptr<Verifier> VerifyDropIndex(sql::ObjectName index);

// verifier_reindex.cc

/// nullptr when a table, an index or a schema has no name.
std::unique_ptr<Verifier> VerifyReindexConcurrently(sql::ReindexTarget target);

// verifier_partition.cc

std::unique_ptr<Verifier> VerifyDetach(const sql::DetachTarget& target);

// verifier_object.cc: what is there or is not.

std::unique_ptr<Verifier> VerifyCreateDatabase(sql::CreateTarget target);
std::unique_ptr<Verifier> VerifyDropDatabase(std::string name);
std::unique_ptr<Verifier> VerifyCreateTablespace(sql::CreateTarget target);
std::unique_ptr<Verifier> VerifyDropTablespace(std::string name);
std::unique_ptr<Verifier> VerifyCreateSubscription(sql::SubscriptionTarget target);
std::unique_ptr<Verifier> VerifyDropSubscription(std::string name);
/// COMMIT PREPARED and ROLLBACK PREPARED.
std::unique_ptr<Verifier> VerifyEndPrepared(std::string identifier);
std::unique_ptr<Verifier> VerifyCreateSlot(std::string name, std::optional<std::string> plugin);
/// Citus' create_distributed_table_concurrently; `table` as in its first argument.
std::unique_ptr<Verifier> VerifyDistributeTable(std::string table);

// verifier_state.cc: what has the wanted value or has not.

std::unique_ptr<Verifier> VerifyDatabaseTablespace(const sql::DatabaseTablespaceTarget& target);
/// ALTER SUBSCRIPTION ADD or DROP PUBLICATION.
std::unique_ptr<Verifier> VerifyPublications(const sql::SubscriptionTarget& target);
std::unique_ptr<Verifier> VerifyExtensionUpdate(const sql::ExtensionUpdateTarget& target);

// verifier_aggregate.cc

/// TimescaleDB's CREATE MATERIALIZED VIEW … WITH (timescaledb.continuous) … WITH DATA.
std::unique_ptr<Verifier> VerifyContinuousAggregate(sql::MaterializedViewTarget target);

// verifier.cc

/// What does no harm when it is run again: runs it.
std::unique_ptr<Verifier> RunAgain();

}  // namespace whimbrel::engine
