#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/verifier.h"
#include "whimbrel/sql/statement_target.h"

namespace whimbrel::engine {

using Json = nlohmann::json;

/// A verifier that works on what its Find() wrote. What the journal holds may come from an older
/// release or a restored database, so anything may be missing from it: the functions below read
/// that as nothing.
class JsonVerifier : public Verifier {
 public:
  [[nodiscard]] Verification Judge(std::string_view found, std::string_view now) const final;
  [[nodiscard]] std::optional<std::string> Confirm(std::string_view found,
                                                   std::string_view now) const final;
  [[nodiscard]] std::vector<std::string> AfterFailure(std::string_view found,
                                                      std::string_view now) const final;
  [[nodiscard]] bool IsSameObject(std::string_view found, std::string_view now) const final;

 protected:
  [[nodiscard]] virtual Verification Decide(const Json& found, const Json& now) const = 0;
  [[nodiscard]] virtual std::optional<std::string> Fault(const Json& found,
                                                         const Json& now) const = 0;
  [[nodiscard]] virtual bool SameObject(const Json& /*found*/, const Json& /*now*/) const {
    return false;
  }
  [[nodiscard]] virtual std::vector<std::string> Clearance(const Json& /*found*/,
                                                           const Json& /*now*/) const {
    return {};
  }
};

/// The only value that a query gives, which is JSON; names in it are up to the query.
postgres::PgResult<std::string> ReadJson(postgres::Connection& connection, std::string_view query,
                                         std::initializer_list<postgres::Parameter> parameters);

/// "" where there is no such text.
[[nodiscard]] std::string TextOf(const Json& object, std::string_view key);
[[nodiscard]] bool IsTrue(const Json& object, std::string_view key);
/// The object or list of that key; null where there is none.
[[nodiscard]] const Json& PartOf(const Json& object, std::string_view key);
[[nodiscard]] const Json& FirstOf(const Json& list);
/// The member of a list whose `key` is that text; null where there is none.
[[nodiscard]] const Json& FindBy(const Json& list, std::string_view key, std::string_view text);

[[nodiscard]] Verification Done();
[[nodiscard]] Verification Refuse(std::string message, std::string hint);

/// `"s"."t"`, as to_regclass() and statements read it.
[[nodiscard]] std::string Quoted(const sql::ObjectName& name);
/// Of the keys `schema` and `name`.
[[nodiscard]] std::string QuotedName(const Json& object);

}  // namespace whimbrel::engine
