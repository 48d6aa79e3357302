#include "whimbrel/postgres/connection_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace whimbrel::postgres {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kCanary = "canary-0815";

SecretMap MakeSecret(std::initializer_list<std::pair<const char*, std::string>> entries) {
  SecretMap secret;
  for (const auto& [key, value] : entries) secret.emplace(key, Secret(value));
  return secret;
}

SecretMap WholeSecret() {
  return MakeSecret({{"host", "db.shop"},
                     {"port", "6432"},
                     {"dbname", "orders"},
                     {"username", "app"},
                     {"password", std::string(kCanary)}});
}

Result<ConnectionParameters> FromUri(const std::string& uri) {
  return ParametersFromSecret(MakeSecret({{"uri", uri}}), {}, Trust::kCluster);
}

TEST(ParametersFromSecretTest, TakesTheKeysOneByOne) {
  const auto parameters = ParametersFromSecret(WholeSecret(), {}, Trust::kCluster);
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_EQ(parameters->values.at("host"), "db.shop");
  EXPECT_EQ(parameters->values.at("port"), "6432");
  EXPECT_EQ(parameters->values.at("dbname"), "orders");
  EXPECT_EQ(parameters->values.at("user"), "app");
  EXPECT_EQ(parameters->password.Reveal(), kCanary);
  EXPECT_FALSE(parameters->values.contains("password"));
  EXPECT_EQ(parameters->Describe(), "app@db.shop:6432/orders");
}

TEST(ParametersFromSecretTest, KeysMayHaveOtherNames) {
  const SecretMap secret =
      MakeSecret({{"h", "db"}, {"d", "orders"}, {"u", "app"}, {"pw", "x"}, {"host", "ignored"}});
  const SecretKeyNames keys{
      .host = "h", .port = "p", .dbname = "d", .username = "u", .password = "pw"};
  const auto parameters = ParametersFromSecret(secret, keys, Trust::kCluster);
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_EQ(parameters->Describe(), "app@db:5432/orders");
}

