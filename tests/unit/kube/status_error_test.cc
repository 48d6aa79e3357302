#include "kube/status_error.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace whimbrel::kube {
namespace {

using Reason = ApiErrorReason;

struct Case {
  const char* name;
  int status;
  const char* body;
  Reason expected;
};

const Case kCases[] = {
    {"the reason decides, whatever the code", 500, R"({"kind":"Status","reason":"NotFound"})",
     Reason::kNotFound},
    {"an object that is there already", 409, R"({"kind":"Status","reason":"AlreadyExists"})",
     Reason::kAlreadyExists},
    {"a stale write", 409, R"({"kind":"Status","reason":"Conflict"})", Reason::kConflict},
    {"an invalid object", 422, R"({"kind":"Status","reason":"Invalid"})", Reason::kInvalid},
    {"a bad request", 400, R"({"kind":"Status","reason":"BadRequest"})", Reason::kInvalid},
    {"a body that is too large", 413, R"({"kind":"Status","reason":"RequestEntityTooLarge"})",
     Reason::kInvalid},
    {"a content type that a resource does not take", 415,
     R"({"kind":"Status","reason":"UnsupportedMediaType"})", Reason::kInvalid},
    {"an expired continue token", 410, R"({"kind":"Status","reason":"Expired"})", Reason::kExpired},
    {"an old resourceVersion", 410, R"({"kind":"Status","reason":"Gone"})", Reason::kExpired},
    {"a server that is behind", 504,
     R"({"kind":"Status","reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}})",
     Reason::kTooLargeResourceVersion},
    {"a plain timeout", 504, R"({"kind":"Status","reason":"Timeout","details":{"causes":[]}})",
     Reason::kServerError},
    {"a reason that nobody knows goes by the code", 409, R"({"kind":"Status","reason":"New"})",
     Reason::kConflict},
    {"the code of the Status wins over that of HTTP", 200, R"({"kind":"Status","code":404})",
     Reason::kNotFound},
    {"no Status: not found", 404, "404 page not found", Reason::kNotFound},
    {"no Status: unauthorized", 401, "", Reason::kUnauthorized},
    {"no Status: forbidden", 403, "<html>", Reason::kForbidden},
    {"no Status: too many requests", 429, "", Reason::kTooManyRequests},
    {"no Status: a broken proxy", 502, "Bad Gateway", Reason::kServerError},
    {"no Status: a redirect, which we never follow", 302, "", Reason::kMalformed},
    {"no Status: a client error without a class", 418, "", Reason::kInvalid},
    {"JSON that is no Status", 404, R"({"kind":"Pod","reason":"Conflict"})", Reason::kNotFound},
    {"a Status of wrong types", 503,
     R"({"kind":"Status","reason":1,"message":[],"code":"x","details":"y"})", Reason::kServerError},
};

TEST(ErrorFromResponseTest, ClassifiesByReasonThenByCode) {
  for (const Case& test : kCases) {
    EXPECT_EQ(ErrorFromResponse({.status = test.status}, test.body).reason, test.expected)
        << test.name;
  }
}

TEST(ErrorFromResponseTest, TakesTheTimeToWaitFromTheHeaderOrTheStatus) {
  const char* body = R"({"kind":"Status","details":{"retryAfterSeconds":7}})";
  EXPECT_EQ(ErrorFromResponse({.status = 429}, body).retry_after, std::chrono::seconds(7));
  EXPECT_EQ(
      ErrorFromResponse({.status = 429, .retry_after = std::chrono::seconds(3)}, body).retry_after,
      std::chrono::seconds(3));
  EXPECT_EQ(ErrorFromResponse({.status = 429}, "{}").retry_after, std::nullopt);
}

TEST(ErrorFromResponseTest, BoundsAndRedactsTheMessage) {
  const std::string secret = R"({"kind":"Status","message":"url postgres://u:hunter2@h/db )";
  const ApiError error =
      ErrorFromResponse({.status = 400}, secret + std::string(10'000, 'x') + "\"}");
  EXPECT_EQ(error.message.find("hunter2"), std::string::npos);
  EXPECT_LE(error.message.size(), 2048U);
  EXPECT_EQ(error.message.find("url "), 0U);
}

TEST(ApiErrorTest, ToStringSaysReasonCodeAndMessage) {
  EXPECT_EQ((ApiError{Reason::kNotFound, 404, "no such thing"}).ToString(),
            "NotFound (404): no such thing");
  EXPECT_EQ((ApiError{Reason::kTransport, 0, ""}).ToString(), "Transport");
}

TEST(ErrorFromTransportTest, TellsCancellationFromFailure) {
  using Kind = TransportError::Kind;
  EXPECT_EQ(ErrorFromTransport({.kind = Kind::kCancelled}, "h:1").reason, Reason::kCancelled);
  const ApiError error = ErrorFromTransport({.kind = Kind::kTimeout, .message = "late"}, "h:1");
  EXPECT_EQ(error.reason, Reason::kTransport);
  EXPECT_EQ(error.message, "API server h:1: late");
}

}  // namespace
}  // namespace whimbrel::kube
