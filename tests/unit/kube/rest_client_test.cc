#include "whimbrel/kube/rest_client.h"

#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rest_client_fixture.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::FakeClock;
using Kind = TransportError::Kind;
using Reason = ApiErrorReason;

TEST_F(RestClientTest, GetAsksForOneObjectAndPrunesIt) {
  script_.answers = {
      {.body = R"({"kind":"ConfigMap","metadata":{"name":"a","managedFields":[]}})"}};
  const auto object = Get();
  ASSERT_TRUE(object);
  EXPECT_EQ(*object, json::parse(R"({"kind":"ConfigMap","metadata":{"name":"a"}})"));
  ASSERT_EQ(script_.requests.size(), 1U);
  const HttpRequest& request = script_.requests[0];
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/api/v1/namespaces/ns/configmaps/a");
  EXPECT_EQ(HeaderOf(request, "Accept"), "application/json");
  EXPECT_EQ(HeaderOf(request, "User-Agent"), "whimbrel/test");
  EXPECT_EQ(HeaderOf(request, "Authorization"), "Bearer secret-token");
  EXPECT_FALSE(request.own_connection);
}

TEST_F(RestClientTest, NamesThatWouldBePathsAreRefusedWithoutARequest) {
  for (const ObjectKey& key : {ObjectKey{"ns", ""},
                               {"ns", "."},
                               {"ns", ".."},
                               {"ns", "a/status"},
                               {"ns", "a%2Fstatus"},
                               {"..", "a"},
                               {"", "a"},
                               {"a/b", "a"}}) {
    const auto object = client_->Get(ConfigMaps(), key, {});
    ASSERT_FALSE(object) << key.ToString();
    EXPECT_EQ(object.error().reason, Reason::kInvalid) << key.ToString();
    EXPECT_FALSE(client_->Delete(ConfigMaps(), key, "", {})) << key.ToString();
  }
  EXPECT_TRUE(script_.requests.empty());
}

TEST_F(RestClientTest, ARefusedTokenIsReadAgainAndTheRequestRepeatedOnceWithTheNewOne) {
  next_token_ = "next-token";
  script_.answers = {{.status = 401}, {.body = "{}"}, {.status = 401}, {.status = 401}};
  EXPECT_TRUE(Get());
  token_ = "third-token";
  EXPECT_EQ(Get().error().reason, Reason::kUnauthorized) << "refused twice";
  ASSERT_EQ(script_.requests.size(), 4U);
  EXPECT_EQ(HeaderOf(script_.requests[0], "Authorization"), "Bearer secret-token");
  EXPECT_EQ(HeaderOf(script_.requests[1], "Authorization"), "Bearer next-token");
}

TEST_F(RestClientTest, ARefusedRequestIsNotRepeatedWithTheSameToken) {
  script_.answers = {{.status = 401}};
  EXPECT_EQ(Get().error().reason, Reason::kUnauthorized);
  EXPECT_EQ(script_.requests.size(), 1U);
}

TEST_F(RestClientTest, WhatTheServerAsksToRepeatIsRepeatedAfterThatTime) {
  script_.answers = {{.status = 429, .retry_after = seconds(2)},
                     {.status = 503, .retry_after = seconds(3)},
                     {.status = 201, .body = "{}"}};
  const SteadyTime begin = clock_.SteadyNow();
  EXPECT_TRUE(client_->Create(ConfigMaps(), ConfigMap("a"), {}));
  EXPECT_EQ(script_.requests.size(), 3U);
  EXPECT_EQ(script_.requests[0].body, script_.requests[2].body);
  EXPECT_EQ(clock_.SteadyNow() - begin, seconds(5));
}

TEST_F(RestClientTest, ARepetitionThatWouldComeTooLateIsNotWaitedFor) {
  script_.answers = {{.status = 429, .retry_after = seconds(31)}};
  const auto object = Get();
  EXPECT_EQ(object.error().reason, Reason::kTooManyRequests);
  EXPECT_EQ(object.error().retry_after, seconds(31));
  EXPECT_EQ(script_.requests.size(), 1U);
}

