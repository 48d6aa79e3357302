#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/credentials.h"
#include "controller/source_gatherer.h"
#include "unit/controller/manifests.h"
#include "unit/migration/archives.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::controller {
namespace {

using report::Reason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Manifests;

class GatherTest : public ::testing::Test {
 protected:
  GatherTest() {
    manifests_.Write("all.yaml", R"(
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {"001_a.sql": "select 1", "002_b.sql": "select 2", README.md: hello}
binaryData: {"003_c.sql": c2VsZWN0IDM=}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
data: {"001_a.sql": "select 4", ca.crt: "PEM of the authority"}
---
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {uri: "postgresql://u:hunter2@db/orders"}
---
apiVersion: v1
kind: Secret
metadata: {name: empty}
---
apiVersion: v1
kind: Secret
metadata: {name: cert}
stringData: {tls.crt: certificate, tls.key: key}
)");
  }

  SourceState Gather(const SourceSpec& source) {
    return GatherSource(manifests_.client(), "shop", source, {}).value();
  }
  CredentialsState Read(const DatabaseSpec& database) {
    return ReadCredentials(manifests_.client(), "shop", database, {}).value();
  }
  static std::vector<std::string> Paths(const SourceState& state) {
    std::vector<std::string> paths;
    for (const auto& file : (*state).source->files) paths.push_back(file->path());
    return paths;
  }

  Manifests manifests_;
};

TEST_F(GatherTest, TakesDataAndBinaryDataDecoded) {
  const SourceState state = Gather({.config_maps = {{.name = "one"}}});
  ASSERT_TRUE(state);
  EXPECT_THAT(Paths(state), ElementsAre("001_a.sql", "002_b.sql", "003_c.sql", "README.md"));
  EXPECT_EQ(*state->source->Find("003_c.sql")->bytes(), "select 3");
  ASSERT_EQ(state->resolved.size(), 1u);
  EXPECT_EQ(state->resolved.front().name, "one");
  EXPECT_NE(state->resolved.front().uid, "");
}

TEST_F(GatherTest, TakesOnlyTheKeysThatAreNamedAndPutsThemIntoTheFolder) {
  const SourceState state =
      Gather({.config_maps = {{.name = "one", .keys = {"002_b.sql"}, .directory = "db/x"},
                              {.name = "two", .keys = {"001_a.sql"}}},
              .inline_files = {{.name = "009.sql", .sql = "select 9"}}});
  ASSERT_TRUE(state);
  EXPECT_THAT(Paths(state), ElementsAre("001_a.sql", "009.sql", "db/x/002_b.sql"));
}

TEST_F(GatherTest, NamesEverythingThatIsMissing) {
  const SourceState state =
      Gather({.config_maps = {{.name = "none"}, {.name = "one", .keys = {"001_a.sql", "7.sql"}}}});
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().reason, Reason::kSourceNotFound);
  EXPECT_EQ(state.error().message,
            "ConfigMap shop/none does not exist; ConfigMap shop/one has no key 7.sql");
}

TEST_F(GatherTest, TheSamePathTwiceIsAnInvalidSource) {
  const SourceState state = Gather({.config_maps = {{.name = "one"}, {.name = "two"}}});
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().reason, Reason::kInvalidSource);
  EXPECT_THAT(state.error().message, HasSubstr("001_a.sql"));
}

TEST_F(GatherTest, TheOrderOfConfigMapsHasNoMeaning) {
  const ConfigMapSource one{.name = "one", .directory = "a"};
  const ConfigMapSource two{.name = "two", .directory = "b"};
  const SourceState forth = Gather({.config_maps = {one, two}});
  const SourceState back = Gather({.config_maps = {two, one}});
  EXPECT_EQ(forth->source->digest, back->source->digest);
  EXPECT_EQ(forth->resolved, back->resolved);
}

/// A ConfigMap `packed` with an archive and what is none.
std::string PackedYaml(const std::string& archive) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: packed}\ndata: {text: H4sIAAAA}\n"
         "binaryData: {migrations.tar.gz: " +
         Base64Encode(archive) + "}\n";
}

TEST_F(GatherTest, TakesTheFilesOutOfAnArchive) {
  manifests_.Write(
      "packed.yaml",
      PackedYaml(migration::Gzip(migration::Tar({.path = "./b/2.sql", .content = "select 2"}) +
                                 migration::Tar({.path = "./1.sql", .content = "select 1"}) +
                                 migration::TarEnd())));
  const SourceState state = Gather({.archive = ArchiveSource{"packed", "migrations.tar.gz"}});
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_THAT(Paths(state), ElementsAre("1.sql", "b/2.sql"));
  EXPECT_EQ(*state->source->Find("b/2.sql")->bytes(), "select 2");
  ASSERT_EQ(state->resolved.size(), 1u);
  EXPECT_EQ(state->resolved.front().name, "packed");
  EXPECT_NE(state->resolved.front().resource_version, "");
}

