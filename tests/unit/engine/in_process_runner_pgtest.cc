#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "support/eventually.h"
#include "unit/engine/run_fixture.h"
#include "whimbrel/engine/in_process_runner.h"

namespace whimbrel::engine {
namespace {

using whimbrel::testing::Eventually;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;

class InProcessRunnerTest : public ::testing::Test {
 protected:
  std::string StartSleeping(report::Runner& runner, const PgTarget& target) {
    report::RunRequest request = RequestFor(target, {{"001_sleep.sql", "SELECT pg_sleep(600);\n"}});
    const std::string id = request.run_id;
    EXPECT_TRUE(runner.Start(std::move(request)).has_value());
    return id;
  }
  static report::Progress::Phase PhaseOf(const report::Runner& runner, const std::string& id) {
    return runner.Observe(id)->progress.phase;
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
};

TEST_F(InProcessRunnerTest, TellsWhenARunHasEnded) {
  std::mutex mutex;
  std::set<std::string> told;
  auto runner = NewInProcessRunner({});
  runner->SetListener([&](const std::string& id) {
    std::lock_guard lock(mutex);
    told.insert(id);
  });
  report::RunRequest request = RequestFor(database_, {{"001_a.sql", "CREATE TABLE a ();\n"}});
  const std::string id = request.run_id;
  ASSERT_TRUE(runner->Start(request).has_value());
  EXPECT_EQ(runner->Start(request).error().kind, ErrorKind::kAlreadyExists);
  ASSERT_TRUE(Eventually([&] { return runner->Observe(id)->report.has_value(); }));
  EXPECT_TRUE(runner->Observe(id)->report->succeeded);
  EXPECT_TRUE(Eventually([&] {
    std::lock_guard lock(mutex);
    return told.contains(id);
  }));
  runner->Forget(id);
  EXPECT_FALSE(runner->Observe(id).has_value());
}

TEST_F(InProcessRunnerTest, CancelsARun) {
  auto runner = NewInProcessRunner({});
  const std::string id = StartSleeping(*runner, database_);
  ASSERT_TRUE(
      Eventually([&] { return PhaseOf(*runner, id) == report::Progress::Phase::kMigrating; }));
  runner->Cancel(id);
  ASSERT_TRUE(Eventually([&] { return runner->Observe(id)->report.has_value(); }));
  EXPECT_EQ(runner->Observe(id)->report->failure->reason, report::Reason::kCancelled);
}

TEST_F(InProcessRunnerTest, ForgetsARunThatHasNotEnded) {
  auto runner = NewInProcessRunner({});
  const std::string id = StartSleeping(*runner, database_);
  runner->Forget(id);
  EXPECT_TRUE(Eventually([&] { return !runner->Observe(id).has_value(); }));
}

TEST_F(InProcessRunnerTest, RollsBackWhatRunsWhenItGoes) {
  PgClient sql(database_);
  {
    auto runner = NewInProcessRunner({});
    const std::string id = StartSleeping(*runner, database_);
    ASSERT_TRUE(
        Eventually([&] { return PhaseOf(*runner, id) == report::Progress::Phase::kMigrating; }));
  }
  EXPECT_TRUE(Eventually([&] {
    return sql.Scalar(
               "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'whimbrel/%' AND "
               "datname = "
               "current_database()") == "0";
  }));
  EXPECT_EQ(sql.Scalar("SELECT count(*) FROM whimbrel.whimbrel_migration"), "0");
}

TEST_F(InProcessRunnerTest, LetsOnlySoManyExecuteSqlAtOnce) {
  auto runner = NewInProcessRunner({.max_concurrent_migrations = 1});
  const std::string first = StartSleeping(*runner, database_);
  ASSERT_TRUE(
      Eventually([&] { return PhaseOf(*runner, first) == report::Progress::Phase::kMigrating; }));
  const std::string second = StartSleeping(*runner, SharedPostgres().CreateDatabase());
  ASSERT_TRUE(Eventually(
      [&] { return PhaseOf(*runner, second) == report::Progress::Phase::kWaitingForSlot; }));
  runner->Cancel(first);
  EXPECT_TRUE(
      Eventually([&] { return PhaseOf(*runner, second) == report::Progress::Phase::kMigrating; }));
}

TEST_F(InProcessRunnerTest, GivesNoSlotToARunThatWaitsForALock) {
  auto runner = NewInProcessRunner({.max_concurrent_migrations = 2});
  const std::string first = StartSleeping(*runner, database_);
  ASSERT_TRUE(
      Eventually([&] { return PhaseOf(*runner, first) == report::Progress::Phase::kMigrating; }));
  const std::string waits = StartSleeping(*runner, database_);
  ASSERT_TRUE(Eventually(
      [&] { return PhaseOf(*runner, waits) == report::Progress::Phase::kWaitingForLock; }));
  EXPECT_THAT(runner->Observe(waits)->progress.detail,
              ::testing::HasSubstr("whimbrel/" + first.substr(0, 8)));
  const std::string healthy = StartSleeping(*runner, SharedPostgres().CreateDatabase());
  EXPECT_TRUE(
      Eventually([&] { return PhaseOf(*runner, healthy) == report::Progress::Phase::kMigrating; }));
}

}  // namespace
}  // namespace whimbrel::engine
