#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/api_server.h"
#include "unit/controller/manifests.h"
#include "unit/controller/validation_cases.h"
#include "whimbrel/controller/validation.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using testing::CrdSchema;
using ::testing::HasSubstr;
using testing::Patched;
using testing::ValidationCase;
using whimbrel::testing::ApiServer;
using whimbrel::testing::HttpAnswer;
using whimbrel::testing::SharedApiServer;

/// The same rows through a real kube-apiserver (dry-run) and through Schema and twins.
class ValidationApiTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = &SharedApiServer();
    server_->MustKubectl({"apply", "-f", testing::kCrdFile});
    server_->AwaitEstablished("databasemigrations.whimbrel.dev");
  }

  [[nodiscard]] std::string Path(const std::string& name = "") const {
    return "/apis/whimbrel.dev/v1alpha1/namespaces/" + ns_ + "/databasemigrations" + name;
  }

  HttpAnswer AskServer(const ValidationCase& c) {
    const std::string strict = "?dryRun=All&fieldValidation=Strict";
    if (c.old_patch.is_null()) {
      return server_->Request("POST", Path() + strict, Patched(c.patch).dump());
    }
    const HttpAnswer created = server_->Request("POST", Path(), Patched(c.old_patch).dump());
    EXPECT_EQ(created.status, 201) << created.body;
    json update = Patched(c.patch);
    update["metadata"]["resourceVersion"] =
        json::parse(created.body)["metadata"]["resourceVersion"];
    HttpAnswer answer = server_->Request("PUT", Path("/case") + strict, update.dump());
    EXPECT_EQ(server_->Request("DELETE", Path("/case")).status, 200);
    return answer;
  }

  static inline ApiServer* server_ = nullptr;
  std::string ns_ = SharedApiServer().CreateNamespace();
};

std::vector<std::string> AskTwins(const ValidationCase& c) {
  const kube::Schema& schema = CrdSchema();
  json object = Patched(c.patch);
  schema.ApplyDefaults(object);
  json old;
  if (!c.old_patch.is_null()) {
    old = Patched(c.old_patch);
    schema.ApplyDefaults(old);
  }
  std::vector<std::string> messages = schema.Validate(object);
  for (std::string& message : ValidateDatabaseMigration(object, old)) {
    messages.push_back(std::move(message));
  }
  return messages;
}

TEST_F(ValidationApiTest, TheServerAndTheTwinsGiveTheSameVerdict) {
  for (const ValidationCase& c : testing::ValidationCases()) {
    SCOPED_TRACE(c.sentence);
    const HttpAnswer answer = AskServer(c);
    const std::vector<std::string> messages = AskTwins(c);
    const bool valid = answer.status == 200 || answer.status == 201;
    EXPECT_EQ(valid, c.refusal.empty()) << answer.status << " " << answer.body;
    EXPECT_EQ(messages.empty(), c.refusal.empty()) << ::testing::PrintToString(messages);
    if (valid || messages.empty()) continue;
    EXPECT_EQ(answer.status, 422);
    const json details = json::parse(answer.body)["details"]["causes"];
    // The server may add what the type is; the field and the sentence are the same.
    const std::string field = details[0]["field"];
    EXPECT_EQ(messages.front().substr(0, field.size() + 1), field + ":") << details.dump();
    EXPECT_THAT(details[0]["message"].get<std::string>(), HasSubstr(c.refusal));
    EXPECT_THAT(messages.front(), HasSubstr(c.refusal));
  }
}

}  // namespace
}  // namespace whimbrel::controller
