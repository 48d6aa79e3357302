#include "serve/http_message.h"

#include <gmock/gmock.h>

namespace whimbrel::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ParseRequestTest, ReadsPathQueryAndAuthorization) {
  const auto parsed = ParseRequest(
      "GET /healthz/a%20b?verbose&exclude=x HTTP/1.1\r\nHost: h:1\r\naUTHORIZATION:  Bearer t0k "
      "\r\n"
      "\r\n");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->error, 0);
  EXPECT_FALSE(parsed->head_only);
  EXPECT_EQ(parsed->request.path, "/healthz/a b");
  EXPECT_EQ(parsed->request.query, "verbose&exclude=x");
  EXPECT_EQ(parsed->request.authorization.Reveal(), "Bearer t0k");
}

TEST(ParseRequestTest, WaitsForTheEmptyLine) {
  const std::string whole = "HEAD / HTTP/1.0\r\nA: b\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseRequest(std::string_view(whole).substr(0, size))) << size;
  }
  const auto parsed = ParseRequest(whole);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->error, 0);
  EXPECT_TRUE(parsed->head_only);
}

TEST(ParseRequestTest, RefusesWhatIsNotAPlainRead) {
  const std::pair<std::string, int> cases[] = {
      {"POST / HTTP/1.1\r\n\r\n", 405},
      {"DELETE /healthz HTTP/1.1\r\n\r\n", 405},
      {"get / HTTP/1.1\r\n\r\n", 405},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"GET / HTTP/1.1 \r\n\r\n", 505},
      {"GET /\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\n\r\n", 400},
      {"GET http://host/ HTTP/1.1\r\n\r\n", 400},
      {"GET * HTTP/1.1\r\n\r\n", 400},
      {"GET /\x01 HTTP/1.1\r\n\r\n", 400},
      {"GET /%0 HTTP/1.1\r\n\r\n", 400},
      {"GET /%zz HTTP/1.1\r\n\r\n", 400},
      {"GET /%00 HTTP/1.1\r\n\r\n", 400},
      {"GET /%0d%0aX HTTP/1.1\r\n\r\n", 400},
      {"\r\n\r\n", 400},
      {"\x16\x03\x01 hello\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n: v\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nA : v\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nA: v\r\n folded\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nA: v\nB: w\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 413},
      {"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 413},
      {"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413},
  };
  for (const auto& [bytes, status] : cases) {
    SCOPED_TRACE(bytes);
    const auto parsed = ParseRequest(bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->error, status);
  }
}

TEST(ParseRequestTest, RefusesAHeadThatIsTooLong) {
  std::string bytes = "GET / HTTP/1.1\r\nA: ";
  bytes.resize(kMaxRequestBytes - 1, 'a');
  EXPECT_FALSE(ParseRequest(bytes));
  bytes += 'a';
  EXPECT_EQ(ParseRequest(bytes)->error, 431);
}

TEST(ParseRequestTest, TakesAContentLengthOfNothing) {
  EXPECT_EQ(ParseRequest("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")->error, 0);
}

TEST(FormatResponseTest, SaysItsLengthAndThatItCloses) {
  EXPECT_EQ(FormatResponse({.body = "ok"}, false),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"
            "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\nok");
}

TEST(FormatResponseTest, LeavesTheBodyOutForHeadButNotItsLength) {
  const std::string head = FormatResponse({.body = "ok"}, true);
  EXPECT_THAT(head, HasSubstr("Content-Length: 2\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST(FormatResponseTest, NamesWhatIsAllowedAndHowToAuthenticate) {
  EXPECT_THAT(FormatResponse(PlainResponse(405), false), HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  Response unauthorized = PlainResponse(401);
  unauthorized.www_authenticate = "Bearer";
  EXPECT_THAT(FormatResponse(unauthorized, false), HasSubstr("\r\nWWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(FormatResponse(PlainResponse(401), false), Not(HasSubstr("WWW-Authenticate")));
}

}  // namespace
}  // namespace whimbrel::serve
