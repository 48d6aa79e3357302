#include "whimbrel/kube/schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "unit/kube/real_crd.h"
#include "unit/kube/schema_cases.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;

TEST(Schema, JudgesDatabaseMigrationsByTheRealCrd) {
  const Schema& schema = DatabaseMigrationSchema();
  for (const SchemaCase& c : SchemaCases()) {
    json object = c.object;
    schema.ApplyDefaults(object);
    const std::vector<std::string> violations = schema.Validate(object);
    ASSERT_EQ(violations.size(), c.violation.empty() ? 0u : 1u)
        << c.name << ": " << json(violations).dump(1);
    if (violations.empty()) continue;
    EXPECT_TRUE(violations[0].starts_with(c.violation)) << c.name << ": " << violations[0];
  }
}

TEST(Schema, FillsInTheDefaultsOfTheDesign) {
  json object = DatabaseMigrationWith(json::object());
  DatabaseMigrationSchema().ApplyDefaults(object);
  json expected = json::parse(R"({
    "suspend": false,
    "source": {"configMaps": [{"name": "orders-sql"}], "format": "Auto"},
    "database": {"secretRef": {"name": "orders-db"},
                 "ready": {"timeoutSeconds": 600, "minCitusWorkers": 0}},
    "history": {"schema": "whimbrel", "set": "default", "adopt": "Detect"},
    "execution": {"mode": "Job", "transaction": "PerMigration", "outOfOrder": "Reject",
                  "lockTimeoutSeconds": 2, "lockBudgetSeconds": 1800,
                  "statementTimeoutSeconds": 900, "deadlineSeconds": 21600,
                  "retry": {"limit": 3, "initialSeconds": 5, "maxSeconds": 300}},
    "target": {"version": "Latest"}})");
  EXPECT_EQ(object["spec"], expected);
  EXPECT_EQ(object["status"], json::parse(R"({"observedGeneration": -1})"));
}

TEST(Schema, DefaultsReachTheItemsOfListsAndReplaceNulls) {
  json object = DatabaseMigrationWith(json::parse(R"({"spec": {"database": {
      "tls": {"caRef": {"name": "ca"}}}}})"));
  object["spec"]["history"] = {{"table", nullptr}, {"set", nullptr}};
  DatabaseMigrationSchema().ApplyDefaults(object);
  EXPECT_EQ(object["spec"]["database"]["tls"]["caRef"],
            json::parse(R"({"kind": "ConfigMap", "name": "ca", "key": "ca.crt"})"));
  EXPECT_EQ(object["spec"]["history"],
            json::parse(R"({"schema": "whimbrel", "set": "default", "adopt": "Detect"})"));
}

TEST(Schema, DefaultsAreFilledInOnlyOnce) {
  json once = DatabaseMigrationWith(json::object());
  DatabaseMigrationSchema().ApplyDefaults(once);
  json twice = once;
  DatabaseMigrationSchema().ApplyDefaults(twice);
  EXPECT_EQ(once, twice);
}

TEST(Schema, NamesTheFieldsThereAre) {
  json object = DatabaseMigrationWith(json::parse(R"({"spec": {"target": {"versoin": "3"}}})"));
  EXPECT_EQ(
      DatabaseMigrationSchema().Validate(object),
      std::vector<std::string>{"unknown field \"spec.target.versoin\" (known here: version)"});
}

TEST(Schema, ReportsEveryViolationAtOnce) {
  json object = DatabaseMigrationWith(json::parse(
      R"({"spec": {"source": null, "suspend": 1, "execution": {"mode": "x", "retry": {"limit": -1}}}})"));
  EXPECT_EQ(DatabaseMigrationSchema().Validate(object).size(), 4u);
}

TEST(Schema, JudgesStatusToo) {
  json object = DatabaseMigrationWith(json::parse(R"({"status": {
      "conditions": [{"type": "Ready", "status": "Maybe", "lastTransitionTime": "today",
                      "reason": "UpToDate", "message": ""}]}})"));
  const auto violations = DatabaseMigrationSchema().Validate(object);
  ASSERT_EQ(violations.size(), 2u) << json(violations).dump(1);
  EXPECT_EQ(
      violations[0],
      R"(status.conditions[0].lastTransitionTime: Invalid value: "today": )"
      R"(status.conditions[0].lastTransitionTime in body must be of type date-time: "today")");
  EXPECT_EQ(violations[1], R"(status.conditions[0].status: Unsupported value: "Maybe": )"
                           R"(supported values: "True", "False", "Unknown")");
}

TEST(Schema, AMapOfTextTakesAnyKey) {
  const Schema schema = Schema::Parse(json::parse(R"({"type": "object", "properties": {"spec": {
      "type": "object", "additionalProperties": {"type": "string", "maxLength": 3}}}})"))
                            .value();
  EXPECT_TRUE(schema.Validate(json::parse(R"({"spec": {"a": "b"}})")).empty());
  EXPECT_EQ(schema.Validate(json::parse(R"({"spec": {"a": "béd", "c": "long"}})")),
            std::vector<std::string>{"spec.c: Too long: may not be more than 3 characters"});
}

