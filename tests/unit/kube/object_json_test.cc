#include "kube/object_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace whimbrel::kube {
namespace {

using nlohmann::json;

std::string Nested(int depth) {
  std::string text = "{\"a\":";
  text.append(static_cast<std::size_t>(depth), '[');
  text.append(static_cast<std::size_t>(depth), ']');
  return text + "}";
}

TEST(ParseObjectTest, DropsManagedFieldsAndTheLastAppliedAnnotationOnly) {
  const auto object = ParseObject(R"({
    "metadata": {
      "name": "a",
      "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:data": {}}}],
      "annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{}}",
        "mine": "kept"
      }
    },
    "spec": {
      "managedFields": 1,
      "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "kept too"}
    }
  })");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object, json::parse(R"({
    "metadata": {"name": "a", "annotations": {"mine": "kept"}},
    "spec": {
      "managedFields": 1,
      "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "kept too"}
    }
  })"));
}

TEST(ParseObjectTest, KeepsWholeNumbersWhole) {
  const auto object = ParseObject(R"({"a": 9223372036854775807, "b": 18446744073709551615})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->at("a").get<std::int64_t>(), INT64_MAX);
  EXPECT_EQ(object->at("b").get<std::uint64_t>(), UINT64_MAX);
}

TEST(ParseObjectTest, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "1", "null", "{", "{\"a\":}", "{} {}", "{\"a\":\"\xff\"}"}) {
    const auto object = ParseObject(text);
    ASSERT_FALSE(object) << text;
    EXPECT_EQ(object.error().reason, ApiErrorReason::kMalformed) << text;
  }
}

TEST(ParseObjectTest, RefusesWhatNestsTooDeeply) {
  EXPECT_TRUE(ParseObject(Nested(100)));
  for (const int depth : {128, 1000, 200'000}) {
    const auto object = ParseObject(Nested(depth));
    ASSERT_FALSE(object) << depth;
    EXPECT_EQ(object.error().reason, ApiErrorReason::kMalformed) << depth;
  }
}

TEST(ParseWatchLineTest, ReadsTypeAndPrunesTheObject) {
  const auto line = ParseWatchLine(
      R"({"type":"MODIFIED","object":{"kind":"ConfigMap","metadata":{"name":"a","managedFields":[1],)"
      R"("annotations":{"kubectl.kubernetes.io/last-applied-configuration":"x"}}}})");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->type, "MODIFIED");
  EXPECT_EQ(*line->object,
            json::parse(R"({"kind":"ConfigMap","metadata":{"name":"a","annotations":{}}})"));
}

TEST(ParseWatchLineTest, RefusesWhatIsNoEvent) {
  for (const char* text : {"{}", R"({"type":"ADDED"})", R"({"type":1,"object":{}})",
                           R"({"type":"ADDED","object":[]})", "{\"type\":\"ADDED\",\"obj"}) {
    EXPECT_FALSE(ParseWatchLine(text)) << text;
  }
}

TEST(SerializeTest, ReplacesInvalidUtf8) {
  EXPECT_EQ(Serialize(json{{"a", "\xff"}}), "{\"a\":\"\xEF\xBF\xBD\"}");
}

TEST(StringAtTest, IsEmptyForWhateverIsNoString) {
  const json object = {{"metadata", {{"name", "a"}, {"generation", 1}}}, {"spec", "text"}};
  EXPECT_EQ(StringAt(object, "metadata", "name"), "a");
  EXPECT_EQ(StringAt(object, "metadata", "generation"), "");
  EXPECT_EQ(StringAt(object, "metadata", "uid"), "");
  EXPECT_EQ(StringAt(object, "spec", "name"), "");
  EXPECT_EQ(StringAt(object, "status", "name"), "");
  EXPECT_EQ(StringAt(json(), "metadata", "name"), "");
}

}  // namespace
}  // namespace whimbrel::kube
