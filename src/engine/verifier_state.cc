#include <string>
#include <utility>
#include <vector>

#include "engine/verifier_families.h"
#include "engine/verifier_json.h"

namespace whimbrel::engine {
namespace {

/// Statements that bring something from one state to another, in one transaction of the server's.
/// The query gives `{"reached": …}`; unknown where nothing is said.
class StateVerifier final : public JsonVerifier {
 public:
  StateVerifier(std::string_view query, std::string name, std::string wanted, std::string fault)
      : query_(query),
        name_(std::move(name)),
        wanted_(std::move(wanted)),
        fault_(std::move(fault)) {}

  postgres::PgResult<std::string> Find(postgres::Connection& connection) const override {
    return ReadJson(connection, query_, {name_, wanted_});
  }

 protected:
  Verification Decide(const Json& found, const Json& now) const override {
    const bool done_since = IsTrue(now, "reached") && !IsTrue(found, "reached");
    return done_since ? Done() : Verification{};
  }

  std::optional<std::string> Fault(const Json& /*found*/, const Json& now) const override {
    const Json& reached = PartOf(now, "reached");
    if (!reached.is_boolean() || reached.get<bool>()) return std::nullopt;
    return fault_;
  }

 private:
  std::string_view query_;
  std::string name_;    ///< $1
  std::string wanted_;  ///< $2
  std::string fault_;   ///< Said when the state is not reached.
};

constexpr std::string_view kDatabaseTablespace =
    "SELECT pg_catalog.jsonb_build_object('reached', t.spcname = $2::pg_catalog.name)"
    "::pg_catalog.text FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t "
    "ON t.oid = d.dattablespace WHERE d.datname = $1::pg_catalog.name";

constexpr std::string_view kPublicationsAdded =
    "SELECT pg_catalog.jsonb_build_object('reached', "
    "pg_catalog.to_jsonb(s.subpublications) @> $2::pg_catalog.jsonb)::pg_catalog.text "
    "FROM pg_catalog.pg_subscription s WHERE s.subname = $1::pg_catalog.name AND s.subdbid = "
    "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())";

constexpr std::string_view kPublicationsDropped =
    "SELECT pg_catalog.jsonb_build_object('reached', NOT EXISTS (SELECT FROM "
    "pg_catalog.unnest(s.subpublications) p WHERE pg_catalog.jsonb_exists($2::pg_catalog.jsonb, "
    "p)))::pg_catalog.text "
    "FROM pg_catalog.pg_subscription s WHERE s.subname = $1::pg_catalog.name AND s.subdbid = "
    "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())";

/// Without a version ($2 is empty) the newest one that is installed on the server is wanted.
constexpr std::string_view kExtensionVersion =
    "SELECT pg_catalog.jsonb_build_object('reached', e.extversion = coalesce("
    "nullif($2::pg_catalog.text, ''), (SELECT a.default_version FROM "
    "pg_catalog.pg_available_extensions a WHERE a.name = e.extname)))::pg_catalog.text "
    "FROM pg_catalog.pg_extension e WHERE e.extname = $1::pg_catalog.name";

}  // namespace

std::unique_ptr<Verifier> VerifyDatabaseTablespace(const sql::DatabaseTablespaceTarget& target) {
  const std::string fault = "the database " + postgres::QuoteIdentifier(target.database) +
                            " is not in the tablespace " +
                            postgres::QuoteIdentifier(target.tablespace);
  return std::make_unique<StateVerifier>(kDatabaseTablespace, target.database, target.tablespace,
                                         fault);
}

std::unique_ptr<Verifier> VerifyPublications(const sql::SubscriptionTarget& target) {
  const bool added = target.change == sql::PublicationChange::kAdd;
  return std::make_unique<StateVerifier>(added ? kPublicationsAdded : kPublicationsDropped,
                                         target.name, Json(target.publications).dump(),
                                         "the publications of the subscription " +
                                             postgres::QuoteIdentifier(target.name) +
                                             " are not as the statement makes them");
}

std::unique_ptr<Verifier> VerifyExtensionUpdate(const sql::ExtensionUpdateTarget& target) {
  return std::make_unique<StateVerifier>(
      kExtensionVersion, target.name, target.version.value_or(""),
      "the extension " + target.name + " does not have the wanted version");
}

}  // namespace whimbrel::engine
