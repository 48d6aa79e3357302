#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/api_server.h"
#include "unit/kube/real_crd.h"
#include "unit/kube/schema_cases.h"
#include "whimbrel/kube/schema.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;
using testing::ApiServer;
using testing::HttpAnswer;

ApiServer& ServerWithCrd() {
  static ApiServer& server = [&]() -> ApiServer& {
    ApiServer& shared = testing::SharedApiServer();
    shared.MustKubectl({"apply", "-f", kCrdFile});
    shared.AwaitEstablished("databasemigrations.whimbrel.dev");
    return shared;
  }();
  return server;
}

std::string Collection(const std::string& ns) {
  return "/apis/whimbrel.dev/v1alpha1/namespaces/" + ns + "/databasemigrations";
}

TEST(SchemaOnApiServer, JudgesEveryDatabaseMigrationInTheSameWords) {
  ApiServer& server = ServerWithCrd();
  const std::string ns = server.CreateNamespace();
  const std::string path = Collection(ns) + "?dryRun=All&fieldValidation=Strict";
  for (const SchemaCase& c : SchemaCases()) {
    const HttpAnswer answer = server.Request("POST", path, c.object.dump());
    if (c.violation.empty()) {
      EXPECT_EQ(answer.status, 201) << c.name << ": " << answer.body;
      continue;
    }
    EXPECT_TRUE(answer.status == 400 || answer.status == 422) << c.name << ": " << answer.status;
    const std::string message = json::parse(answer.body).value("message", "");
    EXPECT_NE(message.find(c.violation), std::string::npos) << c.name << ": " << message;
  }
}

TEST(SchemaOnApiServer, FillsInTheSameDefaults) {
  ApiServer& server = ServerWithCrd();
  const std::string ns = server.CreateNamespace();
  const Schema& schema = DatabaseMigrationSchema();
  for (const SchemaCase& c : SchemaCases()) {
    if (!c.violation.empty()) continue;
    const HttpAnswer answer =
        server.Request("POST", Collection(ns) + "?dryRun=All", c.object.dump());
    ASSERT_EQ(answer.status, 201) << c.name << ": " << answer.body;
    json object = c.object;
    schema.ApplyDefaults(object);
    EXPECT_EQ(object["spec"], json::parse(answer.body)["spec"]) << c.name;
  }
}

TEST(SchemaOnApiServer, AStatusOfAnotherGenerationCanBeToldFromTheStart) {
  ApiServer& server = ServerWithCrd();
  const std::string ns = server.CreateNamespace();
  const json object = DatabaseMigrationWith(json::object());
  ASSERT_EQ(server.Request("POST", Collection(ns), object.dump()).status, 201);
  const HttpAnswer answer = server.Request("GET", Collection(ns) + "/orders");
  EXPECT_EQ(json::parse(answer.body)["status"], json::parse(R"({"observedGeneration": -1})"));
}

TEST(Crd, KubectlKnowsItByItsShortNameAndShowsTheColumns) {
  ApiServer& server = ServerWithCrd();
  const std::string ns = server.CreateNamespace();
  server.MustKubectl({"-n", ns, "apply", "--validate=strict", "-f", "-"},
                     DatabaseMigrationWith(json::object()).dump());
  const std::string status = R"({"status": {"observedGeneration": 1, "currentVersion": "3",
      "targetVersion": "4", "pendingCount": 1, "source": {"format": "Numbered"}, "conditions": [
      {"type": "Ready", "status": "False", "reason": "Migrating", "message": "applying 4",
       "lastTransitionTime": "2026-01-31T10:00:00Z"}]}})";
  server.MustKubectl(
      {"-n", ns, "patch", "dbmig", "orders", "--subresource=status", "--type=merge", "-p", status});
  const std::string table = server.MustKubectl({"-n", ns, "get", "whimbrel", "-o", "wide"});
  std::istringstream words(table);
  std::vector<std::string> header(10);
  for (std::string& word : header) words >> word;
  EXPECT_EQ(header, (std::vector<std::string>{"NAME", "READY", "VERSION", "PENDING", "REASON",
                                              "AGE", "TARGET", "FORMAT", "MESSAGE", "LAST"}));
  for (const char* cell : {"orders", "False", "Migrating", "Numbered", "applying 4"}) {
    EXPECT_NE(table.find(cell), std::string::npos) << cell << " in\n" << table;
  }
  const std::string help =
      server.MustKubectl({"explain", "dbmig.spec.execution.lockTimeoutSeconds"});
  EXPECT_NE(help.find("How long a statement may wait for a lock"), std::string::npos) << help;
}

}  // namespace
}  // namespace whimbrel::kube
