#include <string>
#include <utility>

#include "engine/verifier_families.h"
#include "engine/verifier_json.h"

namespace whimbrel::engine {
namespace {

/// What has the view's name ($1) in its schema ($2; without one, the schema in which the server
/// creates), and where TimescaleDB's procedures are.
constexpr std::string_view kStateQuery =
    "SELECT pg_catalog.jsonb_build_object('view', (SELECT pg_catalog.jsonb_build_object("
    "'schema', n.nspname, 'name', c.relname) FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = "
    "$1::pg_catalog.name AND n.nspname = coalesce($2::pg_catalog.name, "
    "pg_catalog.current_schema())), 'procedures', (SELECT n.nspname FROM pg_catalog.pg_proc p "
    "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace "
    "WHERE p.proname = 'refresh_continuous_aggregate' AND p.prokind = 'p' "
    "ORDER BY n.oid = (SELECT extnamespace FROM pg_catalog.pg_extension "
    "WHERE extname = 'timescaledb') DESC NULLS LAST LIMIT 1))::pg_catalog.text";

/// TimescaleDB makes the view in one transaction and fills it in others. What is there may be
/// empty: filling it again does no harm.
class ContinuousAggregateVerifier final : public JsonVerifier {
 public:
  explicit ContinuousAggregateVerifier(sql::ObjectName view) : view_(std::move(view)) {}

  postgres::PgResult<std::string> Find(postgres::Connection& connection) const override {
    const std::optional<std::string> schema = view_.schema();
    return ReadJson(
        connection, kStateQuery,
        {view_.base(), schema.has_value() ? postgres::Parameter(*schema) : std::nullopt});
  }

 protected:
  Verification Decide(const Json& found, const Json& now) const override {
    const Json& view = PartOf(now, "view");
    if (view.is_null()) return {};
    if (!PartOf(found, "view").is_null()) {
      return Refuse("the relation " + QuotedName(view) + " was there before this migration began",
                    "drop it, if nobody needs it, or, if it is the same view, write IF NOT EXISTS "
                    "and the line `-- whimbrel: idempotent` before the statement");
    }
    const std::string schema = TextOf(now, "procedures");
    return {.instead = "CALL " + (schema.empty() ? "" : postgres::QuoteIdentifier(schema) + ".") +
                       "refresh_continuous_aggregate(" + postgres::QuoteLiteral(QuotedName(view)) +
                       ", NULL, NULL)"};
  }

  std::optional<std::string> Fault(const Json& /*found*/, const Json& now) const override {
    if (!PartOf(now, "view").is_null()) return std::nullopt;
    return "the view " + Quoted(view_) + " is not there";
  }

 private:
  sql::ObjectName view_;
};

}  // namespace

std::unique_ptr<Verifier> VerifyContinuousAggregate(sql::MaterializedViewTarget target) {
  return std::make_unique<ContinuousAggregateVerifier>(std::move(target.name));
}

}  // namespace whimbrel::engine
