#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/deploy/installation.h"

namespace whimbrel::deploy {
namespace {

using nlohmann::json;
using testing::ApplyRefusal;
using testing::CreateRefusal;
using ::testing::HasSubstr;
using testing::InstalledServer;
using testing::kDeploy;
using whimbrel::testing::ApiServer;
using whimbrel::testing::Eventually;
using whimbrel::testing::ProcessResult;

constexpr const char* kAuthor = "author";
constexpr const char* kRule = "must be allowed to get each Secret that it names";

/// A server of its own: the policy would be in the way of the other tests.
class AuthorsPolicyTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<ApiServer>();
    ASSERT_EQ(ApplyRefusal(*server_, kDeploy / "install.yaml"), "");
    ASSERT_EQ(ApplyRefusal(*server_, kDeploy / "optional/authors-need-secrets.yaml"), "");
    server_->AwaitEstablished("databasemigrations.whimbrel.dev");
    Grant("databasemigrations.whimbrel.dev", "create,get,patch", {});
    Grant("secrets", "get", {"mine", "my-ca", "my-client", "my-registry"});
    ASSERT_TRUE(Eventually([] { return Refusal(R"({"secretRef": {"name": "other"}})") != ""; }));
  }
  static void TearDownTestSuite() { server_.reset(); }

  static void Grant(const std::string& resource, const std::string& verbs,
                    const std::vector<std::string>& names) {
    const std::string role = "author-" + resource;
    std::vector<std::string> create = {"create", "role", role, "--resource=" + resource,
                                       "--verb=" + verbs};
    for (const std::string& name : names) create.push_back("--resource-name=" + name);
    server_->MustKubectl(std::move(create));
    server_->MustKubectl(
        {"create", "rolebinding", role, "--role=" + role, std::string("--user=") + kAuthor});
  }

  static json Resource(const std::string& database, const std::string& job = "{}") {
    return {{"apiVersion", "whimbrel.dev/v1alpha1"},
            {"kind", "DatabaseMigration"},
            {"metadata", {{"name", "orders"}, {"namespace", "default"}}},
            {"spec",
             {{"source", {{"configMaps", {{{"name", "sql"}}}}}},
              {"database", json::parse(database)},
              {"job", json::parse(job)}}}};
  }
  static std::string Refusal(const std::string& database, const std::string& job = "{}") {
    return CreateRefusal(*server_, kAuthor, Resource(database, job));
  }
  static std::string PatchRefusal(const std::string& patch) {
    const ProcessResult result =
        server_->Kubectl({"patch", "dbmig", "orders", "--type=merge", "--dry-run=server",
                          std::string("--as=") + kAuthor, "-p", patch});
    return result.exit_code == 0 ? "" : result.err;
  }

  static inline std::unique_ptr<ApiServer> server_;
};

TEST_F(AuthorsPolicyTest, AnAuthorMayNameTheSecretsThatHeMayGet) {
  EXPECT_EQ(Refusal(R"({"secretRef": {"name": "mine"}, "tls": {
                "caRef": {"kind": "Secret", "name": "my-ca"},
                "clientCertSecretRef": {"name": "my-client"}}})",
                    R"({"imagePullSecrets": [{"name": "my-registry"}, {"name": "mine"}]})"),
            "");
  EXPECT_EQ(Refusal(R"({"connection": {"host": "db", "dbname": "d", "user": "u"}})"), "");
}

TEST_F(AuthorsPolicyTest, NoOtherSecretInAnyPlace) {
  EXPECT_THAT(Refusal(R"({"secretRef": {"name": "other"}})"), HasSubstr(kRule));
  EXPECT_THAT(Refusal(R"({"secretRef": {"name": "other"}})"), HasSubstr(": other"));
  EXPECT_THAT(Refusal(R"({"secretRef": {"name": "mine"},
                          "tls": {"caRef": {"kind": "Secret", "name": "other"}}})"),
              HasSubstr(kRule));
  EXPECT_THAT(Refusal(R"({"secretRef": {"name": "mine"},
                          "tls": {"clientCertSecretRef": {"name": "other"}}})"),
              HasSubstr(kRule));
  EXPECT_THAT(
      Refusal(R"({"secretRef": {"name": "mine"}})", R"({"imagePullSecrets": [{"name": "other"}]})"),
      HasSubstr(kRule));
}

TEST_F(AuthorsPolicyTest, AConfigMapOfThatNameIsNoSecret) {
  EXPECT_EQ(Refusal(R"({"secretRef": {"name": "mine"}, "tls": {"caRef": {"name": "other"}}})"), "");
}

TEST_F(AuthorsPolicyTest, WhoeverChangesTheSpecIsAskedAndAnAnnotationIsFree) {
  server_->MustKubectl({"create", "-f", "-"},
                       Resource(R"({"secretRef": {"name": "other"}})").dump());
  EXPECT_EQ(PatchRefusal(R"({"metadata": {"annotations": {"whimbrel.dev/retry-requested-at":
                             "2026-01-02T03:04:05Z"}}})"),
            "");
  EXPECT_THAT(PatchRefusal(R"({"spec": {"suspend": true}})"), HasSubstr(kRule));
  EXPECT_EQ(PatchRefusal(R"({"spec": {"database": {"secretRef": {"name": "mine"}}}})"), "");
}

}  // namespace
}  // namespace whimbrel::deploy
