#include "kube/token_source.h"

#include <gtest/gtest.h>

#include <string>

#include "support/fake_clock.h"

namespace whimbrel::kube {
namespace {

using std::chrono::seconds;

class TokenSourceTest : public ::testing::Test {
 protected:
  TokenSource FromFile(std::string fixed = "") {
    return TokenSource(
        Secret(std::move(fixed)), "/token",
        [this](const std::string& path) -> Result<std::string> {
          EXPECT_EQ(path, "/token");
          ++reads_;
          return content_;
        },
        clock_);
  }

  testing::FakeClock clock_;
  Result<std::string> content_ = "one\n";
  int reads_ = 0;
};

TEST_F(TokenSourceTest, AFixedTokenNeedsNoFile) {
  TokenSource source(Secret("fixed"), "", nullptr, clock_);
  EXPECT_EQ(source.Get({})->value.Reveal(), "fixed");
}

TEST_F(TokenSourceTest, TheFileWinsAndIsTrimmed) {
  TokenSource source = FromFile("fixed");
  EXPECT_EQ(source.Get({})->value.Reveal(), "one");
}

TEST_F(TokenSourceTest, TheFileIsReadAgainAfterFiftySeconds) {
  TokenSource source = FromFile();
  EXPECT_EQ(source.Get({})->value.Reveal(), "one");
  content_ = "two";
  clock_.Advance(seconds(49));
  EXPECT_EQ(source.Get({})->value.Reveal(), "one");
  EXPECT_EQ(reads_, 1);
  clock_.Advance(seconds(1));
  EXPECT_EQ(source.Get({})->value.Reveal(), "two");
}

TEST_F(TokenSourceTest, ARefusedTokenIsReadAgainAtOnce) {
  TokenSource source = FromFile();
  EXPECT_EQ(source.Get({})->value.Reveal(), "one");
  content_ = "two";
  source.Refused(*source.Get({}));
  EXPECT_EQ(source.Get({})->value.Reveal(), "two");
}

TEST_F(TokenSourceTest, AFileThatCannotBeReadLeavesTheLastToken) {
  TokenSource source = FromFile();
  EXPECT_EQ(source.Get({})->value.Reveal(), "one");
  for (const Result<std::string>& content :
       {Result<std::string>(Fail(ErrorKind::kNotFound, "gone")), Result<std::string>(" \n")}) {
    content_ = content;
    clock_.Advance(seconds(60));
    EXPECT_EQ(source.Get({})->value.Reveal(), "one");
  }
}

}  // namespace
}  // namespace whimbrel::kube
