#include <string>
#include <utility>
#include <vector>

#include "engine/verifier_families.h"
#include "engine/verifier_json.h"

namespace whimbrel::engine {
namespace {

using sql::ReindexKind;

/// Which tables are touched; $1 is the name. Partitions and TOAST tables are added to them.
std::string_view TablesOf(ReindexKind kind) {
  switch (kind) {
    case ReindexKind::kIndex:
      return "c.oid IN (SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = "
             "pg_catalog.to_regclass($1) OR indexrelid IN (SELECT relid FROM "
             "pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))))";
    case ReindexKind::kTable:
      return "c.oid = pg_catalog.to_regclass($1) OR c.oid IN (SELECT relid FROM "
             "pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)))";
    case ReindexKind::kSchema:
      return "c.relnamespace = pg_catalog.to_regnamespace($1)";
    case ReindexKind::kDatabase:
    case ReindexKind::kSystem:
      break;
  }
  return "$1::pg_catalog.text IS NOT NULL";
}

/// What an interrupted REINDEX CONCURRENTLY leaves: invalid indexes with names of its own, the new
/// ones that were not finished and the old ones that were not dropped (ReindexRelationConcurrently,
/// src/backend/commands/indexcmds.c; the same from PostgreSQL 12 to 18).
std::string StateQuery(ReindexKind kind) {
  return "WITH tables AS (SELECT c.oid, c.reltoastrelid FROM pg_catalog.pg_class c WHERE " +
         std::string(TablesOf(kind)) +
         ") SELECT pg_catalog.jsonb_build_object('valid', "
         "(SELECT indisvalid FROM pg_catalog.pg_index "
         "WHERE indexrelid = pg_catalog.to_regclass($2)), 'leftovers', "
         "(SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('oid', "
         "x.oid::pg_catalog.text, "
         "'schema', n.nspname, 'name', x.relname)) FROM pg_catalog.pg_index i "
         "JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
         "JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace "
         "WHERE NOT i.indisvalid AND x.relname ~ '_cc(new|old)[0-9]*$' AND i.indrelid IN "
         "(SELECT oid FROM tables UNION ALL SELECT reltoastrelid FROM tables)))::pg_catalog.text";
}

class ReindexVerifier final : public JsonVerifier {
 public:
  ReindexVerifier(ReindexKind kind, std::string name)
      : kind_(kind), name_(std::move(name)), query_(StateQuery(kind)) {}

  postgres::PgResult<std::string> Find(postgres::Connection& connection) const override {
    const bool index = kind_ == ReindexKind::kIndex;
    return ReadJson(connection, query_, {name_, index ? postgres::Parameter(name_) : std::nullopt});
  }

 protected:
  Verification Decide(const Json& found, const Json& now) const override {
    return {.before = Clearance(found, now)};
  }

  std::optional<std::string> Fault(const Json& found, const Json& now) const override {
    if (kind_ == ReindexKind::kIndex && !IsTrue(now, "valid"))
      return "the index " + name_ + " is invalid";
    // In a whole schema or database, what others build at this moment may be among them.
    if (kind_ != ReindexKind::kIndex && kind_ != ReindexKind::kTable) return std::nullopt;
    const std::vector<const Json*> left = Leftovers(found, now);
    if (left.empty()) return std::nullopt;
    return "REINDEX CONCURRENTLY has left the invalid index " + QuotedName(*left.front());
  }

  std::vector<std::string> Clearance(const Json& found, const Json& now) const override {
    std::vector<std::string> drops;
    for (const Json* index : Leftovers(found, now))
      drops.push_back("DROP INDEX CONCURRENTLY IF EXISTS " + QuotedName(*index));
    return drops;
  }

 private:
  /// Those that were not there at the first intent: they are ours.
  static std::vector<const Json*> Leftovers(const Json& found, const Json& now) {
    std::vector<const Json*> ours;
    for (const Json& index : PartOf(now, "leftovers")) {
      const Json& before = FindBy(PartOf(found, "leftovers"), "oid", TextOf(index, "oid"));
      if (before.is_null()) ours.push_back(&index);
    }
    return ours;
  }

  ReindexKind kind_;
  std::string name_;  ///< Quoted.
  std::string query_;
};

}  // namespace

std::unique_ptr<Verifier> VerifyReindexConcurrently(sql::ReindexTarget target) {
  const bool needs_name =
      target.kind != ReindexKind::kDatabase && target.kind != ReindexKind::kSystem;
  if (needs_name && !target.name.has_value()) return nullptr;
  return std::make_unique<ReindexVerifier>(target.kind,
                                           needs_name ? Quoted(*target.name) : std::string());
}

}  // namespace whimbrel::engine
