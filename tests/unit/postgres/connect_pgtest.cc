#include "support/free_port.h"
#include "support/tcp_proxy.h"
#include "unit/postgres/pg_fixture.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConnectTest : public PgTest {
 protected:
  static PgError Refused(const ConnectionParameters& parameters,
                         const ConnectOptions& options = {}) {
    auto connection = Connection::Open(parameters, options);
    if (connection) {
      ADD_FAILURE() << "connected to " << parameters.Describe();
      return {};
    }
    EXPECT_TRUE(connection.error().connecting);
    EXPECT_FALSE(connection.error().connection_usable);
    EXPECT_FALSE(connection.error().outcome_unknown);
    return connection.error();
  }
};

TEST_F(ConnectTest, AnOpenSessionTellsWhatItIs) {
  Connection connection = Open();
  EXPECT_TRUE(connection.usable());
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kIdle);
  EXPECT_GE(connection.server_version(), 130000);
  EXPECT_TRUE(connection.standard_conforming_strings());
  EXPECT_EQ(connection.ParameterStatus("client_encoding"), "UTF8");
  EXPECT_EQ(observer_.Scalar("SELECT application_name FROM pg_stat_activity WHERE pid = " +
                             std::to_string(connection.backend_pid())),
            "whimbrel/test");
}

TEST_F(ConnectTest, AWrongPasswordIsKnownByItsSqlState) {
  ConnectionParameters parameters = ParametersOf(target_);
  parameters.password = Secret("canary-0815");
  const PgError error = Refused(parameters);
  EXPECT_EQ(error.sql_state, kInvalidPassword);
  EXPECT_EQ(Judge(error), Verdict::kPermanent);
  EXPECT_THAT(error.message, HasSubstr("password authentication failed"));
  EXPECT_THAT(error.message, Not(HasSubstr("canary")));
  EXPECT_THAT(error.message, Not(HasSubstr("LOCATION")));
}

TEST_F(ConnectTest, NoPasswordForAServerThatAsksForOneIsAWrongPassword) {
  ConnectionParameters parameters = ParametersOf(target_);
  parameters.password = Secret();
  EXPECT_EQ(Refused(parameters).sql_state, kInvalidPassword);
}

TEST_F(ConnectTest, AMissingDatabaseIsKnownByItsSqlState) {
  EXPECT_EQ(Refused(ParametersOf(target_.WithDatabase("nowhere"))).sql_state, kInvalidCatalogName);
}

TEST_F(ConnectTest, ARoleThatMayNotLogInIsKnownByItsSqlState) {
  const std::string role = CreateRole("NOLOGIN");
  const PgError error = Refused(ParametersOf(target_.WithUser(role, "x")));
  EXPECT_EQ(error.sql_state, kInvalidAuthorization);
}

TEST_F(ConnectTest, NoSlotLeftIsTransient) {
  const std::string role = CreateRole("LOGIN CONNECTION LIMIT 0");
  const PgError error = Refused(ParametersOf(target_.WithUser(role, "x")));
  EXPECT_EQ(error.sql_state, "53300");
  EXPECT_EQ(Judge(error), Verdict::kTransient);
}

TEST_F(ConnectTest, ARefusedConnectionIsTransientAndSaysWhere) {
  const testing::FreePort port;
  const PgError error = Refused(ParametersOf(target_.WithPort(port.number())));
  EXPECT_EQ(error.sql_state, "");
  EXPECT_EQ(Judge(error), Verdict::kTransient);
  EXPECT_THAT(error.message, HasSubstr("refused"));
  EXPECT_THAT(error.message, HasSubstr(std::to_string(port.number())));
}

TEST_F(ConnectTest, AnUnknownHostIsNamed) {
  ConnectionParameters parameters = ParametersOf(target_);
  parameters.values["host"] = "no-such-host.invalid";
  const PgError error = Refused(parameters);
  EXPECT_THAT(error.message, HasSubstr("no-such-host.invalid"));
  EXPECT_EQ(Judge(error), Verdict::kTransient);
  EXPECT_EQ(error.interruption, Interruption::kNone);
}

TEST_F(ConnectTest, AHostNameIsResolved) {
  ConnectionParameters parameters = ParametersOf(target_);
  parameters.values["host"] = "localhost";
  EXPECT_TRUE(Connection::Open(parameters, {}));
}

TEST_F(ConnectTest, AUnixSocketServesAPersonsOwnMachine) {
  ConnectionParameters parameters = ParametersOf(target_);
  parameters.trust = Trust::kLocal;
  parameters.values["host"] = testing::SharedPostgres().socket_folder();
  EXPECT_TRUE(Connection::Open(parameters, {}));
}