TEST(Schema, AMapHasNoMoreMembersThanItMay) {
  const Schema schema = Schema::Parse(json::parse(R"({"type": "object", "properties": {"spec": {
      "type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}}}})"))
                            .value();
  EXPECT_TRUE(schema.Validate(json::parse(R"({"spec": {"a": "b"}})")).empty());
  EXPECT_EQ(schema.Validate(json::parse(R"({"spec": {"a": "b", "c": "d"}})")),
            std::vector<std::string>{"spec: Too many: 2: must have at most 1 items"});
}

TEST(Schema, AnIntegerMayStandForText) {
  const Schema schema = Schema::Parse(json::parse(R"({"type": "object", "properties": {"spec": {
      "x-kubernetes-int-or-string": true, "maxLength": 3, "pattern": "^[0-9]+m?$", "minimum": 0}}})"))
                            .value();
  for (const char* good : {"5", "\"5m\""}) {
    EXPECT_TRUE(schema.Validate({{"spec", json::parse(good)}}).empty()) << good;
  }
  for (const char* bad : {"-1", "1.5", "true", "\"m\"", "\"5000m\""}) {
    EXPECT_EQ(schema.Validate({{"spec", json::parse(bad)}}).size(), 1u) << bad;
  }
}

TEST(Schema, AKeywordThatIsNotSupportedIsAnError) {
  const auto error = [](const char* text) {
    const auto schema = Schema::Parse(json::parse(text));
    return schema ? "none" : schema.error().ToString();
  };
  EXPECT_EQ(
      error(
          R"({"type": "object", "properties": {"a": {"type": "array", "items": {"oneOf": []}}}})"),
      "schema of a[*]: oneOf is not supported");
  EXPECT_EQ(error(R"({"type": "tuple"})"), "schema: type \"tuple\" is not supported");
  EXPECT_EQ(error(R"({"type": "array"})"), "schema: array without items is not supported");
  EXPECT_EQ(error(R"({"type": "string", "pattern": "a"})"),
            "schema: pattern without maxLength is not supported");
  EXPECT_EQ(error(R"({"type": 5})").substr(0, 14), "not a schema: ");
}

TEST(Crd, IsSmallEnoughForClientSideApply) { EXPECT_LT(RealCrd().dump().size(), 200'000u); }

/// Calls `visit` for every schema below `node`, with its path.
void Walk(const json& node, const std::string& path,
          const std::function<void(const json&, const std::string&)>& visit) {
  visit(node, path);
  if (node.contains("items")) Walk(node["items"], path + "[]", visit);
  if (!node.contains("properties")) return;
  for (const auto& [name, child] : node["properties"].items())
    Walk(child, path + "." + name, visit);
}

TEST(Crd, EveryFieldIsDescribedAndBounded) {
  const json properties = RealCrdSchema().at("properties");
  for (const char* part : {"spec", "status"}) {
    Walk(properties[part], part, [](const json& node, const std::string& path) {
      const bool int_or_string = node.value("x-kubernetes-int-or-string", false);
      const std::string type = int_or_string ? "string" : node["type"];
      const bool item_of_text = path.ends_with("[]") && type == "string";
      EXPECT_TRUE(node.contains("description") || item_of_text) << path;
      if (type == "string") {
        const bool bounded = node.contains("maxLength") || node.contains("enum") ||
                             node.value("format", "") == "date-time";
        EXPECT_TRUE(bounded) << path;
      }
      if (type == "object" && node.contains("additionalProperties")) {
        EXPECT_TRUE(node.contains("maxProperties")) << path;
        EXPECT_TRUE(node["additionalProperties"].contains("maxLength")) << path;
      }
      if (type == "integer" || int_or_string) {
        EXPECT_TRUE(node.contains("minimum")) << path;
        EXPECT_TRUE(node.contains("maximum") || path.starts_with("status")) << path;
      }
      if (type == "array") {
        EXPECT_TRUE(node.contains("maxItems") && node.contains("x-kubernetes-list-type")) << path;
      }
    });
  }
}

TEST(Crd, AnObjectWithDefaultsInsideHasOneItself) {
  const json properties = RealCrdSchema().at("properties");
  Walk(properties["spec"], "spec", [](const json& node, const std::string& path) {
    if (!node.contains("properties")) return;
    for (const auto& [name, child] : node["properties"].items()) {
      const json required = node.value("required", json::array());
      const bool always_there = std::find(required.begin(), required.end(), name) != required.end();
      // One with required fields of its own is there only when a user writes it.
      if (child.value("type", "") != "object" || child.contains("required") || always_there)
        continue;
      if (!child.contains("properties")) continue;
      bool inner = false;
      for (const auto& [key, grandchild] : child["properties"].items()) {
        inner = inner || grandchild.contains("default");
      }
      EXPECT_TRUE(!inner || child.contains("default")) << path << "." << name;
    }
  });
}

}  // namespace
}  // namespace whimbrel::kube
