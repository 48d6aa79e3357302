#include "rest_client_fixture.h"

namespace whimbrel::kube {
namespace {

using Reason = ApiErrorReason;
using RestClientUpdateTest = RestClientTest;

Json Lease(const std::string& resource_version) {
  Json lease = {{"apiVersion", "coordination.k8s.io/v1"},
                {"kind", "Lease"},
                {"metadata", {{"name", "a"}, {"namespace", "ns"}}},
                {"spec", {{"holderIdentity", "me"}}}};
  if (!resource_version.empty()) lease["metadata"]["resourceVersion"] = resource_version;
  return lease;
}

std::string StatusBody(const std::string& reason, int code) {
  return Json{{"kind", "Status"}, {"reason", reason}, {"code", code}, {"message", "says why"}}
      .dump();
}

TEST_F(RestClientUpdateTest, AnUpdateReplacesTheWholeObject) {
  script_.answers = {{.body = Lease("8").dump()}};
  const auto updated = client_->Update(Leases(), Lease("7"), {});
  ASSERT_TRUE(updated) << updated.error().ToString();
  EXPECT_EQ(*updated, Lease("8"));
  ASSERT_EQ(script_.requests.size(), 1U);
  const HttpRequest& request = script_.requests[0];
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/apis/coordination.k8s.io/v1/namespaces/ns/leases/a");
  EXPECT_EQ(HeaderOf(request, "Content-Type"), "application/json");
  EXPECT_EQ(Json::parse(request.body), Lease("7"));
}

TEST_F(RestClientUpdateTest, AnUpdateWithoutAVersionWouldOverwriteAnythingAndIsNotSent) {
  const auto updated = client_->Update(Leases(), Lease(""), {});
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().reason, Reason::kInvalid);
  EXPECT_TRUE(script_.requests.empty());
}

TEST_F(RestClientUpdateTest, BothKindsOf409AreToldApart) {
  script_.answers = {{.status = 409, .body = StatusBody("Conflict", 409)},
                     {.status = 409, .body = StatusBody("AlreadyExists", 409)}};
  EXPECT_EQ(client_->Update(Leases(), Lease("7"), {}).error().reason, Reason::kConflict);
  EXPECT_EQ(client_->Create(Leases(), Lease(""), {}).error().reason, Reason::kAlreadyExists);
}

TEST_F(RestClientUpdateTest, AnUpdateWhoseConnectionBrokeIsNotRepeated) {
  script_.answers = {{.status = 0, .error = TransportError{.kind = TransportError::Kind::kBroken}}};
  EXPECT_EQ(client_->Update(Leases(), Lease("7"), {}).error().reason, Reason::kTransport);
  EXPECT_EQ(script_.requests.size(), 1U);
}

TEST_F(RestClientUpdateTest, ALogIsTextOfABoundedLength) {
  script_.answers = {{.body = "line\n\xff\n"}, {.body = "0123456789"}};
  EXPECT_EQ(client_->ReadLog(kKey, {.container = "runner", .tail_lines = 5}, {}), "line\n\xff\n");
  EXPECT_EQ(client_->ReadLog(kKey, {.limit_bytes = 4}, {}), "0123");
  ASSERT_EQ(script_.requests.size(), 2U);
  EXPECT_EQ(script_.requests[0].target,
            "/api/v1/namespaces/ns/pods/a/log?container=runner&tailLines=5&limitBytes=65536");
  EXPECT_EQ(script_.requests[1].target, "/api/v1/namespaces/ns/pods/a/log?limitBytes=4");
}

TEST_F(RestClientUpdateTest, ALogThatIsNotThereYetIsAnError) {
  script_.answers = {{.status = 400, .body = StatusBody("BadRequest", 400)},
                     {.status = 404, .body = StatusBody("NotFound", 404)}};
  EXPECT_EQ(client_->ReadLog(kKey, {}, {}).error().reason, Reason::kInvalid);
  EXPECT_TRUE(client_->ReadLog(kKey, {}, {}).error().IsNotFound());
}

}  // namespace
}  // namespace whimbrel::kube
