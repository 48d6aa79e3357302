#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/api_server.h"
#include "unit/controller/job_builder_cases.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::JobOf;
using testing::MigrationOf;
using whimbrel::testing::HttpAnswer;
using whimbrel::testing::SharedApiServer;

struct BuiltJob {
  std::string sentence;
  DatabaseMigration object;
};

std::vector<BuiltJob> BuiltJobs() {
  std::vector<BuiltJob> jobs = {{"the least", MigrationOf("{}")},
                                {"everything", MigrationOf(testing::kEverything)},
                                {"an archive", MigrationOf(testing::kArchived)},
                                {"inline files", MigrationOf(testing::kWrittenInline)},
                                {"no password", MigrationOf(testing::kWithoutPassword)},
                                {"the longest name", MigrationOf("{}")},
                                {"the most inline SQL", MigrationOf(testing::kWrittenInline)},
                                {"the longest of all deadlines",
                                 MigrationOf(R"({"execution": {"deadlineSeconds": 604800}})")}};
  jobs[5].object.metadata.key.name = std::string(39, 'a') + "." + std::string(213, 'b');
  jobs[6].object.spec->source.inline_files[0].sql = std::string(128 << 10, 'x');
  return jobs;
}

/// A namespace whose pods must comply with `restricted`.
std::string RestrictedNamespace() {
  const std::string ns = SharedApiServer().CreateNamespace();
  SharedApiServer().MustKubectl(
      {"label", "namespace", ns, "pod-security.kubernetes.io/enforce=restricted"});
  return ns;
}

/// The pod that the Job controller would create.
json PodOf(const json& job, const std::string& ns) {
  const json& from = job.at("spec").at("template");
  json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"spec", from.at("spec")}};
  pod["metadata"] = from.at("metadata");
  pod["metadata"]["namespace"] = ns;
  pod["metadata"]["generateName"] = job.at("metadata").at("name").get<std::string>() + "-";
  return pod;
}

HttpAnswer CreatePod(const json& pod, const std::string& ns) {
  return SharedApiServer().Request(
      "POST", "/api/v1/namespaces/" + ns + "/pods?fieldValidation=Strict", pod.dump());
}

TEST(BuildJobOnApiServer, TheServerTakesEveryJobAndKeepsWhatWeReadFromIt) {
  const std::string ns = RestrictedNamespace();
  const std::string path = "/apis/batch/v1/namespaces/" + ns + "/jobs?fieldValidation=Strict";
  int number = 0;
  for (BuiltJob& built : BuiltJobs()) {
    SCOPED_TRACE(built.sentence);
    built.object.metadata.key.ns = ns;
    const json job = JobOf(built.object, ++number).value();
    const HttpAnswer answer = SharedApiServer().Request("POST", path, job.dump());
    ASSERT_EQ(answer.status, 201) << answer.body;
    const JobFacts facts = ReadJob(json::parse(answer.body));
    EXPECT_EQ(facts.name, JobName(built.object.metadata, number));
    EXPECT_EQ(facts.owner_name, built.object.metadata.key.name);
    EXPECT_EQ(facts.owner_uid, built.object.metadata.uid);
    EXPECT_EQ(facts.number, number);
    EXPECT_FALSE(facts.uid.empty() || facts.resolved.empty());
    EXPECT_FALSE(facts.deleting || facts.suspended || facts.complete || facts.failed);
  }
}

TEST(BuildJobOnApiServer, TheirPodsComplyWithTheRestrictedSecurityLevel) {
  const std::string ns = RestrictedNamespace();
  for (const BuiltJob& built : BuiltJobs()) {
    SCOPED_TRACE(built.sentence);
    const HttpAnswer answer = CreatePod(PodOf(JobOf(built.object).value(), ns), ns);
    EXPECT_EQ(answer.status, 201) << answer.body;
  }
}

TEST(BuildJobOnApiServer, TheNamespaceOfThatTestWouldRefuseAPodThatAsksForMore) {
  const std::string ns = RestrictedNamespace();
  json pod = PodOf(JobOf(MigrationOf("{}")).value(), ns);
  pod["spec"]["containers"][0]["securityContext"].erase("capabilities");
  const HttpAnswer answer = CreatePod(pod, ns);
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("PodSecurity"));
}

TEST(BuildJobOnApiServer, WhatTheTotalOfAnnotationsAllowsIsKnownHereToo) {
  const std::string ns = RestrictedNamespace();
  json pod = PodOf(JobOf(MigrationOf("{}")).value(), ns);
  std::size_t bytes = std::string("filler").size();
  for (const auto& [key, value] : pod["metadata"]["annotations"].items()) {
    bytes += key.size() + value.get<std::string>().size();
  }
  pod["metadata"]["annotations"]["filler"] = std::string(262'144 - bytes, 'x');
  EXPECT_EQ(CreatePod(pod, ns).status, 201);
  pod["metadata"]["annotations"]["filler"] = std::string(262'145 - bytes, 'x');
  const HttpAnswer answer = CreatePod(pod, ns);
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, HasSubstr("annotations"));
}

}  // namespace
}  // namespace whimbrel::controller
