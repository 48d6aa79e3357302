#include "whimbrel/serve/bind_address.h"

#include <gmock/gmock.h>

namespace whimbrel::serve {
namespace {

using ::testing::HasSubstr;

struct GoodAddress {
  const char* text;
  BindAddress expected;
};

TEST(BindAddressTest, ReadsWhatControllerRuntimeReads) {
  const GoodAddress cases[] = {
      {":8081", {"", 8081}},
      {"127.0.0.1:0", {"127.0.0.1", 0}},
      {"0.0.0.0:65535", {"0.0.0.0", 65535}},
      {"[::]:8080", {"::", 8080}},
      {"[::1]:8443", {"::1", 8443}},
  };
  for (const GoodAddress& good : cases) {
    SCOPED_TRACE(good.text);
    const auto parsed = ParseBindAddress(good.text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, good.expected);
    EXPECT_EQ(ToString(**parsed), good.text);
  }
}

TEST(BindAddressTest, ZeroTurnsTheEndpointOff) { EXPECT_EQ(*ParseBindAddress("0"), std::nullopt); }

TEST(BindAddressTest, RefusesWithWhatToWriteInstead) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "it has no port"},
      {"8081", "it has no port"},
      {":", "the port is not a number"},
      {":65536", "the port is not a number"},
      {":-1", "the port is not a number"},
      {":80a", "the port is not a number"},
      {"localhost:8081", "the host is not an IP address"},
      {"[]:80", "the host is not an IP address"},
      {"::1:8081", "IPv6 addresses stand in brackets"},
      {"[127.0.0.1]:8081", "IPv6 addresses stand in brackets"},
  };
  for (const auto& [text, why] : cases) {
    SCOPED_TRACE(text);
    const auto parsed = ParseBindAddress(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_THAT(parsed.error().message, HasSubstr(why));
    EXPECT_THAT(parsed.error().message, HasSubstr("write ':8081'"));
  }
}

}  // namespace
}  // namespace whimbrel::serve
