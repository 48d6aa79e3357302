#include <string>
#include <utility>
#include <vector>

#include "engine/index_copy.h"
#include "engine/verifier_families.h"
#include "engine/verifier_json.h"

namespace whimbrel::engine {
namespace {

using postgres::PgResult;

constexpr std::string_view kTable =
    "SELECT c.oid::pg_catalog.text, n.oid::pg_catalog.text, n.nspname, c.relname FROM "
    "pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.oid = pg_catalog.to_regclass($1)";

/// What has the index's name ($2) in the table's schema ($1); without a name, all indexes of the
/// table ($3).
constexpr std::string_view kCandidates =
    "SELECT c.oid::pg_catalog.text, c.relname, c.relkind IN ('i', 'I'), "
    "i.indrelid::pg_catalog.text, "
    "coalesce(i.indisvalid, false) FROM pg_catalog.pg_class c "
    "LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid "
    "WHERE c.relnamespace = $1::pg_catalog.oid AND (c.relname = $2::pg_catalog.name OR "
    "$2::pg_catalog.name IS NULL AND i.indrelid = $3::pg_catalog.oid)";

std::string Drop(const Json& index, bool concurrently) {
  return std::string("DROP INDEX ") + (concurrently ? "CONCURRENTLY " : "") + "IF EXISTS " +
         QuotedName(index);
}

/// A server that is interrupted, or fails, in the middle leaves an invalid index, which IF NOT
/// EXISTS would take for the wanted one (reference/reliability.md §0.6). The index has its table's
/// schema.
class CreateIndexVerifier : public JsonVerifier {
 public:
  CreateIndexVerifier(sql::CreateIndexTarget target, bool concurrently)
      : target_(std::move(target)), concurrently_(concurrently) {}

  PgResult<std::string> Find(postgres::Connection& connection) const override {
    const auto table = connection.Query(kTable, {Quoted(target_.table)});
    if (!table) return tl::make_unexpected(table.error());
    if (table->empty()) return std::string("{}");
    const postgres::Rows::Row& its = (*table)[0];
    const auto name = target_.name.has_value() ? postgres::Parameter(*target_.name) : std::nullopt;
    const auto rows = connection.Query(kCandidates, {*its[1], name, *its[0]});
    if (!rows) return tl::make_unexpected(rows.error());
    Json state = {{"table", *its[0]}, {"indexes", Json::array()}};
    if (target_.name) state["name"] = *target_.name;
    std::vector<std::string> comparable;
    for (const postgres::Rows::Row& row : *rows) {
      const bool same_table = row[3] == its[0];
      if (same_table) comparable.push_back(*row[0]);
      state["indexes"].push_back({{"oid", *row[0]},
                                  {"schema", *its[2]},
                                  {"name", *row[1]},
                                  {"is_index", row[2] == "t"},
                                  {"same_table", same_table},
                                  {"valid", row[4] == "t"}});
    }
    if (!comparable.empty()) {
      const std::string qualified = Quoted({{*its[2], *its[3]}});
      const auto comparison = CompareIndexes(connection, target_, qualified, comparable);
      if (!comparison) return tl::make_unexpected(comparison.error());
      AddComparison(*comparison, state);
    }
    return state.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

 protected:
  [[nodiscard]] const sql::CreateIndexTarget& target() const { return target_; }
  [[nodiscard]] bool concurrently() const { return concurrently_; }

  static Verification RefuseUncompared(const Json& index, const Json& now) {
    const std::string why = TextOf(now, "not_compared");
    const std::string name = QuotedName(index);
    return Refuse(
        why.empty() ? "the index " + name + " is there, and is not what the statement makes"
                    : "the index " + name +
                          " is there, and could not be compared with the statement: " + why,
        (why.empty() ? "drop it"
                     : "compare it with the statement: if it is the same index, write IF NOT "
                       "EXISTS and the line `-- whimbrel: idempotent` before; else drop it") +
            std::string(": ") + Drop(index, true));
  }

 private:
  static void AddComparison(const IndexComparison& comparison, Json& state) {
    if (!comparison.failure.empty()) state["not_compared"] = comparison.failure;
    for (Json& index : state["indexes"]) {
      const auto equal = comparison.equal.find(TextOf(index, "oid"));
      if (equal != comparison.equal.end()) index["equal"] = equal->second;
    }
  }

  sql::CreateIndexTarget target_;
  bool concurrently_;
};

class CreateNamedIndexVerifier final : public CreateIndexVerifier {
 public:
  using CreateIndexVerifier::CreateIndexVerifier;

