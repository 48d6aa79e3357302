#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include "engine/run.h"
#include "support/eventually.h"
#include "unit/engine/run_fixture.h"
#include "whimbrel/history/ledger.h"
#include "whimbrel/postgres/advisory_lock.h"
#include "whimbrel/postgres/session.h"

namespace whimbrel::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using whimbrel::testing::Eventually;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;

/// One COPY whose data comes when the test says so.
class CopyStream final : public postgres::StatementStream {
 public:
  Result<std::optional<postgres::StreamStatement>> Next() override {
    if (std::exchange(sent_, true)) return std::nullopt;
    return postgres::StreamStatement{
        .text = "COPY t FROM stdin", .barrier_before = true, .copy_from_stdin = true};
  }
  Result<std::string_view> NextCopyData() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || pieces_ > 0; });
    if (ended_) return std::string_view();
    --pieces_;
    return piece_;
  }
  void OnStandardConformingStrings(bool /*on*/) override {}

  void Feed() {
    const std::lock_guard lock(mutex_);
    ++pieces_;
    changed_.notify_all();
  }
  void End() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

 private:
  bool sent_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  int pieces_ = 0;
  bool ended_ = false;
  /// More than the server reads at once, so that it counts each piece.
  const std::string piece_ = std::string(256 * 1024 - 1, 'x') + "\n";
};

/// A predecessor that holds the migration lock, and a successor with little patience.
class FrozenRun : public ::testing::Test {
 protected:
  FrozenRun() { Execute(RequestFor(database_, {{"001_a.sql", "CREATE TABLE t (line text);\n"}})); }

  postgres::Connection Predecessor(const std::string& name = "whimbrel/0a1b2c3d/shop/orders") {
    postgres::ConnectionParameters parameters;
    parameters.values = {{"host", database_.host},
                         {"port", std::to_string(database_.port)},
                         {"user", database_.user},
                         {"dbname", database_.dbname}};
    parameters.password = Secret(database_.password);
    auto opened = postgres::Connection::Open(parameters, {.application_name = name, .limits = {}});
    if (!opened) throw std::runtime_error(opened.error().ToString());
    // The backend of the run before may still be about to end, and has the lock until then.
    const std::int64_t key = history::SetLockKey(database_.dbname, "whimbrel", "default");
    const auto locked = [&] {
      const auto taken = postgres::TryAdvisoryLock(*opened, key);
      return taken && *taken;
    };
    if (!Eventually(locked)) throw std::runtime_error("the migration lock is held by another");
    return *std::move(opened);
  }

  /// Runs the next file; gives up waiting after `budget`.
  report::RunReport Succeed(std::chrono::seconds budget, Pace pace = Hurry(),
                            const std::string& run_id = NewUuid()) {
    report::RunRequest request =
        RequestFor(database_, {{"001_a.sql", "CREATE TABLE t (line text);\n"},
                               {"002_b.sql", "CREATE TABLE after_all ();\n"}});
    request.run_id = run_id;
    request.execution.lock_budget = budget;
    SlotPool slots(1);
    RunContext context{.request = request,
                       .limits = {},
                       .clock = Clock::System(),
                       .random = Random::System(),
                       .slots = slots,
                       .progress = ProgressReporter([](const auto&) {}, Clock::System()),
                       .pace = pace};
    return engine::Run(context).Execute();
  }

  static Pace Hurry() {
    Pace pace;
    pace.frozen_waited = std::chrono::milliseconds(1500);
    pace.frozen_quiet = std::chrono::seconds(1);
    return pace;
  }

  int SessionsOf(const std::string& run) {
    return std::stoi(
        sql_.Scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                    "application_name LIKE 'whimbrel/" +
                    run + "/%'"));
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
};

std::vector<std::string> Ended(const report::RunReport& report) {
  std::vector<std::string> messages;
  for (const report::Notice& notice : report.notices) {
    if (notice.kind == report::Notice::Kind::kFrozenRunEnded) messages.push_back(notice.message);
  }
  return messages;
}

