#include "controller/job_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "unit/controller/job_builder_cases.h"
#include "whimbrel/report/runner_task.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::JobOf;
using testing::MigrationOf;

json Build(const std::string& patch) { return JobOf(MigrationOf(patch)).value(); }

const json& PodOf(const json& job) { return job.at("spec").at("template").at("spec"); }
const json& ContainerOf(const json& job) { return PodOf(job).at("containers").at(0); }
const json& AnnotationsOf(const json& job) {
  return job.at("spec").at("template").at("metadata").at("annotations");
}

report::RunnerTask TaskOf(const json& job) {
  const std::string text = AnnotationsOf(job).at("whimbrel.dev/run-task");
  return report::RunnerTaskFromJson(json::parse(text)).value();
}

/// Mount path and volume, of each volume of the pod.
std::map<std::string, json> MountsOf(const json& job) {
  std::map<std::string, json> mounts;
  for (const json& mount : ContainerOf(job).at("volumeMounts")) {
    EXPECT_TRUE(mount.at("readOnly"));
    for (json volume : PodOf(job).at("volumes")) {
      if (volume.at("name") != mount.at("name")) continue;
      volume.erase("name");
      mounts.emplace(mount.at("mountPath"), std::move(volume));
    }
  }
  EXPECT_EQ(mounts.size(), PodOf(job).at("volumes").size());
  return mounts;
}

TEST(JobName, FitsIntoALabelAndTellsResourcesAndAttemptsApart) {
  const struct {
    const char* sentence;
    std::string name;
    int number;
    std::string job;
  } cases[] = {
      {"a short name", "orders", 1, "orders-1a2b3c4d-1"},
      {"a name with dots", "orders.v2.db", 12, "orders-v2-db-1a2b3c4d-12"},
      {"a name that is cut", std::string(50, 'a'), 3, std::string(40, 'a') + "-1a2b3c4d-3"},
      {"a name that is cut after a dash", std::string(39, 'a') + "-bc", 3,
       std::string(39, 'a') + "-1a2b3c4d-3"},
      {"a name that is cut after a dot", std::string(39, 'a') + ".bc", 3,
       std::string(39, 'a') + "-1a2b3c4d-3"},
      {"the longest of all", std::string(253, 'a'), 2'147'483'647,
       std::string(40, 'a') + "-1a2b3c4d-2147483647"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.sentence);
    const Metadata owner{.key = {.ns = "shop", .name = c.name}, .uid = "1a2b3c4d-5e6f"};
    EXPECT_EQ(JobName(owner, c.number), c.job);
    EXPECT_LE(JobName(owner, c.number).size(), 63u);
  }
}

TEST(BuildJob, IsAJobOfOneAttemptThatBelongsToItsResource) {
  json job = Build("{}");
  const json metadata = job["spec"]["template"]["metadata"];
  const json labels = json::parse(R"({
      "app.kubernetes.io/name": "whimbrel", "app.kubernetes.io/component": "runner",
      "app.kubernetes.io/part-of": "whimbrel", "app.kubernetes.io/managed-by": "whimbrel",
      "whimbrel.dev/migration-uid": "1a2b3c4d-5e6f-4711-8899-aabbccddeeff",
      "whimbrel.dev/run-id": "9f8e7d6c-0000-4000-8000-000000000002"})");
  EXPECT_EQ(metadata["labels"], labels);
  EXPECT_EQ(job["metadata"]["labels"], labels);
  job["spec"].erase("template");
  EXPECT_EQ(job["spec"], json::parse(R"({"completions": 1, "parallelism": 1, "backoffLimit": 0,
                                         "podReplacementPolicy": "Failed"})"));
  EXPECT_EQ(job["apiVersion"], "batch/v1");
  EXPECT_EQ(job["kind"], "Job");
  EXPECT_EQ(job["metadata"]["name"], "orders-1a2b3c4d-7");
  EXPECT_EQ(job["metadata"]["namespace"], "shop");
  EXPECT_EQ(job["metadata"]["ownerReferences"], json::parse(R"([{
      "apiVersion": "whimbrel.dev/v1alpha1", "kind": "DatabaseMigration", "name": "orders",
      "uid": "1a2b3c4d-5e6f-4711-8899-aabbccddeeff", "controller": true,
      "blockOwnerDeletion": false}])"));
}

