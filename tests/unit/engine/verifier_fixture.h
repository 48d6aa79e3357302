#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "unit/engine/verification_text.h"
#include "unit/postgres/pg_fixture.h"

namespace whimbrel::engine {

/// Brings about what the death of a session leaves, and lets verifiers look at it.
class VerifierFixture : public postgres::PgTest {
 protected:
  /// What the catalog says to the verifier, within a transaction that has to be none the worse.
  std::string Find(const Verifier& verifier) {
    Execute("BEGIN");
    const auto state = verifier.Find(connection_);
    if (!state) throw std::runtime_error(state.error().ToString());
    EXPECT_EQ(connection_.transaction_status(), postgres::TransactionStatus::kInTransaction);
    Execute("SELECT 1");
    Execute("COMMIT");
    return *state;
  }
  std::string Find(const std::string& statement) { return Find(*VerifierOf(statement)); }

  /// What there is to do about a statement of which `found` was known at the first intent.
  std::string Judge(const std::string& statement, const std::string& found) {
    const auto verifier = VerifierOf(statement);
    return ToText(verifier->Judge(found, Find(*verifier)));
  }

  /// Does what Judge says; then what Confirm says, which is nothing when all is well.
  std::string CarryOut(const std::string& statement, const std::string& found) {
    const auto verifier = VerifierOf(statement);
    const Verification verification = verifier->Judge(found, Find(*verifier));
    if (verification.verdict != Verification::Verdict::kRun) return ToText(verification);
    for (const std::string& before : verification.before) Execute(before);
    Execute(verification.instead.empty() ? statement : verification.instead);
    return verifier->Confirm(found, Find(*verifier)).value_or("");
  }

  /// Runs a statement until it waits for the transaction of `blocker`, then ends its session.
  void Interrupt(const std::string& statement, const std::string& blocker) {
    testing::PgClient holder(target_);
    holder.Exec("BEGIN; " + blocker);
    testing::PgClient victim(target_);
    if (!setup_.empty()) victim.Exec(setup_);
    const std::string pid = std::to_string(victim.backend_pid());
    auto ending =
        std::async(std::launch::async, [&] { static_cast<void>(victim.SqlstateOf(statement)); });
    EXPECT_TRUE(testing::Eventually([&] {
      return observer_.Scalar("SELECT wait_event_type FROM pg_stat_activity WHERE pid = " + pid) ==
             "Lock";
    })) << statement;
    observer_.Exec("SELECT pg_terminate_backend(" + pid + ")");
    ending.get();
    EXPECT_TRUE(testing::Eventually([&] { return !BackendLives(victim.backend_pid()); }));
  }

  void Execute(const std::string& sql) {
    const auto done = connection_.Execute(sql);
    if (!done) throw std::runtime_error(sql + ": " + done.error().ToString());
  }

  /// Statements for the session under test and for those that are interrupted: the file's own
  /// settings.
  void SetUpSessions(const std::string& sql) {
    setup_ = sql;
    Execute(sql);
  }

  postgres::Connection connection_ = Open();

 private:
  std::string setup_;
};

}  // namespace whimbrel::engine
