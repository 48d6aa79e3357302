#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/controller/job_builder_cases.h"
#include "unit/deploy/installation.h"

namespace whimbrel::deploy {
namespace {

using controller::DatabaseMigration;
using nlohmann::json;
using testing::CreateRefusal;
using ::testing::HasSubstr;
using testing::InstalledServer;
using testing::kOperator;
using whimbrel::testing::ApiServer;
using whimbrel::testing::Eventually;
using whimbrel::testing::HttpAnswer;

constexpr const char* kSomebody = "somebody";
/// Everything that a Job can name, so that nothing is allowed only because it is absent.
constexpr const char* kSpec = R"j({
  "source": {"configMaps": [{"name": "orders-sql"}]},
  "database": {"secretRef": {"name": "orders-db"},
               "tls": {"mode": "VerifyFull", "caRef": {"kind": "Secret", "name": "orders-ca"},
                       "clientCertSecretRef": {"name": "orders-client"}}},
  "job": {"serviceAccountName": "migrations", "imagePullSecrets": [{"name": "registry"}]}})j";

constexpr const char* kWrittenInline = R"j({
  "source": {"configMaps": null, "inline": [{"name": "001_a.sql", "sql": "SELECT 1"}]}})j";

class JobPolicyTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = &InstalledServer();
    server_->MustKubectl(
        {"create", "clusterrole", "makes-jobs", "--verb=create", "--resource=jobs.batch"});
    server_->MustKubectl({"create", "clusterrolebinding", "somebody-makes-jobs",
                          "--clusterrole=makes-jobs", std::string("--user=") + kSomebody});
    image_ = server_->MustKubectl({"get", "deployment", "whimbrel", "-n", "whimbrel-system", "-o",
                                   "jsonpath={.spec.template.spec.containers[0].image}"});
  }

  void SetUp() override {
    owner_ = Create("orders", json::parse(kSpec));
    // A policy counts some time after it was written, and a resource some time after the policy's
    // own watch has seen it.
    ASSERT_TRUE(Eventually([&] { return Refusal(JobFor(owner_)).empty(); }))
        << Refusal(JobFor(owner_));
    json other = JobFor(owner_);
    Container(other)["image"] = "another:1";
    ASSERT_TRUE(Eventually([&] { return !Refusal(other).empty(); }));
  }

  /// The resource as the server stored it.
  DatabaseMigration Create(const std::string& name, const json& spec) {
    const json object = {{"apiVersion", "whimbrel.dev/v1alpha1"},
                         {"kind", "DatabaseMigration"},
                         {"metadata", {{"name", name}}},
                         {"spec", spec}};
    const HttpAnswer answer = server_->Request(
        "POST", "/apis/whimbrel.dev/v1alpha1/namespaces/" + ns_ + "/databasemigrations",
        object.dump());
    if (answer.status != 201) throw std::runtime_error(answer.body);
    return controller::ParseDatabaseMigration(json::parse(answer.body));
  }

  static json JobFor(const DatabaseMigration& object) {
    return controller::BuildJob(object, controller::testing::RunOf(object, 1), 1, {},
                                {.image = image_})
        .value();
  }
  static json& Pod(json& job) { return job["spec"]["template"]["spec"]; }
  static json& Container(json& job) { return Pod(job)["containers"][0]; }

  static std::string Refusal(const json& job, const std::string& user = kOperator) {
    return CreateRefusal(*server_, user, job);
  }

  static inline ApiServer* server_ = nullptr;
  static inline std::string image_;
  std::string ns_ = InstalledServer().CreateNamespace();
  DatabaseMigration owner_;
};

struct Forbidden {
  std::string sentence;
  std::string pointer;  ///< Where in the Job.
  json value;
  std::string message;
};

const std::string kPod = "/spec/template/spec";
const std::string kContainer = kPod + "/containers/0";