TEST(BuildJob, HasThePodThatTheSecurityPageDescribes) {
  json pod = PodOf(Build("{}"));
  pod["containers"][0].erase("volumeMounts");
  pod.erase("volumes");
  EXPECT_EQ(pod, json::parse(R"({
      "restartPolicy": "Never", "activeDeadlineSeconds": 22500,
      "terminationGracePeriodSeconds": 60,
      "automountServiceAccountToken": false, "enableServiceLinks": false,
      "nodeSelector": {"kubernetes.io/os": "linux"},
      "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
                          "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
      "tolerations": [
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute",
         "tolerationSeconds": 60},
        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute",
         "tolerationSeconds": 60}],
      "containers": [{
        "name": "runner", "image": "registry.example/whimbrel:1.2.3",
        "imagePullPolicy": "IfNotPresent", "command": ["/whimbrel", "runner"],
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                            "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}}}]})"));
}

TEST(BuildJob, SaysNothingThatItDoesNotMean) {
  const json job = Build("{}");
  for (const char* absent : {"serviceAccountName", "priorityClassName", "runtimeClassName",
                             "imagePullSecrets", "hostNetwork"}) {
    EXPECT_FALSE(PodOf(job).contains(absent)) << absent;
  }
  EXPECT_FALSE(job["spec"].contains("ttlSecondsAfterFinished"));
  for (const char* absent : {"args", "env", "envFrom"}) {
    EXPECT_FALSE(ContainerOf(job).contains(absent)) << absent;
  }
}

TEST(BuildJob, IsTheSameForTheSameInputs) {
  EXPECT_EQ(Build(testing::kEverything).dump(), Build(testing::kEverything).dump());
}

TEST(BuildJob, CanBeReadBack) {
  const JobFacts job = ReadJob(Build("{}"));
  EXPECT_EQ(job.name, "orders-1a2b3c4d-7");
  EXPECT_EQ(job.owner_uid, "1a2b3c4d-5e6f-4711-8899-aabbccddeeff");
  EXPECT_EQ(job.owner_name, "orders");
  EXPECT_EQ(job.run_id, "9f8e7d6c-0000-4000-8000-000000000002");
  EXPECT_EQ(job.number, 7);
  EXPECT_EQ(job.source_digest, "sha256:" + std::string(64, 'a'));
  ASSERT_EQ(job.resolved.size(), 1u);
  EXPECT_EQ(job.resolved[0].name, "orders-sql");
  EXPECT_EQ(job.resolved[0].resource_version, "5");
}

TEST(BuildJob, TakesWhatTheUserSaysAboutItsPod) {
  const struct {
    const char* sentence;
    const char* job;
    const char* where;  ///< Below spec.template.
    const char* what;
  } cases[] = {
      {"a service account", R"({"serviceAccountName": "a"})", "/spec/serviceAccountName", R"("a")"},
      {"a priority class", R"({"priorityClassName": "p"})", "/spec/priorityClassName", R"("p")"},
      {"a runtime class", R"({"runtimeClassName": "r"})", "/spec/runtimeClassName", R"("r")"},
      {"secrets for the registry", R"({"imagePullSecrets": [{"name": "a"}, {"name": "b"}]})",
       "/spec/imagePullSecrets", R"([{"name": "a"}, {"name": "b"}])"},
      {"nodes", R"({"nodeSelector": {"disk": "ssd"}})", "/spec/nodeSelector",
       R"({"disk": "ssd", "kubernetes.io/os": "linux"})"},
      {"nodes of another system", R"({"nodeSelector": {"kubernetes.io/os": "other"}})",
       "/spec/nodeSelector", R"({"kubernetes.io/os": "other"})"},
      {"a toleration, before those of ours",
       R"({"tolerations": [{"key": "k", "value": "v", "effect": "NoExecute",
                            "tolerationSeconds": 0}]})",
       "/spec/tolerations/0",
       R"({"key": "k", "value": "v", "effect": "NoExecute", "tolerationSeconds": 0})"},
      {"a label", R"({"podLabels": {"team": "x"}})", "/metadata/labels/team", R"("x")"},
      {"an annotation", R"({"podAnnotations": {"a": "b"}})", "/metadata/annotations/a", R"("b")"},
      {"an annotation that we have a usual value for",
       R"({"podAnnotations": {"karpenter.sh/do-not-disrupt": "false"}})",
       "/metadata/annotations/karpenter.sh~1do-not-disrupt", R"("false")"},
      {"a memory limit below our request", R"({"resources": {"limits": {"memory": "16Mi"}}})",
       "/spec/containers/0/resources",
       R"({"requests": {"cpu": "50m"}, "limits": {"memory": "16Mi"}})"},
      {"a memory request above our limit", R"({"resources": {"requests": {"memory": "1Gi"}}})",
       "/spec/containers/0/resources",
       R"({"requests": {"cpu": "50m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}})"},
      {"a CPU limit below our request", R"({"resources": {"limits": {"cpu": "20m"}}})",
       "/spec/containers/0/resources",
       R"({"requests": {"memory": "32Mi"}, "limits": {"cpu": "20m", "memory": "128Mi"}})"},
      {"storage", R"({"resources": {"limits": {"ephemeral-storage": "1Gi"}}})",
       "/spec/containers/0/resources/limits", R"({"memory": "128Mi", "ephemeral-storage": "1Gi"})"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.sentence);
    const json job = Build(std::string(R"({"job": )") + c.job + "}");
    EXPECT_EQ(job.at("spec").at("template").at(json::json_pointer(c.where)), json::parse(c.what));
  }
  EXPECT_EQ(Build(R"({"job": {"ttlSecondsAfterFinished": 60}})")["spec"]["ttlSecondsAfterFinished"],
            60);
}

