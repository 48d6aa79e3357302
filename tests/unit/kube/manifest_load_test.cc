#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/temp_dir.h"
#include "unit/kube/real_crd.h"
#include "whimbrel/kube/manifest_client.h"

namespace whimbrel::kube {
namespace {

using testing::TempDir;

const Resource kMigrations{.group = "whimbrel.dev",
                           .version = "v1alpha1",
                           .plural = "databasemigrations",
                           .kind = "DatabaseMigration"};

Result<std::unique_ptr<ManifestClient>> Load(const std::string& path) {
  return ManifestClient::Load(
      {path}, "shop",
      {{.resource = kMigrations, .schema = DatabaseMigrationSchema(), .validate = nullptr}});
}

/// The error of loading one file of that content, without the folder's name.
std::string ErrorOf(const std::string& content) {
  const TempDir folder;
  const auto client = Load(folder.Write("a.yaml", content));
  if (client) return "no error";
  std::string message = client.error().ToString();
  const std::string prefix = folder.path().string() + "/";
  for (auto at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) {
    message.erase(at, prefix.size());
  }
  return message;
}

struct ErrorCase {
  const char* name;
  const char* content;
  const char* expected;
};

constexpr ErrorCase kErrors[] = {
    {"no YAML", "a: [", "a.yaml:1:1: not valid YAML: end of sequence flow not found"},
    {"text", "hello", "a.yaml:1: a manifest must be a map with apiVersion and kind"},
    {"no kind", "apiVersion: v1\n", "a.yaml:1: a manifest must be a map with apiVersion and kind"},
    {"no name", "\n\napiVersion: v1\nkind: Secret\n",
     "a.yaml:3: Secret: metadata.name: Required value"},
    {"metadata that is no map", "apiVersion: v1\nkind: Secret\nmetadata: x\n",
     "a.yaml:1: Secret: metadata: Invalid value: must be a map"},
    {"a name that no object can have", "apiVersion: v1\nkind: Secret\nmetadata: {name: My_db}\n",
     "a.yaml:1: Secret My_db: metadata.name: Invalid value: \"My_db\": a lowercase RFC 1123 "
     "subdomain "
     "must consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
     "an "
     "alphanumeric character; at most 253 characters"},
    {"a namespace that cannot be",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b.c}\n",
     "a.yaml:1: Secret b.c/a: metadata.namespace: Invalid value: \"b.c\": a lowercase RFC 1123 "
     "label must "
     "consist of lower case alphanumeric characters or '-', and must start and end with an "
     "alphanumeric "
     "character; at most 63 characters"},
    {"an unknown field of metadata",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: a, label: {}}\n",
     "a.yaml:1: Secret a: unknown field \"metadata.label\""},
    {"a label that is a boolean",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {b: yes}}\n",
     "a.yaml:1: Secret a: metadata.labels.b: must be text; put the value in quotes"},
    {"a label with a space",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {b: c d}}\n",
     "a.yaml:1: Secret a: metadata.labels: Invalid value: \"c d\": a valid label must be an empty "
     "string "
     "or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
     "alphanumeric character"},
    {"an annotation whose key has two slashes",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {b/c/d: e}}\n",
     "a.yaml:1: Secret a: metadata.annotations: Invalid value: \"b/c/d\": a qualified name must "
     "consist of "
     "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
     "character, "
     "with an optional DNS subdomain prefix and '/'"},
    {"a Secret's number without quotes",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {port: 5432}\n",
     "a.yaml:1: Secret a: stringData.port: must be text; put the value in quotes"},
    {"a Secret's plain text in data",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: hunter2}\n",
     "a.yaml:1: Secret a: data.password: must be base64; plain text belongs into stringData"},
    {"a Secret's key with a slash",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a/b: c}\n",
     "a.yaml:1: Secret a: stringData.a/b: a valid config key must consist of alphanumeric "
     "characters, "
     "'-', '_' or '.'"},
    {"a Secret's misspelt field",
     "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringdata: {a: b}\n",
     "a.yaml:1: Secret a: unknown field \"stringdata\""},
    {"a ConfigMap's list", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: [a]\n",
     "a.yaml:1: ConfigMap a: data: must be a map of text"},
    {"a ConfigMap's key in both maps",
     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\nbinaryData: {k: dg==}\n",
     "a.yaml:1: ConfigMap a: data.k: is in binaryData too"},
    {"two problems at once",
     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: 1}\nimmutable: maybe\n",
     "a.yaml:1: ConfigMap a: immutable: must be true or false\n"
     "a.yaml:1: ConfigMap a: data.k: must be text; put the value in quotes"},
    {"the same object twice",
     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
     "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n",
     "a.yaml:5: ConfigMap shop/a: is there already, in a.yaml:1"},
    {"another version of the API", "apiVersion: whimbrel.dev/v1\nkind: DatabaseMigration\n",
     "a.yaml:1: no matches for kind \"DatabaseMigration\" in version \"whimbrel.dev/v1\"; did you "
     "mean "
     "DatabaseMigration in whimbrel.dev/v1alpha1?"},
    {"a misspelt kind", "apiVersion: whimbrel.dev/v1alpha1\nkind: DatabaseMigraton\n",
     "a.yaml:1: no matches for kind \"DatabaseMigraton\" in version \"whimbrel.dev/v1alpha1\"; did "
     "you "
     "mean DatabaseMigration in whimbrel.dev/v1alpha1?"},
    {"a misspelt group", "apiVersion: whimbrel.io/v1alpha1\nkind: DatabaseMigration\n",
     "a.yaml:1: no matches for kind \"DatabaseMigration\" in version \"whimbrel.io/v1alpha1\"; did "
     "you mean "
     "DatabaseMigration in whimbrel.dev/v1alpha1?"},
    {"an unknown field of spec",
     "apiVersion: whimbrel.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: a}\n"
     "spec: {database: {secretRef: {name: b}}, source: {configMaps: [{name: c}]}, target: {x: "
     "1}}\n",
     "a.yaml:1: DatabaseMigration a: unknown field \"spec.target.x\" (known here: version)"},
    {"an unknown field of status",
     "apiVersion: whimbrel.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: a}\n"
     "spec: {database: {secretRef: {name: b}}, source: {configMaps: [{name: c}]}}\n"
     "status: {observedGeneration: -2}\n",
     "a.yaml:1: DatabaseMigration a: status.observedGeneration: Invalid value: -2: "
     "status.observedGeneration in body should be greater than or equal to -1"},
};