std::vector<Forbidden> ForbiddenContainers() {
  const json second = {{"name", "second"}, {"image", "busybox"}};
  return {
      {"another image", kContainer + "/image", "busybox", "the image must be"},
      {"another command", kContainer + "/command", {"/bin/sh"}, "the command must be"},
      {"arguments", kContainer + "/args", {"--x"}, "the command must be"},
      {"a second container", kPod + "/containers/-", second, "exactly one container"},
      {"an init container", kPod + "/initContainers", {second}, "no init container"},
      {"environment",
       kContainer + "/env",
       {{{"name", "LD_PRELOAD"}, {"value", "x"}}},
       "no environment"},
      {"environment of a Secret",
       kContainer + "/envFrom",
       {{{"secretRef", {{"name", "orders-db"}}}}},
       "no environment"},
      {"a hook",
       kContainer + "/lifecycle",
       {{"preStop", {{"exec", {{"command", {"x"}}}}}}},
       "no environment"},
      {"a probe", kContainer + "/livenessProbe", {{"exec", {{"command", {"x"}}}}}, "no probes"},
  };
}

std::vector<Forbidden> ForbiddenContexts() {
  return {
      {"root", kPod + "/securityContext/runAsUser", 0, "the pod's securityContext"},
      {"root, past the pod's", kContainer + "/securityContext/runAsUser", 0,
       "the container's securityContext"},
      {"perhaps root", kPod + "/securityContext/runAsNonRoot", false, "the pod's securityContext"},
      {"no seccomp profile",
       kPod + "/securityContext/seccompProfile",
       {{"type", "Unconfined"}},
       "the pod's securityContext"},
      {"a container without a security context", kContainer + "/securityContext", json::object(),
       "the container's securityContext"},
      {"privilege escalation", kContainer + "/securityContext/allowPrivilegeEscalation", true,
       "the container's securityContext"},
      {"a capability",
       kContainer + "/securityContext/capabilities/add",
       {"NET_RAW"},
       "the container's securityContext"},
      {"a writable root", kContainer + "/securityContext/readOnlyRootFilesystem", false,
       "the container's securityContext"},
  };
}

std::vector<Forbidden> ForbiddenPods() {
  return {
      {"a token", kPod + "/automountServiceAccountToken", true, "automountServiceAccountToken"},
      {"the host's network", kPod + "/hostNetwork", true, "the host's network"},
      {"the host's processes", kPod + "/hostPID", true, "the host's network"},
      {"other host names",
       kPod + "/hostAliases",
       {{{"ip", "10.0.0.1"}, {"hostnames", {"db"}}}},
       "the host's network"},
      {"a node of choice", kPod + "/nodeName", "node1", "choose its node"},
      {"a host path",
       kPod + "/volumes/-",
       {{"name", "h"}, {"hostPath", {{"path", "/"}}}},
       "the volumes must be"},
      {"a token as a volume",
       kPod + "/volumes/-",
       {{"name", "t"}, {"projected", {{"sources", {{{"serviceAccountToken", {{"path", "t"}}}}}}}}},
       "the volumes must be"},
      {"an empty directory",
       kPod + "/volumes/-",
       {{"name", "e"}, {"emptyDir", json::object()}},
       "the volumes must be"},
      {"several pods", "/spec/parallelism", 2, "one pod"},
      {"a pod that is started again", "/spec/backoffLimit", 3, "one pod"},
      {"no owner", "/metadata/ownerReferences", json::array(), "one owner"},
      {"another kind of owner", "/metadata/ownerReferences/0/kind", "Other", "one owner"},
      {"a label that is not the owner's uid", "/metadata/labels/whimbrel.dev~1migration-uid",
       "00000000-0000-4000-8000-000000000000", "one owner"},
      // With no labels at all, the server would copy the pod's.
      {"other labels", "/metadata/labels", {{"team", "orders"}}, "one owner"},
  };
}

json WithVolume(json job, const std::string& type, const std::string& field,
                const std::string& name) {
  job["spec"]["template"]["spec"]["volumes"].push_back({{"name", "more"}, {type, {{field, name}}}});
  return job;
}

TEST_F(JobPolicyTest, TheOperatorsOwnJobsAreTaken) {
  int number = 0;
  for (const char* patch : {controller::testing::kEverything, controller::testing::kArchived,
                            kWrittenInline, controller::testing::kWithoutPassword, "{}"}) {
    json spec = json::parse(kSpec);
    spec.merge_patch(json::parse(patch));
    const DatabaseMigration object = Create("m" + std::to_string(++number), spec);
    const json job = JobFor(object);
    EXPECT_TRUE(Eventually([&] { return Refusal(job).empty(); })) << patch << Refusal(job);
  }
}