TEST(ParametersFromSecretTest, AMissingKeyIsNamedAndMayAppearLater) {
  for (const char* key : {"host", "dbname", "username", "password"}) {
    SecretMap secret = WholeSecret();
    secret.erase(key);
    const auto parameters = ParametersFromSecret(secret, {}, Trust::kCluster);
    ASSERT_FALSE(parameters) << key;
    EXPECT_EQ(parameters.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(parameters.error().message, HasSubstr('"' + std::string(key) + '"'));
    EXPECT_THAT(parameters.error().message, Not(HasSubstr(kCanary)));
  }
}

TEST(ParametersFromSecretTest, APersonsOwnMachineMayKeepThePasswordElsewhere) {
  SecretMap secret = WholeSecret();
  secret.erase("password");
  EXPECT_TRUE(ParametersFromSecret(secret, {}, Trust::kLocal));
}

TEST(ParametersFromSecretTest, ThePortIsFiveFourThreeTwoUnlessNamed) {
  SecretMap secret = WholeSecret();
  secret.erase("port");
  EXPECT_EQ(ParametersFromSecret(secret, {}, Trust::kCluster)->values.at("port"), "5432");
}

TEST(ParametersFromSecretTest, ALineBreakAtTheEndOfAValueIsDropped) {
  const SecretMap secret = MakeSecret({{"host", "db\n"},
                                       {"port", "5433\r\n"},
                                       {"dbname", "orders\n"},
                                       {"username", "app\n"},
                                       {"password", "pw\n"}});
  const auto parameters = ParametersFromSecret(secret, {}, Trust::kCluster);
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_EQ(parameters->Describe(), "app@db:5433/orders");
  EXPECT_EQ(parameters->password.Reveal(), "pw");
  EXPECT_EQ(FromUri("postgresql://app:pw@db/orders\n")->Describe(), "app@db:5432/orders");
}

TEST(ParametersFromUriTest, TheUriGoesBeforeTheKeys) {
  SecretMap secret = WholeSecret();
  secret.emplace("uri", Secret("postgresql://u:p@h:1/d"));
  EXPECT_EQ(ParametersFromSecret(secret, {}, Trust::kCluster)->Describe(), "u@h:1/d");
}

TEST(ParametersFromUriTest, WhatIsAllowedIsTaken) {
  const auto parameters = FromUri(
      "postgres://app:p%40%2Fss@db:5433/orders?sslmode=require&target_session_attrs=read-write"
      "&connect_timeout=3&channel_binding=prefer");
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_EQ(parameters->password.Reveal(), "p@/ss");
  EXPECT_EQ(parameters->values.at("sslmode"), "require");
  EXPECT_EQ(parameters->values.at("target_session_attrs"), "read-write");
  EXPECT_EQ(parameters->values.at("connect_timeout"), "3");
  EXPECT_EQ(parameters->values.at("channel_binding"), "prefer");
}

TEST(ParametersFromUriTest, SeveralHostsAreAllowed) {
  const auto parameters = FromUri("postgresql://app:x@a:1,b:2,[::1]:3/d");
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_EQ(parameters->Describe(), "app@a:1,b:2,[::1]:3/d");
}

TEST(ParametersFromUriTest, KeywordsAndValuesAreReadToo) {
  const auto parameters = FromUri("host=db user=app password='p w' dbname=d");
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_EQ(parameters->password.Reveal(), "p w");
}

TEST(ParametersFromUriTest, WhatWeSetOurselvesIsIgnored) {
  const auto parameters =
      FromUri("postgresql://app:x@db/d?application_name=shop&client_encoding=LATIN1&keepalives=0");
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_FALSE(parameters->values.contains("application_name"));
  EXPECT_FALSE(parameters->values.contains("client_encoding"));
  EXPECT_FALSE(parameters->values.contains("keepalives"));
}

TEST(ParametersFromUriTest, ARefusedOptionIsNamedAndItsValueIsNot) {
  for (const char* option :
       {"options", "service", "passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl",
        "sslpassword", "hostaddr", "krbsrvname", "gsslib", "requirepeer", "replication"}) {
    const auto parameters =
        FromUri("postgresql://app:x@db/d?" + std::string(option) + "=" + std::string(kCanary));
    ASSERT_FALSE(parameters) << option;
    EXPECT_EQ(parameters.error().kind, ErrorKind::kInvalidArgument) << option;
    EXPECT_THAT(parameters.error().message, HasSubstr('"' + std::string(option) + '"'));
    EXPECT_THAT(parameters.error().message, HasSubstr("key \"uri\""));
    EXPECT_THAT(parameters.error().message, Not(HasSubstr(kCanary)));
  }
}

struct BadCase {
  const char* description;
  std::string uri;
  const char* expected;
};

TEST(ParametersFromUriTest, BadInputSaysWhatToDoAndShowsNoPartOfIt) {
  const std::string canary(kCanary);
  const BadCase cases[] = {
      {"a Unix socket", "postgresql://app:" + canary + "@%2Fvar%2Frun/d", "Unix socket"},
      {"an abstract socket", "postgresql://app:" + canary + "@%40x/d", "Unix socket"},
      {"a socket among hosts", "postgresql://app:" + canary + "@db,%2Ftmp/d", "Unix socket"},
      {"an empty host among hosts", "postgresql://app:" + canary + "@db,,e/d", "Unix socket"},
      {"no host", "postgresql://app:" + canary + "@/d", "no host"},
      {"no user", "postgresql://:" + canary + "@db/d", "no user"},
      {"no database", "postgresql://app:" + canary + "@db", "no database"},
      {"a port out of range", "postgresql://app:" + canary + "@db:70000/d", "65535"},
      {"a bad percent code", "postgresql://app:" + canary + "%zz@db/d", "percent-encoded"},
      {"an unknown option", "postgresql://app:x@db/d?sslMode_=x&schema=" + canary,
       "\"schema\", which libpq does not know"},
      {"a password with a question mark and an at", "postgresql://app:x?" + canary + "=a@b@db/d",
       "percent-encoded"},
      {"a password with an at", "postgresql://app:x@" + canary + "@db/d", "percent-encoded"},
      {"a password with a slash", "postgresql://app:" + canary + "/x@db/d", "percent-encoded"},
      {"a password with a digit and a slash", "postgresql://app:1/" + canary + "@db/d",
       "percent-encoded"},
      {"a JDBC URL", "jdbc:postgresql://db/d?user=app&password=" + canary, "JDBC"},
      {"another kind of URL", "mysql://app:" + canary + "@db/d", "another kind"},
      {"a plain word", canary, "neither a connection URI"},
      {"a stray word among keywords", "host=db password=x " + canary + "=y", "neither"},
      {"nothing", "", "empty"},
      {"a NUL byte", std::string("postgresql://app:") + canary + '\0' + "@db/d", "NUL"},
  };
  for (const BadCase& c : cases) {
    const auto parameters = FromUri(c.uri);
    ASSERT_FALSE(parameters) << c.description;
    EXPECT_EQ(parameters.error().kind, ErrorKind::kInvalidArgument) << c.description;
    EXPECT_THAT(parameters.error().message, HasSubstr(c.expected)) << c.description;
    EXPECT_THAT(parameters.error().message, Not(HasSubstr(kCanary))) << c.description;
  }
}

TEST(ParametersFromSecretTest, TheKeysAreHeldToTheSameRules) {
  for (const auto& [key, value, expected] :
       {std::tuple{"host", std::string("/var/run/postgresql"), "Unix socket"},
        std::tuple{"port", std::string("5432x"), "65535"},
        std::tuple{"username", std::string("\n"), "no user"},
        std::tuple{"dbname", std::string("a\0b", 3), "NUL"}}) {
    SecretMap secret = WholeSecret();
    secret[key] = Secret(value);
    const auto parameters = ParametersFromSecret(secret, {}, Trust::kCluster);
    ASSERT_FALSE(parameters) << key;
    EXPECT_EQ(parameters.error().kind, ErrorKind::kInvalidArgument) << key;
    EXPECT_THAT(parameters.error().message, HasSubstr(expected)) << key;
  }
}

TEST(ParametersFromSecretTest, ADatabaseNameThatLooksLikeAConnectionStringIsAName) {
  SecretMap secret = WholeSecret();
  secret["dbname"] = Secret("host=evil dbname=x");
  const auto parameters = ParametersFromSecret(secret, {}, Trust::kCluster);
  ASSERT_TRUE(parameters);
  EXPECT_EQ(parameters->values.at("host"), "db.shop");
}

TEST(LocalParametersTest, EverythingThatLibpqUnderstandsIsTaken) {
  const auto parameters = ParametersFromConninfo(
      Secret("postgresql:///d?host=/tmp&options=-c%20geqo%3Doff&user=me&password=pw"),
      Trust::kLocal);
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_EQ(parameters->values.at("host"), "/tmp");
  EXPECT_EQ(parameters->values.at("options"), "-c geqo=off");
  EXPECT_EQ(parameters->password.Reveal(), "pw");
}

/// Sets variables of this process for one test. gtest runs the tests of a binary one after another.
class LibpqEnvironmentTest : public testing::Test {
 protected:
  void SetUp() override {
    ClearLibpqEnvironment();
    setenv("PGHOST", "env-host", 1);
    setenv("PGUSER", "env-user", 1);
    setenv("PGPASSWORD", "env-password", 1);
    setenv("PGDATABASE", "env-db", 1);
    setenv("PGOPTIONS", "-c geqo=off", 1);
    setenv("PGSERVICEFILE", "/nonexistent", 1);
  }
  void TearDown() override { ClearLibpqEnvironment(); }
};

TEST_F(LibpqEnvironmentTest, CountsOnAPersonsMachine) {
  const ConnectionParameters parameters = ParametersFromEnvironment();
  EXPECT_EQ(parameters.Describe(), "env-user@env-host:5432/env-db");
  EXPECT_EQ(parameters.password.Reveal(), "env-password");
  EXPECT_FALSE(parameters.values.contains("password"));

  const auto mixed = ParametersFromConninfo(Secret("host=h port=1"), Trust::kLocal);
  ASSERT_TRUE(mixed);
  EXPECT_EQ(mixed->Describe(), "env-user@h:1/env-db");
}

TEST_F(LibpqEnvironmentTest, HasNoEffectOnATenant) {
  const auto parameters = FromUri("postgresql://u:p@h/d");
  ASSERT_TRUE(parameters);
  EXPECT_FALSE(parameters->values.contains("options"));
  EXPECT_EQ(FromUri("postgresql://:p@/d").error().message.find("env-"), std::string::npos);
}

TEST_F(LibpqEnvironmentTest, IsGoneOnceCleared) {
  ClearLibpqEnvironment();
  for (const char* variable : {"PGHOST", "PGUSER", "PGPASSWORD", "PGOPTIONS", "PGSERVICEFILE"}) {
    EXPECT_EQ(std::getenv(variable), nullptr) << variable;
  }
}

}  // namespace
}  // namespace whimbrel::postgres
