#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/postgres/connection.h"
#include "whimbrel/sql/statement_facts.h"

namespace whimbrel::engine {

/// What is to be done about a statement that cannot be part of a transaction.
struct Verification {
  enum class Verdict {
    kRun,
    kDone,    ///< An earlier attempt did it.
    kRefuse,  ///< Neither running it nor counting it as done would be right.
  };
  Verdict verdict = Verdict::kRun;
  /// kRun: statements that clear away what an interrupted attempt left; each alone, outside of a
  /// transaction, before the statement.
  std::vector<std::string> before;
  /// kRun: what finishes the work in place of the statement; empty: the statement itself.
  std::string instead;
  std::string message;  ///< kRefuse: what was found, as a sentence.
  std::string hint;     ///< kRefuse: what to do.
};

/// Knows by the catalog whether one statement that cannot be rolled back has been done (design §3,
/// Verifier). The answer of the statement is lost when somebody dies; the catalog is not.
class Verifier {
 public:
  virtual ~Verifier() = default;

  /// What the catalog says now about the object of the statement, as JSON. Read inside a
  /// transaction that has the file's own search_path and role, which it leaves as it found it. What
  /// was read in the transaction of the *first* intent is stored in whimbrel_journal.found and
  /// never overwritten.
  virtual postgres::PgResult<std::string> Find(postgres::Connection& connection) const = 0;

  /// Before the statement is sent, also for the first time (`now` is then `found`). Pure.
  [[nodiscard]] virtual Verification Judge(std::string_view found, std::string_view now) const = 0;

  /// After the server said that the statement, or `instead`, was done: what is wrong nevertheless;
  /// nullopt: nothing. Pure.
  [[nodiscard]] virtual std::optional<std::string> Confirm(std::string_view found,
                                                           std::string_view now) const = 0;

  /// Whether `found`, recorded for an earlier text of the step, is about the very object of this
  /// statement: then it still tells what was there before Whimbrel came. Pure.
  [[nodiscard]] virtual bool IsSameObject(std::string_view /*found*/,
                                          std::string_view /*now*/) const {
    return false;
  }

  /// After the statement failed for good: statements, each alone, that clear away what it left (an
  /// invalid index). `now` was read after the failure. Pure.
  [[nodiscard]] virtual std::vector<std::string> AfterFailure(std::string_view /*found*/,
                                                              std::string_view /*now*/) const {
    return {};
  }
};

/// The verifier for a statement of table (a) (sql::NonTransactional), or of one that is such a
/// statement where its table is partitioned. With `idempotent` there is one for every statement: it
/// runs what cannot be verified and what would be refused, and still confirms what it can.
/// kInvalidArgument, without a position: this statement can neither be verified nor repeated, and
/// the message names the directive that would allow it; or it is DISCARD ALL, which nothing allows.
[[nodiscard]] Result<std::unique_ptr<Verifier>> MakeVerifier(std::string_view statement,
                                                             const sql::StatementFacts& facts,
                                                             bool standard_conforming_strings,
                                                             bool idempotent);

}  // namespace whimbrel::engine
