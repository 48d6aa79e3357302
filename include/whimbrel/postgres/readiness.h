#pragma once

#include <string>
#include <vector>

#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

/// What must hold before anything is planned (design §3, Readiness).
struct ReadinessRequirements {
  std::vector<std::string> extensions;  ///< Installed in this database.
  /// Reachable from the coordinator, by citus_check_cluster_node_health(): the lists of active
  /// workers still count a dead one (reference/timescale-citus.md).
  int min_citus_workers = 0;
};

enum class NotReady {
  kNone,
  kInRecovery,  ///< A standby, or a primary that is not yet open for writing.
  kReadOnly,    ///< default_transaction_read_only on a primary: somebody's decision.
  kMissingExtension,
  kMissingWorkers,
};

struct Readiness {
  NotReady reason = NotReady::kNone;
  std::string message;  ///< For a person: what is missing.
};

/// Facts about the server that reports carry.
struct ServerFacts {
  int version = 0;                ///< PQserverVersion.
  std::string system_identifier;  ///< pg_control_system(); empty when not readable.
  std::string database;
  std::string login_role;
};

/// Asks the server; one query, a second one for Citus.
PgResult<Readiness> CheckReadiness(Connection& connection,
                                   const ReadinessRequirements& requirements);
PgResult<ServerFacts> ReadServerFacts(Connection& connection);

}  // namespace whimbrel::postgres