TEST(ManifestLoad, ErrorsNameFileLineObjectFieldAndRule) {
  for (const ErrorCase& c : kErrors) EXPECT_EQ(ErrorOf(c.content), c.expected) << c.name;
}

TEST(ManifestLoad, NeverShowsTheValueOfASecret) {
  const std::string message = ErrorOf(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
      "data: {password: hunter2, other: [hunter2], p/q: hunter2}\nstringData: hunter2\n");
  EXPECT_NE(message, "no error");
  EXPECT_EQ(message.find("hunter2"), std::string::npos) << message;
}

TEST(ManifestLoad, AConfigMapTooLargeForAnApiServerIsRefused) {
  const std::string message =
      ErrorOf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: \"" +
              std::string((1 << 20) + 1, 'x') + "\"}\n");
  EXPECT_EQ(
      message,
      "a.yaml:1: ConfigMap a: data: Too long: may not be more than 1048576 bytes, but is 1048577");
}

TEST(ManifestLoad, ALongListOfProblemsIsCut) {
  std::string content;
  for (int i = 0; i < 25; ++i) content += "---\napiVersion: v1\nkind: Secret\n";
  const std::string message = ErrorOf(content);
  EXPECT_TRUE(message.ends_with("\nand 5 more")) << message;
}

TEST(ManifestLoad, AMissingPathIsNamed) {
  const TempDir folder;
  const std::string path = folder / "nothing.yaml";
  const auto client = Load(path);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(client.error().ToString(), path + " cannot be read: No such file or directory");
}

TEST(ManifestLoad, AFolderWithoutManifestsIsAnError) {
  const TempDir folder;
  folder.Write("readme.txt", "x");
  folder.Write("deeper/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n");
  const auto client = Load(folder.path());
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().ToString(),
            folder.path().string() + " holds no *.yaml, *.yml or *.json file");
}

std::vector<std::string> NamesOf(ManifestClient& client, const Resource& resource) {
  std::vector<std::string> names;
  const auto listed = client.List(
      resource, {}, [&](Json&& object) { names.push_back(object["metadata"]["name"]); }, {});
  EXPECT_TRUE(listed);
  return names;
}

