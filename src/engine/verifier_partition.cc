#include <string>
#include <utility>

#include "engine/verifier_families.h"
#include "engine/verifier_json.h"

namespace whimbrel::engine {
namespace {

/// inhdetachpending came with PostgreSQL 14, as DETACH CONCURRENTLY did; by way of jsonb the query
/// is good for 13 too.
constexpr std::string_view kStateQuery =
    "SELECT pg_catalog.jsonb_build_object('table', "
    "pg_catalog.to_regclass($1)::oid::pg_catalog.text, "
    "'partition', pg_catalog.to_regclass($2)::oid::pg_catalog.text, 'state', "
    "(SELECT CASE WHEN (pg_catalog.to_jsonb(i) ->> 'inhdetachpending')::pg_catalog.bool THEN "
    "'pending' "
    "ELSE 'attached' END FROM pg_catalog.pg_inherits i WHERE i.inhparent = "
    "pg_catalog.to_regclass($1) AND i.inhrelid = pg_catalog.to_regclass($2)))::pg_catalog.text";

/// The server commits after it has marked the partition, waits for all who use it, and takes it
/// away in a second transaction (ATExecDetachPartition, src/backend/commands/tablecmds.c).
class DetachVerifier final : public JsonVerifier {
 public:
  explicit DetachVerifier(const sql::DetachTarget& target)
      : table_(Quoted(target.table)), partition_(Quoted(target.partition)) {}

  postgres::PgResult<std::string> Find(postgres::Connection& connection) const override {
    return ReadJson(connection, kStateQuery, {table_, partition_});
  }

 protected:
  Verification Decide(const Json& found, const Json& now) const override {
    const std::string state = TextOf(now, "state");
    if (state == "pending") {
      return {.instead = "ALTER TABLE " + table_ + " DETACH PARTITION " + partition_ + " FINALIZE"};
    }
    const bool was_attached = !TextOf(found, "state").empty();
    return state.empty() && was_attached ? Done() : Verification{};
  }

  std::optional<std::string> Fault(const Json& /*found*/, const Json& now) const override {
    const std::string state = TextOf(now, "state");
    if (state.empty()) return std::nullopt;
    return partition_ + " is still a partition of " + table_ +
           (state == "pending" ? ", its detaching not finished" : "");
  }

 private:
  std::string table_;      ///< Quoted.
  std::string partition_;  ///< Quoted.
};

}  // namespace

std::unique_ptr<Verifier> VerifyDetach(const sql::DetachTarget& target) {
  return std::make_unique<DetachVerifier>(target);
}

}  // namespace whimbrel::engine