 protected:
  bool SameObject(const Json& found, const Json& now) const override {
    return !TextOf(found, "name").empty() && TextOf(found, "name") == TextOf(now, "name") &&
           TextOf(found, "table") == TextOf(now, "table");
  }

  Verification Decide(const Json& found, const Json& now) const override {
    const Json& index = TheIndex(now);
    if (index.is_null()) return {};
    const bool was_there = !TheIndex(found).is_null();
    const std::string name = QuotedName(index);
    if (!IsTrue(index, "same_table")) {
      return Refuse(name + " is there already, and is " +
                        (IsTrue(index, "is_index") ? "an index of another table" : "no index"),
                    "give the index another name, or rename what has it");
    }
    if (!IsTrue(index, "valid") && !was_there) return {.before = {Drop(index, concurrently())}};
    if (!IsTrue(index, "valid")) {
      return Refuse("the index " + name +
                        " is invalid, and was there before this migration began: an earlier build "
                        "of it failed or is still running",
                    "when nobody is building it, drop it: " + Drop(index, true));
    }
    if (was_there && !target().if_not_exists) {
      return Refuse("the index " + name + " was there before this migration began",
                    "drop it, give the new one another name, or, if an equal one will do, write "
                    "IF NOT EXISTS");
    }
    return IsTrue(index, "equal") ? Done() : RefuseUncompared(index, now);
  }

  std::optional<std::string> Fault(const Json& /*found*/, const Json& now) const override {
    const Json& index = TheIndex(now);
    if (!IsTrue(index, "same_table")) return "the index is not there";
    if (IsTrue(index, "valid")) return std::nullopt;
    return "the index " + QuotedName(index) + " is invalid";
  }

  std::vector<std::string> Clearance(const Json& found, const Json& now) const override {
    const Json& index = TheIndex(now);
    const bool ours = TheIndex(found).is_null() && IsTrue(index, "same_table");
    if (!ours || IsTrue(index, "valid")) return {};
    return {Drop(index, concurrently())};
  }

 private:
  static const Json& TheIndex(const Json& state) { return FirstOf(PartOf(state, "indexes")); }
};

/// The server chooses the name, so the index is known by what it is: one that is equal, and was not
/// there at the first intent. REINDEX CONCURRENTLY gives an index another OID, and keeps its name.
class CreateUnnamedIndexVerifier final : public CreateIndexVerifier {
 public:
  using CreateIndexVerifier::CreateIndexVerifier;

 protected:
  Verification Decide(const Json& found, const Json& now) const override {
    const std::vector<const Json*> added = Added(found, now);
    if (!added.empty() && !TextOf(now, "not_compared").empty())
      return RefuseUncompared(*added.front(), now);
    for (const Json* index : added) {
      if (IsTrue(*index, "equal") && IsTrue(*index, "valid")) return Done();
    }
    return {.before = Clearance(found, now)};
  }

  std::optional<std::string> Fault(const Json& found, const Json& now) const override {
    const bool compared = TextOf(now, "not_compared").empty();
    for (const Json* index : Added(found, now)) {
      if (IsTrue(*index, "valid") && (IsTrue(*index, "equal") || !compared)) return std::nullopt;
    }
    return "the table has no new index that is valid and as the statement makes it";
  }

