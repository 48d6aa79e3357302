#include "cli/metrics_access.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "unit/kube/fake_object_client.h"

namespace whimbrel::cli {
namespace {

using kube::ApiError;
using kube::Json;
using ::testing::HasSubstr;

class ClusterReviewerTest : public ::testing::Test {
 protected:
  /// What the next review is answered with.
  void Answer(const char* json) {
    client_.create = [this, json](const Json& object, std::stop_token) {
      asked_ = object;
      return kube::ApiResult<Json>(Json::parse(json));
    };
  }

  kube::FakeObjectClient client_;
  std::unique_ptr<serve::AccessReviewer> reviewer_ = NewClusterReviewer(client_);
  Json asked_;
};

TEST_F(ClusterReviewerTest, ReadsWhoATokenIs) {
  Answer(R"({"status": {"authenticated": true, "user": {"username": "u", "uid": "1",
             "groups": ["g", "h"], "extra": {"k": ["v"]}}}})");
  const auto user = reviewer_->Authenticate(Secret("t0ken"), {});
  ASSERT_TRUE(user) << user.error().message;
  EXPECT_EQ(**user, (serve::UserInfo{"u", "1", {"g", "h"}, {{"k", {"v"}}}}));
  EXPECT_EQ(asked_, Json::parse(R"({"apiVersion": "authentication.k8s.io/v1",
                                    "kind": "TokenReview", "spec": {"token": "t0ken"}})"));
}

TEST_F(ClusterReviewerTest, KnowsNobodyByAWrongToken) {
  Answer(R"({"status": {"user": {}, "error": "[invalid bearer token]"}})");
  EXPECT_EQ(*reviewer_->Authenticate(Secret("t"), {}), std::nullopt);
  Answer("{}");
  EXPECT_EQ(*reviewer_->Authenticate(Secret("t"), {}), std::nullopt);
}

TEST_F(ClusterReviewerTest, AsksForTheVerbGetOnThePath) {
  Answer(R"({"status": {"allowed": true}})");
  EXPECT_EQ(reviewer_->Authorize({"u", "1", {"g"}, {{"k", {"v"}}}}, "/metrics", {}), true);
  EXPECT_EQ(asked_, Json::parse(R"({"apiVersion": "authorization.k8s.io/v1",
      "kind": "SubjectAccessReview",
      "spec": {"user": "u", "uid": "1", "groups": ["g"], "extra": {"k": ["v"]},
               "nonResourceAttributes": {"path": "/metrics", "verb": "get"}}})"));
  for (const char* refusal : {R"({"status": {"allowed": false, "denied": true}})", "{}"}) {
    Answer(refusal);
    EXPECT_EQ(reviewer_->Authorize({}, "/metrics", {}), false);
  }
}

TEST_F(ClusterReviewerTest, AnAnswerThatMakesNoSenseLetsNobodyIn) {
  for (const char* answer :
       {R"({"status": {"authenticated": true}})", R"({"status": {"authenticated": "yes"}})",
        R"({"status": 1})", R"({"status": {"authenticated": true, "user": {"groups": "g"}}})"}) {
    Answer(answer);
    const auto user = reviewer_->Authenticate(Secret("t0ken"), {});
    ASSERT_FALSE(user) << answer;
    EXPECT_EQ(user.error().kind, ErrorKind::kInternal);
  }
  Answer(R"({"status": {"allowed": "yes"}})");
  EXPECT_FALSE(reviewer_->Authorize({}, "/metrics", {}));
}

TEST_F(ClusterReviewerTest, SaysWhatToDoWhereItMayNotAsk) {
  client_.create = [](const Json&, std::stop_token) {
    return kube::ApiResult<Json>(tl::make_unexpected(
        ApiError{.reason = kube::ApiErrorReason::kForbidden, .message = "forbidden"}));
  };
  const auto user = reviewer_->Authenticate(Secret("t0ken"), {});
  ASSERT_FALSE(user);
  EXPECT_THAT(user.error().message, HasSubstr("the ClusterRole system:auth-delegator"));
  EXPECT_THAT(user.error().message, ::testing::Not(HasSubstr("t0ken")));
}

}  // namespace
}  // namespace whimbrel::cli
