#include "whimbrel/controller/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/temp_dir.h"
#include "unit/controller/manifests.h"
#include "unit/controller/validation_cases.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using testing::CrdSchema;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Patched;
using testing::ValidationCase;

json Defaulted(const json& patch) {
  json object = Patched(patch);
  CrdSchema().ApplyDefaults(object);
  return object;
}

TEST(Validation, RefusesWhatTheTableRefuses) {
  for (const ValidationCase& c : testing::ValidationCases()) {
    SCOPED_TRACE(c.sentence);
    const json object = Defaulted(c.patch);
    const json old = c.old_patch.is_null() ? json() : Defaulted(c.old_patch);
    EXPECT_THAT(CrdSchema().Validate(object), IsEmpty());
    const std::vector<std::string> messages = ValidateDatabaseMigration(object, old);
    if (c.refusal.empty()) {
      EXPECT_THAT(messages, IsEmpty());
    } else {
      EXPECT_THAT(messages, ElementsAre(EndsWith(c.refusal)));
    }
  }
}

TEST(Validation, EveryRuleOfTheCrdHasARowInTheTable) {
  const std::string crd = whimbrel::testing::ReadFile(testing::kCrdFile);
  const json document = *kube::ParseYaml(crd, "crd").value().front().value;
  std::vector<std::string> rules;
  const std::function<void(const json&)> collect = [&](const json& node) {
    if (node.is_object() && node.contains("x-kubernetes-validations")) {
      for (const json& rule : node["x-kubernetes-validations"]) rules.push_back(rule["message"]);
    }
    if (node.is_structured()) {
      for (const json& child : node) collect(child);
    }
  };
  collect(document);
  ASSERT_FALSE(rules.empty());
  for (const std::string& message : rules) {
    const auto cases = testing::ValidationCases();
    EXPECT_TRUE(
        std::ranges::any_of(cases, [&](const ValidationCase& c) { return c.refusal == message; }))
        << "no row for: " << message;
  }
}

TEST(Validation, NothingCrashesWhateverTheShape) {
  for (const char* text : {"null", "[]", "{}", R"({"spec": 1})",
                           R"({"spec": {"source": {"inline": 5}, "execution": [], "history": 1}})",
                           R"({"spec": {"source": {"inline": [1]}, "database": {"tls": "x"}}})"}) {
    for (const char* old : {"null", "[]", R"({"spec": {"history": 7}})"}) {
      (void)ValidateDatabaseMigration(json::parse(text), json::parse(old));
    }
  }
}

}  // namespace
}  // namespace whimbrel::controller