TEST_F(FrozenRun, EndsEverySessionOfAPredecessorThatIsIdleInATransaction) {
  postgres::Connection frozen = Predecessor();
  ASSERT_TRUE(frozen.Execute("BEGIN; INSERT INTO t VALUES ('half')"));
  PgClient second(database_);
  second.Exec("SET application_name = 'whimbrel/0a1b2c3d/shop/orders'");
  PgClient other(database_);
  other.Exec("SET application_name = 'whimbrel/ffffffff/shop/orders'");
  const report::RunReport report = Succeed(std::chrono::seconds(60));
  EXPECT_EQ(Ending(report), "Succeeded 002");
  ASSERT_THAT(Ended(report), ::testing::SizeIs(1));
  EXPECT_THAT(Ended(report)[0],
              HasSubstr("ended 2 sessions of the frozen run 0a1b2c3d, which held the migration "
                        "lock: pid " +
                        std::to_string(frozen.backend_pid()) +
                        " (whimbrel/0a1b2c3d/shop/orders, idle in transaction for "));
  EXPECT_EQ(SessionsOf("0a1b2c3d"), 0);
  EXPECT_EQ(SessionsOf("ffffffff"), 1);
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM t"), "0");
}

TEST_F(FrozenRun, EndsOneThatIsIdle) {
  postgres::Connection frozen = Predecessor();
  EXPECT_EQ(Ending(Succeed(std::chrono::seconds(60))), "Succeeded 002");
  EXPECT_EQ(SessionsOf("0a1b2c3d"), 0);
}

TEST_F(FrozenRun, EndsOneWhoseCopyNobodyFeeds) {
  postgres::Connection frozen = Predecessor();
  CopyStream stream;
  auto copy = std::async(std::launch::async, [&] { return frozen.Run(stream).has_value(); });
  stream.Feed();
  const report::RunReport report = Succeed(std::chrono::seconds(60));
  EXPECT_EQ(Ending(report), "Succeeded 002");
  EXPECT_THAT(Ended(report), ::testing::ElementsAre(HasSubstr("active for ")));
  stream.End();
  EXPECT_FALSE(copy.get());
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM t"), "0");
}

TEST_F(FrozenRun, EndsAtOnceWhatALostConnectionOfItsOwnLeftInTheServer) {
  const std::string run_id = NewUuid();
  postgres::Connection lost = Predecessor(postgres::ApplicationName(run_id, "test", "run"));
  ASSERT_TRUE(lost.Execute("BEGIN; INSERT INTO t VALUES ('half')"));
  const report::RunReport report = Succeed(std::chrono::seconds(30), Pace{}, run_id);
  EXPECT_EQ(Ending(report), "Succeeded 002");
  EXPECT_THAT(Ended(report), IsEmpty());
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM t"), "0");
}

TEST_F(FrozenRun, LeavesACopyThatGetsOnAlone) {
  postgres::Connection slow = Predecessor();
  CopyStream stream;
  auto copy = std::async(std::launch::async, [&] { return slow.Run(stream).has_value(); });
  std::jthread feeder([&](const std::stop_token& stop) {
    while (Clock::System().SleepFor(std::chrono::milliseconds(100), stop)) stream.Feed();
  });
  const report::RunReport report = Succeed(std::chrono::seconds(5));
  EXPECT_EQ(Ending(report), "WaitingForLock  transient uncounted");
  EXPECT_THAT(Ended(report), IsEmpty());
  feeder.request_stop();
  stream.End();
  EXPECT_TRUE(copy.get());
}

TEST_F(FrozenRun, LeavesALongStatementAlone) {
  postgres::Connection busy = Predecessor();
  auto statement = std::async(std::launch::async,
                              [&] { return busy.Execute("SELECT pg_sleep(6)").has_value(); });
  EXPECT_EQ(Ending(Succeed(std::chrono::seconds(4))), "WaitingForLock  transient uncounted");
  EXPECT_TRUE(statement.get());
}

TEST_F(FrozenRun, LeavesSomebodyElsesSessionAlone) {
  postgres::Connection person = Predecessor("psql");
  const report::RunReport report = Succeed(std::chrono::seconds(3));
  EXPECT_EQ(Ending(report), "WaitingForLock  transient uncounted");
  EXPECT_THAT(report.failure->message, HasSubstr("(psql, idle for "));
  EXPECT_GT(report.lock_wait.count(), 0);
  EXPECT_TRUE(person.Execute("SELECT 1"));
}

}  // namespace
}  // namespace whimbrel::engine