TEST(BuildJob, OurLabelsAndAnnotationsWin) {
  DatabaseMigration object = MigrationOf("{}");
  // The CRD refuses these; an older one might not.
  object.spec->job.pod_labels = {{"whimbrel.dev/run-id", "x"}, {"app.kubernetes.io/name", "x"}};
  object.spec->job.pod_annotations = {{"whimbrel.dev/run-task", "x"}};
  const json job = JobOf(object).value();
  EXPECT_EQ(job["spec"]["template"]["metadata"]["labels"],
            Build("{}")["spec"]["template"]["metadata"]["labels"]);
  EXPECT_EQ(AnnotationsOf(job), AnnotationsOf(Build("{}")));
}

TEST(BuildJob, MountsTheFilesThatTheResourceNames) {
  const auto mounts = [](const char* patch) {
    json all = json::object();
    for (const auto& [path, volume] : MountsOf(Build(patch))) all[path] = volume;
    return all;
  };
  const std::string task = R"({"downwardAPI": {"defaultMode": 288, "items": [
      {"path": "task.json",
       "fieldRef": {"fieldPath": "metadata.annotations['whimbrel.dev/run-task']"}}]}})";
  const std::string login =
      R"("/etc/whimbrel/credentials":
         {"secret": {"secretName": "orders-db", "optional": true, "defaultMode": 288}})";
  EXPECT_EQ(mounts("{}"), json::parse(R"({"/etc/whimbrel/task": )" + task + "," + login + R"(,
      "/etc/whimbrel/source/0":
         {"configMap": {"name": "orders-sql", "optional": true, "defaultMode": 288}}})"));
  EXPECT_EQ(mounts(testing::kEverything),
            json::parse(R"({"/etc/whimbrel/task": )" + task + "," + login + R"(,
      "/etc/whimbrel/source/0":
         {"configMap": {"name": "base", "optional": true, "defaultMode": 288}},
      "/etc/whimbrel/source/1":
         {"configMap": {"name": "more", "optional": true, "defaultMode": 288,
                        "items": [{"key": "002_b.sql", "path": "002_b.sql"},
                                  {"key": ".hidden.sql", "path": ".hidden.sql"}]}},
      "/etc/whimbrel/authority":
         {"secret": {"secretName": "ca", "optional": true, "defaultMode": 288,
                     "items": [{"key": "ca.crt", "path": "ca.pem"}]}},
      "/etc/whimbrel/client":
         {"secret": {"secretName": "client", "optional": true, "defaultMode": 288,
                     "items": [{"key": "tls.crt", "path": "tls.crt"},
                               {"key": "tls.key", "path": "tls.key"}]}}})"));
  EXPECT_EQ(mounts(testing::kArchived)["/etc/whimbrel/archive"], json::parse(R"({
      "configMap": {"name": "all", "optional": true, "defaultMode": 288,
                    "items": [{"key": "sql.tgz", "path": "archive.tar.gz"}]}})"));
  const json open = mounts(testing::kWithoutPassword);
  EXPECT_FALSE(open.contains("/etc/whimbrel/credentials"));
  EXPECT_EQ(open["/etc/whimbrel/authority"], json::parse(R"({
      "configMap": {"name": "roots", "optional": true, "defaultMode": 288,
                    "items": [{"key": "bundle.pem", "path": "ca.pem"}]}})"));
}