TEST_F(RestClientTest, AGetIsRepeatedWhenItsConnectionHadBeenClosedWhileIdle) {
  script_.answers = {
      {.status = 0, .error = TransportError{.kind = Kind::kBroken, .reused_connection = true}},
      {.body = "{}"}};
  EXPECT_TRUE(Get());
}

TEST_F(RestClientTest, AWriteIsNotRepeatedWhenItsConnectionBroke) {
  script_.answers = {{.status = 0, .error = TransportError{.kind = Kind::kBroken}}};
  const auto object = client_->Create(ConfigMaps(), ConfigMap("a"), {});
  EXPECT_EQ(object.error().reason, Reason::kTransport);
  EXPECT_EQ(script_.requests.size(), 1U);
}

TEST_F(RestClientTest, AStopEndsTheWaitForARepetition) {
  FakeClock waiting;
  RestClientParts parts;
  parts.transport = std::make_unique<ScriptedTransport>(script_);
  const auto client = AssembleRestClient(std::move(parts), waiting);
  script_.answers = {{.status = 429, .retry_after = seconds(5)}};
  std::stop_source stop;
  auto get = std::async(std::launch::async,
                        [&] { return client->Get(ConfigMaps(), kKey, stop.get_token()); });
  ASSERT_TRUE(waiting.WaitForSleepers(1));
  stop.request_stop();
  EXPECT_EQ(get.get().error().reason, Reason::kCancelled);
}

TEST_F(RestClientTest, RequestsOtherThanWatchesKeepToTheLimit) {
  Build({.user_agent = "whimbrel/test", .qps = 2, .burst = 3});
  const SteadyTime begin = clock_.SteadyNow();
  for (int i = 0; i < 7; ++i) {
    script_.answers.push_back({.body = "{}"});
    EXPECT_TRUE(Get());
  }
  EXPECT_EQ(clock_.SteadyNow() - begin, seconds(2));
  std::vector<std::string> events;
  for (int i = 0; i < 10; ++i) script_.answers.push_back({});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Watch(&events));
  EXPECT_EQ(clock_.SteadyNow() - begin, seconds(2));
}

TEST_F(RestClientTest, AListIsReadPageByPage) {
  script_.answers = {
      {.body = R"({"metadata":{"resourceVersion":"10","continue":"p/2"},"items":[
                  {"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]})"},
      {.body = R"({"metadata":{"resourceVersion":"11"},"items":[{"metadata":{"name":"c"}}]})"}};
  std::vector<std::string> names;
  EXPECT_EQ(List(&names, {.ns = "ns", .label_selector = "a=b", .limit = 2}), "10");
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_EQ(script_.requests.size(), 2U);
  EXPECT_EQ(script_.requests[0].target,
            "/api/v1/namespaces/ns/configmaps?limit=2&labelSelector=a%3Db");
  EXPECT_EQ(script_.requests[1].target,
            "/api/v1/namespaces/ns/configmaps?limit=2&continue=p%2F2&labelSelector=a%3Db");
}

TEST_F(RestClientTest, TheItemsOfAListSayWhatTheyAre) {
  script_.answers = {{.body = R"({"metadata":{"resourceVersion":"1"},"items":[{"metadata":{}}]})"}};
  Json item;
  ASSERT_TRUE(
      client_->List(ConfigMaps(), {}, [&](Json&& object) { item = std::move(object); }, {}));
  EXPECT_EQ(item, json::parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{}})"));
}

