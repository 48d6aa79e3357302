#include "kube/exec_credential.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/eventually.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"
#include "test_certificates.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Eventually;
using testing::FakeClock;
using testing::ReadFile;
using testing::TempDir;

constexpr const char* kV1 = "client.authentication.k8s.io/v1";

std::string Answer(const json& status, const std::string& version = kV1) {
  return json{{"apiVersion", version}, {"kind", "ExecCredential"}, {"status", status}}.dump();
}

TEST(ExecCredentialTest, ReadsATokenWithItsEnd) {
  const auto credential = ParseExecCredential(
      Answer({{"token", "t"}, {"expirationTimestamp", "2026-11-21T10:00:00Z"}}), kV1);
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->token.Reveal(), "t");
  EXPECT_EQ(FormatRfc3339(*credential->expires_at), "2026-11-21T10:00:00Z");
}

TEST(ExecCredentialTest, SaysWhatIsWrongAndShowsNoSecret) {
  const struct {
    std::string text;
    const char* expected;
  } cases[] = {
      {"hunter2", "no JSON object"},
      {R"({"kind":"Status","token":"hunter2"})", "no ExecCredential"},
      {Answer({{"token", "hunter2"}}, "client.authentication.k8s.io/v1beta1"),
       "not of the apiVersion client.authentication.k8s.io/v1 "},
      {R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"})",
       "has no status"},
      {Answer(json::object()), "neither a token nor a client certificate"},
      {Answer({{"clientKeyData", "hunter2"}}), "but not both"},
      {Answer({{"token", "hunter2"}, {"expirationTimestamp", "hunter2"}}), "no time of RFC 3339"},
  };
  for (const auto& test : cases) {
    const auto credential = ParseExecCredential(test.text, kV1);
    ASSERT_FALSE(credential) << test.text;
    EXPECT_NE(credential.error().message.find(test.expected), std::string::npos)
        << credential.error().message;
    EXPECT_EQ(credential.error().message.find("hunter2"), std::string::npos)
        << credential.error().message;
  }
}

ExecPlugin Plugin(const std::string& script) {
  return {.api_version = kV1,
          .command = "sh",
          .arguments = {"-c", script, "the-plugin", "an argument"},
          .environment = {{"ACCOUNT", "me"}},
          .interactive = ExecPlugin::Interactive::kNever};
}

TEST(ExecCredentialTest, TheProgramGetsItsArgumentsItsVariablesAndWhatItIsAskedFor) {
  const TempDir folder;
  ExecPlugin plugin =
      Plugin("printf '%s' \"$KUBERNETES_EXEC_INFO\" > " + (folder / "info").string() +
             "; printf '%s' '" + Answer({{"token", "@"}}) + "' | sed \"s/@/$ACCOUNT $1/\"");
  plugin.cluster_json = R"({"server":"https://h"})";
  const auto credential = RunExecPlugin(plugin, {});
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->token.Reveal(), "me an argument");
  EXPECT_EQ(json::parse(ReadFile(folder / "info")),
            (json{{"apiVersion", kV1},
                  {"kind", "ExecCredential"},
                  {"spec", {{"interactive", false}, {"cluster", {{"server", "https://h"}}}}}}));
}

TEST(ExecCredentialTest, AFailureNamesTheProgramAndWhatItSaid) {
  const auto failed =
      RunExecPlugin(Plugin("echo 'log in first, token=hunter2' >&2; echo hunter2; exit 4"), {});
  ASSERT_FALSE(failed);
  const std::string& error = failed.error().message;
  EXPECT_NE(
      error.find("the credential plug-in sh of the kubeconfig failed: it ended with exit code "
                 "4: log in first"),
      std::string::npos)
      << error;
  EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
}

TEST(ExecCredentialTest, AProgramThatIsNotThereComesWithTheHint) {
  ExecPlugin plugin = Plugin("");
  plugin.command = "whimbrel-no-such-plugin";
  plugin.install_hint = "install it with apt";
  const auto failed = RunExecPlugin(plugin, {});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("whimbrel-no-such-plugin"), std::string::npos);
  EXPECT_TRUE(failed.error().message.ends_with("; install it with apt")) << failed.error().message;
}

class ExecCredentialSourceTest : public ::testing::Test {
 protected:
  std::string Token() {
    const auto token = source_.Get({});
    return token ? std::string(token->value.Reveal()) : "error: " + token.error().message;
  }