TEST(BuildJob, TellsTheRunnerWhatToDoAndWhatIsMounted) {
  const report::RunnerTask task = TaskOf(Build(testing::kEverything));
  EXPECT_EQ(task.request.run_id, "9f8e7d6c-0000-4000-8000-000000000002");
  EXPECT_EQ(task.request.ns, "shop");
  EXPECT_EQ(task.request.name, "orders");
  EXPECT_EQ(task.request.attempt, 2);
  EXPECT_EQ(task.request.execution.deadline, std::chrono::seconds(3600));
  EXPECT_EQ(task.request.database.keys.password, "pw");
  EXPECT_EQ(task.request.database.tls.mode, "verify-full");
  EXPECT_EQ(task.source_digest, "sha256:" + std::string(64, 'a'));
  EXPECT_THAT(
      task.folders,
      ElementsAre(report::MountedFolder{.origin = "ConfigMap shop/base", .directory = "db/1.0"},
                  report::MountedFolder{.origin = "ConfigMap shop/more",
                                        .keys = {"002_b.sql", ".hidden.sql"}}));
  EXPECT_EQ(task.secret, "orders-db");
  EXPECT_EQ(task.authority, "Secret shop/ca, key ca.crt");
  EXPECT_EQ(task.client_certificate, "client");
  EXPECT_EQ(task.archive, "");
  EXPECT_FALSE(task.inline_files);
}

TEST(BuildJob, TellsTheRunnerOfAnArchiveAndOfAConnection) {
  EXPECT_EQ(TaskOf(Build(testing::kArchived)).archive, "ConfigMap shop/all, key sql.tgz");
  const report::RunnerTask task = TaskOf(Build(testing::kWithoutPassword));
  EXPECT_EQ(task.secret, "");
  EXPECT_EQ(task.request.database.connection->host, "pg");
  EXPECT_EQ(task.authority, "ConfigMap shop/roots, key bundle.pem");
}

TEST(BuildJob, BringsInlineFilesAsAnAnnotation) {
  const json job = Build(testing::kWrittenInline);
  EXPECT_TRUE(TaskOf(job).inline_files);
  EXPECT_EQ(json::parse(AnnotationsOf(job).at("whimbrel.dev/inline-sql").get<std::string>()),
            json::parse(R"j([{"name": "001_é.sql", "sql": "SELECT 'a\"b';\n"}])j"));
  const json items = MountsOf(job)["/etc/whimbrel/task"]["downwardAPI"]["items"];
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[1], json::parse(R"({"path": "inline.json",
      "fieldRef": {"fieldPath": "metadata.annotations['whimbrel.dev/inline-sql']"}})"));
}

TEST(BuildJob, ItsPodEndsAfterTheRunnerEndsItself) {
  for (const int deadline : {60, 3600, 604800}) {
    DatabaseMigration object = MigrationOf("{}");
    object.spec->execution.request.deadline = std::chrono::seconds(deadline);
    EXPECT_EQ(PodOf(JobOf(object).value())["activeDeadlineSeconds"], deadline + 900);
  }
}

TEST(BuildJob, WhatDoesNotFitIntoAnnotationsIsRefusedWithAWayOut) {
  DatabaseMigration object = MigrationOf(testing::kWrittenInline);
  object.spec->source.inline_files[0].sql = std::string(128 << 10, 'x');
  EXPECT_TRUE(JobOf(object));
  object.spec->source.inline_files[0].sql = std::string(128 << 10, '\n');  // Twice as long in JSON.
  const Result<json> large = JobOf(object);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(large.error().message, HasSubstr("spec.source.configMaps"));
  DatabaseMigration many = MigrationOf("{}");
  many.spec->source.config_maps[0].keys.assign(1000, std::string(253, 'k'));
  const Result<json> keys = JobOf(many);
  ASSERT_FALSE(keys);
  EXPECT_THAT(keys.error().message, HasSubstr("name fewer keys"));
}

}  // namespace
}  // namespace whimbrel::controller