  std::vector<std::string> Clearance(const Json& found, const Json& now) const override {
    std::vector<std::string> drops;
    for (const Json* index : Added(found, now)) {
      if (IsTrue(*index, "equal") && !IsTrue(*index, "valid"))
        drops.push_back(Drop(*index, concurrently()));
    }
    return drops;
  }

 private:
  static std::vector<const Json*> Added(const Json& found, const Json& now) {
    const Json& before = PartOf(found, "indexes");
    std::vector<const Json*> added;
    for (const Json& index : PartOf(now, "indexes")) {
      const bool known = !FindBy(before, "oid", TextOf(index, "oid")).is_null() ||
                         !FindBy(before, "name", TextOf(index, "name")).is_null();
      if (!known) added.push_back(&index);
    }
    return added;
  }
};

/// What has the name in each schema that the server would look in, in its order.
constexpr std::string_view kNamesakes =
    "SELECT pg_catalog.jsonb_build_object('indexes', (SELECT pg_catalog.jsonb_agg("
    "pg_catalog.jsonb_build_object('oid', c.oid::pg_catalog.text, 'schema', n.nspname, 'name', "
    "c.relname, "
    "'definition', pg_catalog.pg_get_indexdef(c.oid)) ORDER BY "
    "pg_catalog.array_position(pg_catalog.current_schemas(true), n.nspname)) "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relname = $1::pg_catalog.name AND CASE WHEN $2::pg_catalog.name IS NULL "
    "THEN n.nspname = ANY (pg_catalog.current_schemas(true)) "
    "ELSE n.nspname = $2::pg_catalog.name END))::pg_catalog.text";

/// The server marks the index invalid, waits, marks it dead, waits, and drops it: dropping it again
/// finishes the work. Once it is gone, its name may stand for an index of another schema.
class DropIndexVerifier final : public JsonVerifier {
 public:
  explicit DropIndexVerifier(sql::ObjectName index) : index_(std::move(index)) {}

  PgResult<std::string> Find(postgres::Connection& connection) const override {
    const std::optional<std::string> schema = index_.schema();
    return ReadJson(
        connection, kNamesakes,
        {index_.base(), schema.has_value() ? postgres::Parameter(*schema) : std::nullopt});
  }

 protected:
  Verification Decide(const Json& found, const Json& now) const override {
    const Json& before = First(found);
    if (before.is_null()) return {};
    const Json& index = SameSchema(before, now);
    if (index.is_null()) return Done();
    const bool same = TextOf(index, "oid") == TextOf(before, "oid") ||
                      TextOf(index, "definition") == TextOf(before, "definition");
    if (!same) {
      return Refuse(
          "the index " + QuotedName(index) + " is not the one that was there when this step began",
          "drop it, if it is to be dropped, or rename it: " + Drop(index, true));
    }
    if (&index == &First(now)) return {};
    return {.instead = Drop(index, true)};
  }

  std::optional<std::string> Fault(const Json& found, const Json& now) const override {
    const Json& before = First(found);
    if (before.is_null() || SameSchema(before, now).is_null()) return std::nullopt;
    return "the index " + QuotedName(before) + " is still there";
  }

 private:
  static const Json& First(const Json& state) { return FirstOf(PartOf(state, "indexes")); }
  static const Json& SameSchema(const Json& index, const Json& state) {
    return FindBy(PartOf(state, "indexes"), "schema", TextOf(index, "schema"));
  }

  sql::ObjectName index_;
};

}  // namespace

std::unique_ptr<Verifier> VerifyCreateIndex(sql::CreateIndexTarget target, bool concurrently) {
  if (target.name.has_value())
    return std::make_unique<CreateNamedIndexVerifier>(std::move(target), concurrently);
  return std::make_unique<CreateUnnamedIndexVerifier>(std::move(target), concurrently);
}

std::unique_ptr<Verifier> VerifyDropIndex(sql::ObjectName index) {
  return std::make_unique<DropIndexVerifier>(std::move(index));
}

}  // namespace whimbrel::engine