  FakeClock clock_;
  std::unique_ptr<TlsSource> tls_ =
      TlsSource::Create({.server_name = "h"}, {}, nullptr, clock_).value();
  std::atomic<int> runs_ = 0;
  std::function<Result<ExecCredential>(int run)> plugin_ = [](int run) -> Result<ExecCredential> {
    return ExecCredential{.token = Secret("token-" + std::to_string(run))};
  };
  ExecCredentialSource source_{[this](std::stop_token) { return plugin_(++runs_); }, *tls_, clock_};
};

TEST_F(ExecCredentialSourceTest, ACredentialWithoutAnEndServesUntilItIsRefused) {
  EXPECT_EQ(Token(), "token-1");
  clock_.Advance(minutes(600));
  EXPECT_EQ(Token(), "token-1");
  const BearerToken first = *source_.Get({});
  source_.Refused(first);
  EXPECT_EQ(Token(), "token-2");
  source_.Refused(first);  // By a request that was under way.
  EXPECT_EQ(Token(), "token-2");
}

TEST_F(ExecCredentialSourceTest, ACredentialServesUntilItsEnd) {
  plugin_ = [this](int run) -> Result<ExecCredential> {
    return ExecCredential{.token = Secret("token-" + std::to_string(run)),
                          .expires_at = clock_.SystemNow() + minutes(15)};
  };
  EXPECT_EQ(Token(), "token-1");
  clock_.Advance(minutes(15) - seconds(1));
  EXPECT_EQ(Token(), "token-1");
  clock_.Advance(seconds(1));
  EXPECT_EQ(Token(), "token-2");
}

TEST_F(ExecCredentialSourceTest, AFailureStandsForTwoSeconds) {
  plugin_ = [](int) -> Result<ExecCredential> {
    return Fail(ErrorKind::kUnauthenticated, "log in first");
  };
  EXPECT_EQ(Token(), "error: log in first");
  EXPECT_EQ(Token(), "error: log in first");
  EXPECT_EQ(runs_, 1);
  clock_.Advance(seconds(2));
  plugin_ = [](int) -> Result<ExecCredential> { return ExecCredential{.token = Secret("t")}; };
  EXPECT_EQ(Token(), "t");
}

TEST_F(ExecCredentialSourceTest, ManyCallersStartThePlugInOnce) {
  std::promise<void> go_on;
  plugin_ = [finished = go_on.get_future().share()](int) -> Result<ExecCredential> {
    finished.wait();
    return ExecCredential{.token = Secret("t")};
  };
  std::vector<std::future<std::string>> callers;
  for (int i = 0; i < 8; ++i) {
    callers.push_back(std::async(std::launch::async, [this] { return Token(); }));
  }
  ASSERT_TRUE(Eventually([&] { return runs_ == 1; }));
  go_on.set_value();
  for (auto& caller : callers) EXPECT_EQ(caller.get(), "t");
  EXPECT_EQ(runs_, 1);
}

TEST_F(ExecCredentialSourceTest, WhoWaitsForAnothersRunCanBeStopped) {
  std::promise<void> go_on;
  plugin_ = [finished = go_on.get_future().share()](int) -> Result<ExecCredential> {
    finished.wait();
    return ExecCredential{.token = Secret("t")};
  };
  auto first = std::async(std::launch::async, [this] { return Token(); });
  ASSERT_TRUE(Eventually([&] { return runs_ == 1; }));
  std::stop_source stop;
  auto second =
      std::async(std::launch::async, [&] { return source_.Get(stop.get_token()).has_value(); });
  stop.request_stop();
  EXPECT_FALSE(second.get());
  go_on.set_value();
  EXPECT_EQ(first.get(), "t");
}

TEST_F(ExecCredentialSourceTest, AClientCertificateIsForNewConnections) {
  const TestIdentity one = MakeCertificate({.common_name = "one"});
  const TestIdentity two = MakeCertificate({.common_name = "two"});
  const auto before = tls_->Current();
  plugin_ = [&](int) -> Result<ExecCredential> {
    return ExecCredential{.certificate_pem = one.CertificatePem(), .key_pem = Secret(one.KeyPem())};
  };
  EXPECT_EQ(Token(), "");
  EXPECT_NE(tls_->Current(), before);
  plugin_ = [&](int) -> Result<ExecCredential> {
    return ExecCredential{.certificate_pem = two.CertificatePem(), .key_pem = Secret(one.KeyPem())};
  };
  source_.Refused(*source_.Get({}));
  EXPECT_NE(Token().find("does not belong to the client certificate"), std::string::npos);
}

}  // namespace
}  // namespace whimbrel::kube