TEST_F(ConnectTest, TheNextHostIsTriedWhenOneCannotBeReached) {
  const testing::FreePort port;
  ConnectionParameters parameters = ParametersOf(target_);
  parameters.values["host"] = "no-such-host.invalid,127.0.0.1,127.0.0.1";
  parameters.values["port"] =
      "1," + std::to_string(port.number()) + "," + std::to_string(target_.port);
  EXPECT_TRUE(Connection::Open(parameters, {}));
}

TEST_F(ConnectTest, AHostThatDoesNotAnswerLeavesTimeForTheNext) {
  testing::TcpProxy proxy(target_.port);
  proxy.BlackHole();
  ConnectionParameters parameters = ParametersOf(target_);
  parameters.values["host"] = "127.0.0.1,127.0.0.1";
  parameters.values["port"] = std::to_string(proxy.port()) + "," + std::to_string(target_.port);
  ConnectOptions options;
  options.timeout = std::chrono::seconds(2);
  EXPECT_TRUE(Connection::Open(parameters, options));
}

TEST_F(ConnectTest, AServerThatRefusesTheLoginEndsTheSearch) {
  ConnectionParameters parameters = ParametersOf(target_.WithDatabase("nowhere"));
  testing::TcpProxy second(target_.port);
  parameters.values["host"] = "127.0.0.1,127.0.0.1";
  parameters.values["port"] = std::to_string(target_.port) + "," + std::to_string(second.port());
  EXPECT_EQ(Refused(parameters).sql_state, kInvalidCatalogName);
  EXPECT_EQ(second.accepted(), 0);
}

TEST_F(ConnectTest, AsManyPortsAsHosts) {
  ConnectionParameters parameters = ParametersOf(target_);
  parameters.values["host"] = "a,b";
  parameters.values["port"] = "1,2,3";
  EXPECT_THAT(Refused(parameters).message, HasSubstr("2 hosts but 3 ports"));
}

TEST_F(ConnectTest, TheTimeoutEndsATryThatGetsNoAnswer) {
  testing::TcpProxy proxy(target_.port);
  proxy.BlackHole();
  ConnectOptions options;
  options.timeout = std::chrono::seconds(1);
  const PgError error = Refused(ParametersOf(target_.WithPort(proxy.port())), options);
  EXPECT_EQ(error.interruption, Interruption::kNone);
  EXPECT_EQ(Judge(error), Verdict::kTransient);
  EXPECT_THAT(error.message, HasSubstr("no answer in time"));
}

TEST_F(ConnectTest, TheUsersConnectTimeoutShortensTheTry) {
  testing::TcpProxy proxy(target_.port);
  proxy.BlackHole();
  ConnectionParameters parameters = ParametersOf(target_.WithPort(proxy.port()));
  parameters.values["connect_timeout"] = "1";
  ConnectOptions options;
  options.timeout = std::chrono::hours(1);
  EXPECT_THAT(Refused(parameters, options).message, HasSubstr("no answer in time"));
}

TEST_F(ConnectTest, TheDeadlineOfTheLimitsIsTold) {
  testing::TcpProxy proxy(target_.port);
  proxy.BlackHole();
  ConnectOptions options;
  options.limits.deadline = FromNow(std::chrono::milliseconds(50));
  EXPECT_EQ(Refused(ParametersOf(target_.WithPort(proxy.port())), options).interruption,
            Interruption::kDeadlineReached);
}

TEST_F(ConnectTest, AStopEndsConnectingAtOnce) {
  testing::TcpProxy proxy(target_.port);
  std::stop_source stop;
  proxy.OnRequest([&](std::string_view) {
    proxy.BlackHole();
    stop.request_stop();
  });
  ConnectOptions options;
  options.timeout = std::chrono::hours(1);
  options.limits.stop = stop.get_token();
  EXPECT_EQ(Refused(ParametersOf(target_.WithPort(proxy.port())), options).interruption,
            Interruption::kStopRequested);
}

TEST_F(ConnectTest, AStopOfLongAgoEndsConnectingBeforeItBegins) {
  testing::TcpProxy proxy(target_.port);
  std::stop_source stop;
  stop.request_stop();
  ConnectOptions options;
  options.limits.stop = stop.get_token();
  EXPECT_EQ(Refused(ParametersOf(target_.WithPort(proxy.port())), options).interruption,
            Interruption::kStopRequested);
  EXPECT_EQ(proxy.accepted(), 0);
}

TEST_F(ConnectTest, ADatabaseNameThatLooksLikeAConnectionStringIsAName) {
  const std::string name = "dbname=postgres user=" + target_.dbname;
  observer_.Exec("CREATE DATABASE " + QuoteIdentifier(name));
  Connection connection = OpenAt(target_.WithDatabase(name));
  EXPECT_EQ(*(*connection.Execute("SELECT current_database()"))[0][0], name);
}

}  // namespace
}  // namespace whimbrel::postgres
