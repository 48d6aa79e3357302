#include <string>
#include <utility>
#include <vector>

#include "engine/verifier_families.h"
#include "engine/verifier_json.h"

namespace whimbrel::engine {
namespace {

using Values = std::vector<std::optional<std::string>>;

/// What a kind of object is called, and how one is looked up.
struct Kind {
  std::string_view what;
  /// Gives a JSON object of the object of that name ($1), or no row: `identity`; of what is created
  /// also `matches`, whether it looks like what the statement makes ($2, $3: see the functions at
  /// the end); `half_dropped`.
  std::string_view query;
  /// A relation without which there is no such object, and the query would fail.
  std::string_view catalog = "";
};

constexpr Kind kDatabase = {
    "database",
    // -2: a DROP DATABASE that was interrupted (PostgreSQL 16, and minor releases of those before;
    // DATCONNLIMIT_INVALID_DB, src/include/catalog/pg_database.h). Only dropping is possible then.
    "SELECT pg_catalog.jsonb_build_object('identity', d.oid::pg_catalog.text, 'matches', "
    "r.rolname = coalesce($2::pg_catalog.name, current_user), 'half_dropped', d.datconnlimit = -2)"
    "::pg_catalog.text FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_roles r ON r.oid = "
    "d.datdba WHERE d.datname = $1::pg_catalog.name"};
constexpr Kind kTablespace = {
    "tablespace",
    "SELECT pg_catalog.jsonb_build_object('identity', t.oid::pg_catalog.text, 'matches', "
    "r.rolname = coalesce($2::pg_catalog.name, current_user) AND coalesce($3::pg_catalog.text, '') "
    "IN ('', pg_catalog.pg_tablespace_location(t.oid), pg_catalog.pg_tablespace_location(t.oid) || "
    "'/'))::pg_catalog.text FROM pg_catalog.pg_tablespace t LEFT JOIN pg_catalog.pg_roles r ON "
    "r.oid = t.spcowner WHERE t.spcname = $1::pg_catalog.name"};
constexpr Kind kSubscription = {
    "subscription",
    // Without columns that only superusers may read: oid is one in PostgreSQL 13.
    "SELECT pg_catalog.jsonb_build_object('identity', pg_catalog.concat(s.subowner, ' ', "
    "s.subslotname), 'matches', r.rolname = current_user AND "
    "pg_catalog.to_jsonb(s.subpublications) = $2::pg_catalog.jsonb)::pg_catalog.text "
    "FROM pg_catalog.pg_subscription s LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.subowner "
    "WHERE s.subname = $1::pg_catalog.name AND s.subdbid = (SELECT oid FROM pg_catalog.pg_database "
    "WHERE datname = pg_catalog.current_database())"};
constexpr Kind kPrepared = {
    "prepared transaction",
    "SELECT pg_catalog.jsonb_build_object('identity', transaction::pg_catalog.text)"
    "::pg_catalog.text FROM pg_catalog.pg_prepared_xacts "
    "WHERE gid = $1 AND database = pg_catalog.current_database()"};
constexpr Kind kSlot = {
    "replication slot",
    "SELECT pg_catalog.jsonb_build_object('identity', slot_name, 'matches', "
    "database = pg_catalog.current_database() AND plugin = coalesce($2::pg_catalog.name, plugin))"
    "::pg_catalog.text FROM pg_catalog.pg_replication_slots "
    "WHERE slot_name = $1::pg_catalog.name"};
constexpr Kind kDistribution = {
    "distribution of the table",
    "SELECT pg_catalog.jsonb_build_object('identity', logicalrelid::pg_catalog.oid::"
    "pg_catalog.text, 'matches', true)::pg_catalog.text FROM pg_catalog.pg_dist_partition "
    "WHERE logicalrelid = pg_catalog.to_regclass($1)",
    "pg_catalog.pg_dist_partition"};

class ObjectVerifier : public JsonVerifier {
 public:
  /// `values` are the query's parameters; the first is the object's name.
  ObjectVerifier(const Kind& kind, Values values) : kind_(kind), values_(std::move(values)) {}

