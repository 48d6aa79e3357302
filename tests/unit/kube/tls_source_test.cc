#include "kube/tls_source.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "support/fake_clock.h"
#include "test_certificates.h"

namespace whimbrel::kube {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class TlsSourceTest : public ::testing::Test {
 protected:
  TlsSourceTest() {
    files_["/ca"] = ca_.CertificatePem();
    files_["/crt"] = one_.CertificatePem();
    files_["/key"] = one_.KeyPem();
  }

  std::unique_ptr<TlsSource> Source(const TlsFiles& files) {
    auto source = TlsSource::Create(
        {.server_name = "h",
         .ca_pem = files_["/ca"],
         .certificate_pem = files_["/crt"],
         .key_pem = Secret(files_["/key"])},
        files,
        [this](const std::string& path) -> Result<std::string> {
          ++reads_;
          if (files_.contains(path)) return files_[path];
          return Fail(ErrorKind::kNotFound, "no " + path);
        },
        clock_);
    return std::move(source).value();
  }

  testing::FakeClock clock_;
  TestIdentity ca_ = MakeCertificate({.common_name = "ca", .is_ca = true});
  TestIdentity one_ = MakeCertificate({.common_name = "one", .issuer = &ca_});
  TestIdentity two_ = MakeCertificate({.common_name = "two", .issuer = &ca_});
  std::map<std::string, std::string> files_;
  int reads_ = 0;
};

const TlsFiles kAll{.ca = "/ca", .certificate = "/crt", .key = "/key"};

TEST_F(TlsSourceTest, FilesAreReadAgainAfterFiveMinutesAndNotBefore) {
  const auto source = Source(kAll);
  const auto first = source->Current();
  clock_.Advance(minutes(5) - seconds(1));
  EXPECT_EQ(source->Current(), first);
  EXPECT_EQ(reads_, 0);
  clock_.Advance(seconds(1));
  EXPECT_EQ(source->Current(), first) << "the same content is the same context";
  EXPECT_EQ(source->Current(), first);
  EXPECT_EQ(reads_, 3);
}

TEST_F(TlsSourceTest, NewContentIsANewContext) {
  for (const char* file : {"/ca", "/crt"}) {
    const auto source = Source(kAll);
    const auto first = source->Current();
    if (file == std::string("/ca")) {
      files_["/ca"] += MakeCertificate({.common_name = "next ca", .is_ca = true}).CertificatePem();
    } else {
      files_["/crt"] = two_.CertificatePem();
      files_["/key"] = two_.KeyPem();
    }
    clock_.Advance(minutes(5));
    const auto second = source->Current();
    EXPECT_NE(second, first) << file;
    clock_.Advance(minutes(5));
    EXPECT_EQ(source->Current(), second) << file;
  }
}

TEST_F(TlsSourceTest, WhatIsNotWholeLeavesTheContextAndIsLookedAtAgainSoon) {
  const struct {
    const char* name;
    std::map<std::string, std::string> wrong;
  } cases[] = {{"an empty authority", {{"/ca", ""}}},
               {"an authority that is none", {{"/ca", "not PEM"}}},
               {"a certificate whose key is still the old one", {{"/crt", two_.CertificatePem()}}},
               {"a key without its certificate", {{"/key", two_.KeyPem()}}}};
  const auto right = files_;
  for (const auto& test : cases) {
    files_ = right;
    const auto source = Source(kAll);
    const auto first = source->Current();
    for (const auto& [path, text] : test.wrong) files_[path] = text;
    clock_.Advance(minutes(5));
    EXPECT_EQ(source->Current(), first) << test.name;
    files_ = right;
    files_["/crt"] = two_.CertificatePem();
    files_["/key"] = two_.KeyPem();
    clock_.Advance(seconds(30));
    EXPECT_NE(source->Current(), first) << test.name;
  }
}

TEST_F(TlsSourceTest, AFileThatIsGoneLeavesTheContext) {
  const auto source = Source(kAll);
  const auto first = source->Current();
  files_.erase("/ca");
  clock_.Advance(minutes(5));
  EXPECT_EQ(source->Current(), first);
}

TEST_F(TlsSourceTest, WithoutFilesNothingIsRead) {
  const auto source = Source({});
  const auto first = source->Current();
  clock_.Advance(minutes(60));
  EXPECT_EQ(source->Current(), first);
  EXPECT_EQ(reads_, 0);
}

TEST_F(TlsSourceTest, AnIdentityFromAPlugInReplacesTheContextUnlessItIsWrong) {
  const auto source = Source({.ca = "/ca"});
  const auto first = source->Current();
  EXPECT_FALSE(source->SetIdentity(two_.CertificatePem(), Secret(one_.KeyPem())));
  EXPECT_EQ(source->Current(), first);
  EXPECT_TRUE(source->SetIdentity(two_.CertificatePem(), Secret(two_.KeyPem())));
  const auto second = source->Current();
  EXPECT_NE(second, first);
  clock_.Advance(minutes(5));
  EXPECT_EQ(source->Current(), second) << "reading the authority again keeps the identity";
}

}  // namespace
}  // namespace whimbrel::kube