TEST_F(GatherTest, SaysWhatIsWrongWithAnArchive) {
  manifests_.Write("packed.yaml", PackedYaml(migration::Gzip(migration::Tar({.path = "../1.sql"}) +
                                                             migration::TarEnd())));
  struct Row {
    ArchiveSource archive;
    Reason reason;
    std::string message;
  };
  for (const Row& row : std::vector<Row>{
           {{"none", "a"}, Reason::kSourceNotFound, "ConfigMap shop/none does not exist"},
           {{"packed", "a"}, Reason::kSourceNotFound, "ConfigMap shop/packed has no key a"},
           {{"packed", "text"},
            Reason::kInvalidSource,
            "ConfigMap shop/packed, key text: an archive is no text, and must be in binaryData"},
           {{"packed", "migrations.tar.gz"},
            Reason::kInvalidSource,
            "`../1.sql` of a file from ConfigMap shop/packed, key migrations.tar.gz"}}) {
    const SourceState state = Gather({.archive = row.archive});
    ASSERT_FALSE(state) << row.message;
    EXPECT_EQ(state.error().reason, row.reason) << state.error().message;
    EXPECT_THAT(state.error().message, HasSubstr(row.message));
  }
}

TEST_F(GatherTest, ReadsTheSecretAndTheCertificates) {
  DatabaseSpec database{.secret = SecretRef{.name = "db"}};
  database.tls = {.ca = KeyRef{KeyRef::Kind::kConfigMap, "two", "ca.crt"},
                  .client_certificate_secret = "cert"};
  const CredentialsState state = Read(database);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->secret.at("uri").Reveal(), "postgresql://u:hunter2@db/orders");
  EXPECT_EQ(state->ca_pem, "PEM of the authority");
  EXPECT_EQ(state->client_certificate_pem, "certificate");
  EXPECT_EQ(state->client_key_pem.Reveal(), "key");
}

TEST_F(GatherTest, NamesWhatIsMissingForALogin) {
  const auto message = [&](const DatabaseSpec& database) {
    const CredentialsState state = Read(database);
    EXPECT_FALSE(state);
    EXPECT_EQ(state.error().reason, Reason::kSecretNotFound);
    return state.error().message;
  };
  EXPECT_EQ(message({.secret = SecretRef{.name = "none"}}), "Secret shop/none does not exist");
  EXPECT_EQ(message({.secret = SecretRef{.name = "empty"}}), "Secret shop/empty holds no data");
  EXPECT_EQ(message({.tls = {.ca = KeyRef{KeyRef::Kind::kConfigMap, "one", "ca.crt"}}}),
            "ConfigMap shop/one has no key ca.crt");
  EXPECT_EQ(message({.tls = {.client_certificate_secret = "db"}}),
            "Secret shop/db has no key tls.crt");
}

/// Answers every read in the same way.
class RefusingClient : public kube::ObjectClient {
 public:
  explicit RefusingClient(kube::ApiErrorReason reason) : reason_(reason) {}
  kube::ApiResult<kube::Json> Get(const kube::Resource&, const kube::ObjectKey&,
                                  std::stop_token) override {
    return tl::make_unexpected(kube::ApiError{.reason = reason_, .message = "the server says no"});
  }
  kube::ApiResult<std::string> List(const kube::Resource&, const kube::ListOptions&,
                                    const kube::ListHandler&, std::stop_token) override {
    return std::string();
  }
  kube::ApiResult<void> Watch(const kube::Resource&, const kube::WatchOptions&,
                              const kube::WatchHandler&, std::stop_token) override {
    return {};
  }
  kube::ApiResult<kube::Json> Create(const kube::Resource&, const kube::Json& object,
                                     std::stop_token) override {
    return object;
  }
  kube::ApiResult<kube::Json> Update(const kube::Resource&, const kube::Json& object,
                                     std::stop_token) override {
    return object;
  }
  kube::ApiResult<kube::Json> Apply(const kube::Resource&, const kube::Json& object,
                                    const kube::ApplyOptions&, std::stop_token) override {
    return object;
  }
  kube::ApiResult<void> Delete(const kube::Resource&, const kube::ObjectKey&, const std::string&,
                               std::stop_token) override {
    return {};
  }
  kube::ApiResult<std::string> ReadLog(const kube::ObjectKey&, const kube::LogOptions&,
                                       std::stop_token) override {
    return std::string();
  }

 private:
  const kube::ApiErrorReason reason_;
};

TEST(Gather, AMissingRightIsForPeopleToSee) {
  RefusingClient client(kube::ApiErrorReason::kForbidden);
  const auto source = GatherSource(client, "shop", {.config_maps = {{.name = "one"}}}, {});
  ASSERT_TRUE(source);
  EXPECT_THAT(source->error().message, HasSubstr("grant it get on configmaps"));
  const auto credentials = ReadCredentials(client, "shop", {.secret = SecretRef{.name = "db"}}, {});
  ASSERT_TRUE(credentials);
  EXPECT_THAT(credentials->error().message, HasSubstr("grant it get on secrets"));
}

TEST(Gather, NoAnswerIsNoObstacle) {
  RefusingClient client(kube::ApiErrorReason::kTransport);
  EXPECT_FALSE(GatherSource(client, "shop", {.config_maps = {{.name = "one"}}}, {}));
  EXPECT_FALSE(ReadCredentials(client, "shop", {.secret = SecretRef{.name = "db"}}, {}));
}

}  // namespace
}  // namespace whimbrel::controller