  postgres::PgResult<std::string> Find(postgres::Connection& connection) const override {
    if (!kind_.catalog.empty()) {
      const auto there = connection.Query("SELECT pg_catalog.to_regclass($1)", {kind_.catalog});
      if (!there) return tl::make_unexpected(there.error());
      if (!(*there)[0][0].has_value()) return std::string("{}");
    }
    const std::vector<postgres::Parameter> parameters(values_.begin(), values_.end());
    const auto rows = connection.Query(kind_.query, parameters);
    if (!rows) return tl::make_unexpected(rows.error());
    return rows->empty() ? "{}" : (*rows)[0][0].value_or("{}");
  }

 protected:
  static std::string Identity(const Json& state) { return TextOf(state, "identity"); }
  [[nodiscard]] std::string Label() const {
    return "the " + std::string(kind_.what) + " " + postgres::QuoteIdentifier(*values_[0]);
  }

 private:
  const Kind& kind_;
  Values values_;
};

/// Such statements commit once, at the end: what is there is complete. That nobody else made it in
/// the meantime is believed of what looks as the statement makes it, as far as the query tells.
class CreateVerifier final : public ObjectVerifier {
 public:
  using ObjectVerifier::ObjectVerifier;

 protected:
  Verification Decide(const Json& found, const Json& now) const override {
    if (Identity(now).empty()) return {};
    if (IsTrue(now, "half_dropped"))
      return Refuse(Label() + " is there, half dropped", "drop it again");
    if (!Identity(found).empty()) {
      return Refuse(Label() + " was there before this migration began",
                    "drop it, if nobody needs it, or take the statement out of the file");
    }
    if (IsTrue(now, "matches")) return Done();
    return Refuse(Label() +
                      " was made by somebody else since this migration began: it has another "
                      "owner, or is otherwise not what the statement makes",
                  "drop it, if nobody needs it, or take the statement out of the file");
  }

  std::optional<std::string> Fault(const Json& /*found*/, const Json& now) const override {
    if (!Identity(now).empty()) return std::nullopt;
    return Label() + " is not there";
  }
};

/// What is still there is dropped again, and that finishes what was interrupted.
class DropVerifier final : public ObjectVerifier {
 public:
  using ObjectVerifier::ObjectVerifier;

 protected:
  Verification Decide(const Json& found, const Json& now) const override {
    if (Identity(found).empty()) return {};
    if (Identity(now).empty()) return Done();
    if (Identity(now) == Identity(found)) return {};
    return Refuse(Label() + " is not the one that was there when this step began",
                  "drop or rename it, if it is not needed, or take the statement out of the file");
  }

  std::optional<std::string> Fault(const Json& found, const Json& now) const override {
    if (Identity(now).empty() || Identity(now) != Identity(found)) return std::nullopt;
    return Label() + " is still there";
  }
};

}  // namespace

std::unique_ptr<Verifier> VerifyCreateDatabase(sql::CreateTarget target) {
  return std::make_unique<CreateVerifier>(kDatabase, Values{target.name, target.owner});
}

std::unique_ptr<Verifier> VerifyDropDatabase(std::string name) {
  return std::make_unique<DropVerifier>(kDatabase, Values{std::move(name), std::nullopt});
}

std::unique_ptr<Verifier> VerifyCreateTablespace(sql::CreateTarget target) {
  return std::make_unique<CreateVerifier>(kTablespace,
                                          Values{target.name, target.owner, target.location});
}

std::unique_ptr<Verifier> VerifyDropTablespace(std::string name) {
  return std::make_unique<DropVerifier>(kTablespace,
                                        Values{std::move(name), std::nullopt, std::nullopt});
}

std::unique_ptr<Verifier> VerifyCreateSubscription(sql::SubscriptionTarget target) {
  return std::make_unique<CreateVerifier>(kSubscription,
                                          Values{target.name, Json(target.publications).dump()});
}

std::unique_ptr<Verifier> VerifyDropSubscription(std::string name) {
  return std::make_unique<DropVerifier>(kSubscription, Values{std::move(name), std::nullopt});
}

std::unique_ptr<Verifier> VerifyEndPrepared(std::string identifier) {
  return std::make_unique<DropVerifier>(kPrepared, Values{std::move(identifier)});
}

std::unique_ptr<Verifier> VerifyCreateSlot(std::string name, std::optional<std::string> plugin) {
  return std::make_unique<CreateVerifier>(kSlot, Values{std::move(name), std::move(plugin)});
}

std::unique_ptr<Verifier> VerifyDistributeTable(std::string table) {
  return std::make_unique<CreateVerifier>(kDistribution, Values{std::move(table)});
}

}  // namespace whimbrel::engine
