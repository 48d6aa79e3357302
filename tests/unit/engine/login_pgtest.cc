#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "support/eventually.h"
#include "unit/engine/run_fixture.h"

namespace whimbrel::engine {
namespace {

using whimbrel::testing::Eventually;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;

/// A Secret that somebody rotates.
class MountedLogin {
 public:
  explicit MountedLogin(SecretMap values) : values_(std::move(values)) {}

  void SetPassword(const std::string& password) {
    const std::lock_guard lock(mutex_);
    values_["password"] = Secret(password);
  }
  Result<report::Login> Read() {
    const std::lock_guard lock(mutex_);
    return report::Login{.credentials = values_};
  }

 private:
  std::mutex mutex_;
  SecretMap values_;
};

class LoginTest : public ::testing::Test {
 protected:
  LoginTest() {
    sql_.Exec("CREATE ROLE " + role_ + " LOGIN PASSWORD 'first'");
    sql_.Exec("GRANT ALL ON DATABASE " + database_.dbname + " TO " + role_);
    sql_.Exec("GRANT ALL ON SCHEMA public TO " + role_);
  }

  report::RunRequest Request(const Files& files) {
    return RequestFor(database_.WithUser(role_, "first"), files);
  }
  [[nodiscard]] std::string BackendsOf(const std::string& what) {
    return sql_.Scalar("SELECT count(" + what + ") FROM pg_stat_activity WHERE usename = '" +
                       role_ + "' AND query LIKE '%pg_sleep%' AND state = 'active'");
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
  const std::string role_ = "login_" + database_.dbname;  // Roles belong to the whole server.
};

TEST_F(LoginTest, AConnectionThatIsLostComesBackWithThePasswordOfThatTime) {
  report::RunRequest request =
      Request({{"001_slow.sql",
                "SELECT pg_sleep(3600) WHERE to_regclass('public.rotated') IS NULL;\n"
                "CREATE TABLE done (id int);\n"}});
  MountedLogin login(request.database.credentials);
  request.database.credentials.clear();
  request.database.login_now = [&] { return login.Read(); };

  report::RunReport report;
  std::jthread run([&] { report = Execute(request); });
  ASSERT_TRUE(Eventually([&] { return BackendsOf("*") == "1"; }));
  sql_.Exec("ALTER ROLE " + role_ + " PASSWORD 'second'");
  sql_.Exec("CREATE TABLE public.rotated ()");
  login.SetPassword("second");
  EXPECT_EQ(BackendsOf("pg_terminate_backend(pid)"), "1");
  run.join();

  EXPECT_EQ(Ending(report), "Succeeded 001") << report.failure.value_or(report::Failure()).message;
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM done"), "0");
}

TEST_F(LoginTest, TheSessionThatWatchesKnowsTheNewPassword) {
  report::RunRequest request =
      Request({{"001_blocked.sql", "ALTER TABLE busy ADD COLUMN id int;\n"}});
  MountedLogin login(request.database.credentials);
  request.database.login_now = [&] { return login.Read(); };
  request.execution.lock_timeout = std::chrono::seconds(50);
  sql_.Exec("CREATE TABLE busy ()");
  sql_.Exec("ALTER TABLE busy OWNER TO " + role_);
  PgClient holder(database_);
  holder.Exec("BEGIN; LOCK TABLE busy");

  bool rotated = false;
  const report::RunReport report = RunNow(request, {}, [&](const report::Progress& progress) {
    if (progress.phase == report::Progress::Phase::kMigrating && !rotated) {
      rotated = true;
      sql_.Exec("ALTER ROLE " + role_ + " PASSWORD 'second'");
      login.SetPassword("second");
    }
    if (progress.activity.find("held by") != std::string::npos) holder.Exec("ROLLBACK");
  });
  EXPECT_EQ(Ending(report), "Succeeded 001");
  EXPECT_EQ(report.notices.size(), 1U) << "nobody saw who held the lock";
}

TEST_F(LoginTest, ALoginThatCannotBeReadHasAReason) {
  const struct {
    ErrorKind kind;
    const char* ending;
  } cases[] = {
      {ErrorKind::kNotFound, "SecretNotFound  transient uncounted"},
      {ErrorKind::kInvalidArgument, "InvalidSpec "},
      {ErrorKind::kPermissionDenied, "InternalError "},
      {ErrorKind::kUnavailable, "Retrying  transient"},
  };
  for (const auto& c : cases) {
    report::RunRequest request = Request({{"001_a.sql", "SELECT 1;\n"}});
    request.database.login_now = [&]() -> Result<report::Login> {
      return Fail(c.kind, "Secret shop/login: no");
    };
    const report::RunReport report = Execute(request);
    EXPECT_EQ(Ending(report), c.ending);
    EXPECT_EQ(report.failure.value_or(report::Failure()).message, "Secret shop/login: no");
  }
}

}  // namespace
}  // namespace whimbrel::engine
