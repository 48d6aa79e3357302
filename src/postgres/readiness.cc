#include "whimbrel/postgres/readiness.h"

#include "postgres/rows_read.h"
#include "postgres/text_list.h"

namespace whimbrel::postgres {
namespace {

/// A row (…, result) for every pair of nodes; result is NULL in all rows *from* a node that the
/// coordinator itself could not reach (Citus, health_check.c). Always with the schema: a function
/// of that name elsewhere on the search_path is somebody else's.
constexpr std::string_view kReachableWorkers =
    "SELECT pg_catalog.count(DISTINCT n.nodeid) "
    "FROM pg_catalog.citus_check_cluster_node_health() h "
    "JOIN pg_catalog.pg_dist_node n ON n.nodename = h.from_nodename AND n.nodeport = "
    "h.from_nodeport "
    "WHERE n.groupid <> 0 AND n.noderole::pg_catalog.text = 'primary' AND h.result IS NOT NULL";

/// `ARRAY['a','b']::text[]`.
std::string TextArray(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(QuoteLiteral(text));
  return "ARRAY[" + Join(quoted, ",") + "]::pg_catalog.text[]";
}

Readiness Missing(NotReady reason, std::string message) {
  return Readiness{.reason = reason, .message = std::move(message)};
}

PgResult<Readiness> CheckWorkers(Connection& connection, int wanted, bool has_citus) {
  if (!has_citus) {
    return Missing(NotReady::kMissingWorkers,
                   "Citus workers are wanted, but this database has no citus extension with "
                   "citus_check_cluster_node_health() (Citus 10.2 or later)");
  }
  const auto rows = connection.Execute(kReachableWorkers);
  if (!rows) return tl::make_unexpected(rows.error());
  const std::int64_t reachable = IntegerAt(*rows, 0, 0);
  if (reachable >= wanted) return Readiness{};
  return Missing(NotReady::kMissingWorkers,
                 std::to_string(reachable) + " of the " + std::to_string(wanted) +
                     " wanted Citus workers can be reached from the coordinator");
}

}  // namespace

PgResult<Readiness> CheckReadiness(Connection& connection,
                                   const ReadinessRequirements& requirements) {
  const auto rows = connection.Execute(
      "SELECT pg_catalog.pg_is_in_recovery(), "
      "pg_catalog.current_setting('default_transaction_read_only'), "
      "pg_catalog.current_database(), "
      "pg_catalog.to_regprocedure('pg_catalog.citus_check_cluster_node_health()') IS NOT NULL, "
      "(SELECT pg_catalog.string_agg(wanted, ', ') FROM pg_catalog.unnest(" +
      TextArray(requirements.extensions) +
      ") wanted WHERE NOT EXISTS "
      "(SELECT FROM pg_catalog.pg_extension WHERE extname = wanted))");
  if (!rows) return tl::make_unexpected(rows.error());
  const std::string database = QuoteIdentifier(TextAt(*rows, 0, 2));
  if (TextAt(*rows, 0, 0) == "t") {
    return Missing(NotReady::kInRecovery, "the server is in recovery: a standby, or not yet open");
  }
  if (TextAt(*rows, 0, 1) == "on") {
    return Missing(NotReady::kReadOnly, "default_transaction_read_only is on in database " +
                                            database + " or for this role");
  }
  if (const std::string missing = TextAt(*rows, 0, 4); !missing.empty()) {
    return Missing(NotReady::kMissingExtension,
                   "not installed in database " + database + ": extension " + missing);
  }
  if (requirements.min_citus_workers <= 0) return Readiness{};
  return CheckWorkers(connection, requirements.min_citus_workers, TextAt(*rows, 0, 3) == "t");
}

PgResult<ServerFacts> ReadServerFacts(Connection& connection) {
  const auto rows = connection.Execute(
      "SELECT pg_catalog.current_database(), session_user, "
      "pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')");
  if (!rows) return tl::make_unexpected(rows.error());
  ServerFacts facts{.version = connection.server_version(),
                    .system_identifier = "",
                    .database = TextAt(*rows, 0, 0),
                    .login_role = TextAt(*rows, 0, 1)};
  if (TextAt(*rows, 0, 2) != "t") return facts;
  // A query of its own: the right is checked before any CASE around the call could spare it.
  const auto control =
      connection.Execute("SELECT system_identifier FROM pg_catalog.pg_control_system()");
  if (!control) return tl::make_unexpected(control.error());
  facts.system_identifier = TextAt(*control, 0, 0);
  return facts;
}

}  // namespace whimbrel::postgres