TEST_F(JobPolicyTest, EachOtherShapeIsRefusedWithItsReason) {
  for (const auto& group : {ForbiddenContainers(), ForbiddenContexts(), ForbiddenPods()}) {
    for (const Forbidden& forbidden : group) {
      SCOPED_TRACE(forbidden.sentence);
      const json change = {{"op", "add"}, {"path", forbidden.pointer}, {"value", forbidden.value}};
      EXPECT_THAT(Refusal(JobFor(owner_).patch(json::array({change}))),
                  HasSubstr(forbidden.message));
    }
  }
}

TEST_F(JobPolicyTest, WhatTheOwnerDoesNotNameIsRefused) {
  const json job = JobFor(owner_);
  EXPECT_THAT(Refusal(WithVolume(job, "secret", "secretName", "another")),
              HasSubstr("a Secret is mounted that the owning DatabaseMigration does not name"));
  EXPECT_THAT(Refusal(WithVolume(job, "configMap", "name", "another")),
              HasSubstr("a ConfigMap is mounted"));
  // A name counts for its own kind alone.
  EXPECT_THAT(Refusal(WithVolume(job, "secret", "secretName", "orders-sql")),
              HasSubstr("a Secret is mounted"));
  json account = job;
  Pod(account)["serviceAccountName"] = "default";
  EXPECT_THAT(Refusal(account), HasSubstr("the ServiceAccount must be"));
  json pull = job;
  Pod(pull)["imagePullSecrets"].push_back({{"name", "another"}});
  EXPECT_THAT(Refusal(pull), HasSubstr("an imagePullSecret is used"));
  json name = job;
  name["metadata"]["ownerReferences"][0]["name"] = "another";
  EXPECT_THAT(Refusal(name), HasSubstr("the owner reference must have the name"));
}

TEST_F(JobPolicyTest, TheOwnerIsTheOneWithTheUidWhateverOthersName) {
  json spec = json::parse(R"({"source": {"configMaps": [{"name": "x"}]}})");
  spec["database"] = {{"secretRef", {{"name", "others-db"}}}};
  const json others = JobFor(Create("others", spec));
  EXPECT_TRUE(Eventually([&] { return Refusal(others).empty(); })) << Refusal(others);
  EXPECT_THAT(Refusal(WithVolume(JobFor(owner_), "secret", "secretName", "others-db")),
              HasSubstr("a Secret is mounted"));
}

TEST_F(JobPolicyTest, AJobOfAResourceThatRunsInProcessIsRefused) {
  json spec = json::parse(kSpec);
  spec.erase("job");
  spec["execution"] = {{"mode", "InProcess"}};
  const json job = JobFor(Create("in-process", spec));
  EXPECT_TRUE(Eventually([&] { return !Refusal(job).empty(); }));
  EXPECT_THAT(Refusal(job), HasSubstr("does not ask for a Job"));
}

TEST_F(JobPolicyTest, WithoutAnyResourceInTheNamespaceTheOperatorMakesNoJob) {
  json job = JobFor(owner_);
  job["metadata"]["namespace"] = InstalledServer().CreateNamespace();
  EXPECT_THAT(Refusal(job), HasSubstr("whimbrel-job-owner"));
}

TEST_F(JobPolicyTest, JobsOfEverybodyElseAreNobodysBusiness) {
  json job = JobFor(owner_);
  Container(job)["image"] = "busybox";
  Container(job)["command"] = {"/bin/sh"};
  job["metadata"].erase("ownerReferences");
  job["metadata"].erase("labels");
  job["spec"]["template"].erase("metadata");
  EXPECT_EQ(Refusal(job, kSomebody), "");
  job["metadata"]["namespace"] = InstalledServer().CreateNamespace();  // Without resources of ours.
  EXPECT_EQ(Refusal(job, kSomebody), "");
  EXPECT_THAT(Refusal(job), HasSubstr("whimbrel-job-shape"));
}

/// docs/security.md says so: rules are asked for one resource at a time, so that none can say that
/// no resource has this uid.
TEST_F(JobPolicyTest, AnInventedUidIsNotCaught) {
  json job = WithVolume(JobFor(owner_), "secret", "secretName", "another");
  const std::string uid = "00000000-0000-4000-8000-000000000000";
  job["metadata"]["ownerReferences"][0]["uid"] = uid;
  job["metadata"]["labels"]["whimbrel.dev/migration-uid"] = uid;
  EXPECT_EQ(Refusal(job), "");
}

}  // namespace
}  // namespace whimbrel::deploy