TEST(ManifestLoad, ReadsAFolderAsKubectlDoes) {
  const TempDir folder;
  folder.Write("1.yaml",
               "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n# empty\n---\n"
               "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n");
  folder.Write("2.json", R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})");
  folder.Write("3.yml",
               "apiVersion: v1\nkind: List\nitems:\n"
               "- {apiVersion: v1, kind: ConfigMap, metadata: {name: d}}\n"
               "- {apiVersion: v1, kind: ConfigMap, metadata: {name: e}}\n");
  folder.Write("4.txt", "not a manifest");
  folder.Write("5/6.yaml", "not: read");
  const auto client = Load(folder.path());
  ASSERT_TRUE(client) << client.error().ToString();
  EXPECT_EQ(NamesOf(**client, ConfigMaps()), (std::vector<std::string>{"a", "b", "c", "d", "e"}));
}

TEST(ManifestLoad, AFileThatIsGivenTwiceIsReadOnce) {
  const TempDir folder;
  const std::string file =
      folder.Write("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
  const auto client = ManifestClient::Load({file, folder.path()}, "shop", {});
  ASSERT_TRUE(client) << client.error().ToString();
  EXPECT_EQ(NamesOf(**client, ConfigMaps()).size(), 1u);
}

TEST(ManifestLoad, OtherKindsAreLeftOutWithAWarning) {
  const TempDir folder;
  const std::string file = folder.Write(
      "a.yaml",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: x}\n---\n"
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n");
  const auto client = Load(file);
  ASSERT_TRUE(client) << client.error().ToString();
  EXPECT_EQ((*client)->Warnings(),
            std::vector<std::string>{
                file + ":1: Deployment x/web: is left out; what counts here: ConfigMap, Secret, "
                       "DatabaseMigration"});
}

TEST(ManifestLoad, ASecretIsReadAsAnApiServerWouldShowIt) {
  const TempDir folder;
  const auto client = Load(folder.Write("a.yaml",
                                        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
                                        "data:\n  user: |\n    c2hv\n    cA==\n  password: "
                                        "b2xk\nstringData: {password: new, port: \"5432\"}\n"));
  ASSERT_TRUE(client) << client.error().ToString();
  const auto secret = (*client)->Get(Secrets(), {"shop", "a"}, {});
  ASSERT_TRUE(secret);
  EXPECT_EQ((*secret)["data"],
            Json::parse(R"({"user": "c2hvcA==", "password": "bmV3", "port": "NTQzMg=="})"));
  EXPECT_FALSE(secret->contains("stringData"));
  EXPECT_EQ((*secret)["type"], "Opaque");
}

TEST(ManifestLoad, WhatKubectlPrintsCanBeReadAgain) {
  const TempDir folder;
  const auto client = Load(folder.Write("a.yaml", R"(
apiVersion: whimbrel.dev/v1alpha1
kind: DatabaseMigration
metadata:
  name: orders
  namespace: t
  uid: 1e8ef526-216b-45b6-b72f-afaa872b9e6a
  resourceVersion: "258"
  generation: 7
  creationTimestamp: "2026-11-21T13:20:15Z"
  managedFields: []
spec:
  database: {secretRef: {name: orders-db}}
  source: {configMaps: [{name: orders-sql}], format: Auto}
status:
  observedGeneration: 7
)"));
  ASSERT_TRUE(client) << client.error().ToString();
  const auto object = (*client)->Get(kMigrations, {"t", "orders"}, {});
  ASSERT_TRUE(object);
  const Json metadata = (*object)["metadata"];
  EXPECT_EQ(metadata["generation"], 1);
  EXPECT_NE(metadata["uid"], "1e8ef526-216b-45b6-b72f-afaa872b9e6a");
  EXPECT_FALSE(metadata.contains("managedFields"));
  EXPECT_EQ((*object)["status"], Json::parse(R"({"observedGeneration": -1})"));
}

TEST(ManifestLoad, TheExamplesAreValid) {
  for (const char* example : {"quickstart", "flyway-event-sourcing", "numbered-existing-table",
                              "numbered-with-down-sections", "timestamped-row-level-security"}) {
    const auto client = Load(std::string(WHIMBREL_SOURCE_DIR "/examples/") + example);
    ASSERT_TRUE(client) << client.error().ToString();
    EXPECT_EQ((*client)->Warnings(), std::vector<std::string>{});
    EXPECT_EQ(NamesOf(**client, kMigrations).size(), 1u) << example;
  }
}

}  // namespace
}  // namespace whimbrel::kube