TEST_F(RestClientTest, AListOfMetadataAsksForIt) {
  script_.answers = {{.body = R"({"metadata":{"resourceVersion":"1"},"items":[]})"}, {}};
  std::vector<std::string> names;
  EXPECT_TRUE(List(&names, {.metadata_only = true}));
  EXPECT_EQ(HeaderOf(script_.requests[0], "Accept"),
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json");
  EXPECT_TRUE(client_->Watch(ConfigMaps(), {.metadata_only = true}, {}, {}));
  EXPECT_EQ(HeaderOf(script_.requests[1], "Accept"),
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
}

TEST_F(RestClientTest, AListThatExpiresBetweenItsPagesIsExpired) {
  script_.answers = {
      {.body = R"({"metadata":{"resourceVersion":"10","continue":"x"},"items":[]})"},
      {.status = 410, .body = R"({"kind":"Status","reason":"Expired","message":"too old"})"}};
  std::vector<std::string> names;
  EXPECT_EQ(List(&names).error().reason, Reason::kExpired);
}

TEST_F(RestClientTest, AListThatMakesNoSenseIsMalformed) {
  for (const char* body : {"", "<html>", R"({"items":[]})", R"({"metadata":{},"items":[]})",
                           R"({"metadata":{"resourceVersion":"1"},"items":[{]})",
                           R"({"metadata":{"resourceVersion":"1"},"items":[{"a":"\xff"}]})",
                           R"({"metadata":{"resourceVersion":"1"},"items":[)"}) {
    script_.answers = {{.body = body}};
    std::vector<std::string> names;
    const auto version = List(&names);
    ASSERT_FALSE(version) << body;
    EXPECT_EQ(version.error().reason, Reason::kMalformed) << body;
  }
}

TEST_F(RestClientTest, AListThatBreaksOffIsNotRepeatedOverItemsThatWereHandedOut) {
  script_.answers = {{.body = R"({"items":[{"metadata":{"name":"a"}},)",
                      .error = TransportError{.kind = Kind::kBroken}}};
  std::vector<std::string> names;
  EXPECT_EQ(List(&names).error().reason, Reason::kTransport);
  EXPECT_EQ(names, std::vector<std::string>{"a"});
  EXPECT_EQ(script_.requests.size(), 1U);
}

TEST_F(RestClientTest, AWatchHandsEventsOutUntilItsCleanEnd) {
  script_.answers = {{.body = Event("ADDED", ConfigMap("a")) + Event("MODIFIED", ConfigMap("b")) +
                              Event("DELETED", ConfigMap("c")) + Event("BOOKMARK", ConfigMap("")) +
                              R"({"type":"ADDED","object":{"ki)"}};
  std::vector<std::string> events;
  EXPECT_TRUE(Watch(&events));
  EXPECT_EQ(events, (std::vector<std::string>{"added a", "modified b", "deleted c", "bookmark "}));
  const HttpRequest& request = script_.requests.at(0);
  EXPECT_EQ(request.target,
            "/api/v1/configmaps?watch=1&allowWatchBookmarks=true&resourceVersion=7"
            "&timeoutSeconds=300");
  EXPECT_TRUE(request.own_connection);
  EXPECT_GT(request.timeout, seconds(300));
}

TEST_F(RestClientTest, AWatchSkipsWhatItDoesNotKnow) {
  script_.answers = {
      {.body = Event("UPGRADED", ConfigMap("a")) +
               Event("ADDED", {{"kind", "Secret"}, {"metadata", {{"name", "b"}}}}) +
               Event("ADDED", {{"kind", 1}}) +
               Event("ADDED", {{"kind", "PartialObjectMetadata"}, {"metadata", {{"name", "c"}}}})}};
  std::vector<std::string> events;
  EXPECT_TRUE(Watch(&events));
  EXPECT_EQ(events, std::vector<std::string>{"added c"});
}

TEST_F(RestClientTest, AnErrorEventEndsTheWatchWithThatError) {
  const json status = {
      {"kind", "Status"}, {"code", 410}, {"reason", "Expired"}, {"message", "old"}};
  script_.answers = {{.body = Event("ADDED", ConfigMap("a")) + Event("ERROR", status) +
                              Event("ADDED", ConfigMap("b"))}};
  std::vector<std::string> events;
  const auto watched = Watch(&events);
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().reason, Reason::kExpired);
  EXPECT_EQ(watched.error().message, "old");
  EXPECT_EQ(events, std::vector<std::string>{"added a"});
}

TEST_F(RestClientTest, AWatchThatIsRefusedIsAStatusNotEvents) {
  script_.answers = {{.status = 410, .body = R"({"kind":"Status","reason":"Gone"})"}};
  std::vector<std::string> events;
  EXPECT_EQ(Watch(&events).error().reason, Reason::kExpired);
}

TEST_F(RestClientTest, AWatchIsForItsCallerToRepeat) {
  std::vector<std::string> events;
  script_.answers = {{.status = 429, .retry_after = seconds(1)},
                     {.status = 0, .error = TransportError{.kind = Kind::kBroken}}};
  const auto busy = Watch(&events);
  EXPECT_EQ(busy.error().reason, Reason::kTooManyRequests);
  EXPECT_EQ(busy.error().retry_after, seconds(1));
  EXPECT_EQ(Watch(&events).error().reason, Reason::kTransport);
  EXPECT_EQ(script_.requests.size(), 2U);
}

TEST_F(RestClientTest, AWatchThatMakesNoSenseIsMalformed) {
  script_.answers = {{.body = "{\"type\":\"ADDED\"}\n"}};
  std::vector<std::string> events;
  EXPECT_EQ(Watch(&events).error().reason, Reason::kMalformed);
  script_.answers = {{.body = std::string(kMaxObjectBytes + 1, ' ')}};
  EXPECT_EQ(Watch(&events).error().reason, Reason::kMalformed);
}

TEST_F(RestClientTest, ApplySendsTheIntentionAsAnApplyPatch) {
  script_.answers = {{.body = "{}"}, {.body = "{}"}};
  EXPECT_TRUE(client_->Apply(ConfigMaps(), ConfigMap("a"),
                             {.field_manager = "me", .subresource = "status"}, {}));
  EXPECT_TRUE(
      client_->Apply(ConfigMaps(), ConfigMap("a"), {.field_manager = "me", .force = false}, {}));
  const HttpRequest& request = script_.requests.at(0);
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.target, "/api/v1/namespaces/ns/configmaps/a/status?fieldManager=me&force=true");
  EXPECT_EQ(HeaderOf(request, "Content-Type"), "application/apply-patch+yaml");
  EXPECT_EQ(json::parse(request.body), ConfigMap("a"));
  EXPECT_EQ(script_.requests.at(1).target, "/api/v1/namespaces/ns/configmaps/a?fieldManager=me");
}

TEST_F(RestClientTest, DeleteIsInTheBackgroundAndOfOneUid) {
  script_.answers = {{.body = "{}"}, {.body = "{}"}};
  EXPECT_TRUE(client_->Delete(ConfigMaps(), kKey, "u", {}));
  EXPECT_TRUE(client_->Delete(ConfigMaps(), kKey, "", {}));
  EXPECT_EQ(script_.requests.at(0).method, "DELETE");
  EXPECT_EQ(json::parse(script_.requests[0].body), json::parse(R"({"apiVersion":"v1",
      "kind":"DeleteOptions","propagationPolicy":"Background","preconditions":{"uid":"u"}})"));
  EXPECT_FALSE(json::parse(script_.requests.at(1).body).contains("preconditions"));
}

TEST_F(RestClientTest, AnAnswerOverTheLimitIsMalformed) {
  script_.answers = {{.body = std::string(kMaxObjectBytes + 1, ' ')}};
  EXPECT_EQ(Get().error().reason, Reason::kMalformed);
}

TEST_F(RestClientTest, AnErrorBodyWithoutAnEndIsCut) {
  script_.answers.assign(3, {.status = 500, .body = std::string(1 << 20, 'x')});
  const auto object = Get();
  EXPECT_EQ(object.error().reason, Reason::kServerError);
  EXPECT_LE(object.error().message.size(), 2048U);
}

TEST(NewRestClientTest, SaysWhatIsWrongWithAConfiguration) {
  const struct {
    const char* name;
    Config config;
    const char* expected;
  } cases[] = {
      {"no address", {}, "the API server's address"},
      {"a CA that is none", {.server = "https://h", .ca_pem = "x"}, "holds no PEM certificate"},
      {"a client certificate that is none",
       {.server = "https://h", .client_certificate_pem = "x", .client_key_pem = Secret("y")},
       "the client certificate"},
  };
  for (const auto& test : cases) {
    const auto client = NewRestClient(test.config, {});
    ASSERT_FALSE(client) << test.name;
    EXPECT_NE(client.error().message.find(test.expected), std::string::npos)
        << test.name << ": " << client.error().message;
  }
}

}  // namespace
}  // namespace whimbrel::kube
