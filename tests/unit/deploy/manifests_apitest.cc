#include <gtest/gtest.h>

#include <fstream>

#include "support/subprocess.h"
#include "support/temp_dir.h"
#include "unit/deploy/installation.h"

namespace whimbrel::deploy {
namespace {

using nlohmann::json;
using testing::ApplyRefusal;
using testing::InstalledServer;
using testing::kDeploy;
using whimbrel::testing::ProcessResult;
using whimbrel::testing::RunProcess;
using whimbrel::testing::TempDir;

constexpr const char* kRender = WHIMBREL_SOURCE_DIR "/scripts/render-deploy.sh";

std::vector<std::filesystem::path> FilesOf(const char* folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kDeploy / folder)) {
    files.push_back(entry.path());
  }
  return files;
}

TEST(ManifestsTest, TheServerTakesEveryFileAsItIs) {
  std::vector<std::filesystem::path> files = {kDeploy / "install-namespaced.yaml"};
  for (const char* folder : {"optional", "samples"}) {
    const auto more = FilesOf(folder);
    EXPECT_FALSE(more.empty()) << folder;
    files.insert(files.end(), more.begin(), more.end());
  }
  for (const auto& file : files) {
    EXPECT_EQ(ApplyRefusal(InstalledServer(), file, /*dry_run=*/true), "") << file;
  }
}

TEST(ManifestsTest, TheInstallationsAreWhatTheirPartsSay) {
  const ProcessResult checked = RunProcess({.argv = {kRender, "--check"}});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
}

TEST(ManifestsTest, AnInstallationOfAnImageForNamespacesIsTakenToo) {
  const ProcessResult rendered = RunProcess(
      {.argv = {kRender, "--image", "registry.example:5000/w@sha256:" + std::string(64, 'a'),
                "--namespaces", "default,kube-public"}});
  ASSERT_EQ(rendered.exit_code, 0) << rendered.err;
  EXPECT_EQ(rendered.out.find('@' + std::string("IMAGE")), std::string::npos);
  const TempDir folder;
  EXPECT_EQ(ApplyRefusal(InstalledServer(), folder.Write("install.yaml", rendered.out), true), "");
}

TEST(ManifestsTest, WhatCannotBeRenderedIsRefused) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--namespaces", "Shop"},
        {"--image", "a b"},
        {"--image"},
        {"--no"}}) {
    std::vector<std::string> argv = {kRender};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const ProcessResult refused = RunProcess({.argv = argv});
    EXPECT_EQ(refused.exit_code, 2) << ::testing::PrintToString(arguments);
    EXPECT_NE(refused.err, "");
  }
}

/// kubectl's annotation of a client-side apply holds at most 262,144 bytes.
TEST(ManifestsTest, TheCrdFitsIntoAPlainKubectlApply) {
  const std::string crd = InstalledServer().MustKubectl(
      {"create", "--dry-run=client", "-o", "json", "-f",
       WHIMBREL_SOURCE_DIR "/crds/databasemigrations.whimbrel.dev.yaml"});
  EXPECT_LT(json::parse(crd).dump().size(), 200'000u);
}

/// What the Pod Security level of the operator's namespace says about its own pods.
TEST(ManifestsTest, TheControllersPodsComplyWithTheRestrictedLevel) {
  const json deployment = json::parse(InstalledServer().MustKubectl(
      {"get", "deployment", "whimbrel", "-n", "whimbrel-system", "-o", "json"}));
  json pod = deployment.at("spec").at("template");
  pod["apiVersion"] = "v1";
  pod["kind"] = "Pod";
  pod["metadata"]["name"] = "whimbrel-0";
  pod["metadata"]["namespace"] = "whimbrel-system";
  const ProcessResult created =
      InstalledServer().Kubectl({"create", "--dry-run=server", "-f", "-"}, pod.dump());
  EXPECT_EQ(created.exit_code, 0) << created.err;
  pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = true;
  const ProcessResult refused =
      InstalledServer().Kubectl({"create", "--dry-run=server", "-f", "-"}, pod.dump());
  EXPECT_NE(refused.err.find("restricted"), std::string::npos) << refused.err;
}

TEST(ManifestsTest, TheControllerHasTimeToStopInOrder) {
  const json spec = json::parse(InstalledServer().MustKubectl(
      {"get", "deployment", "whimbrel", "-n", "whimbrel-system", "-o", "json"}))["spec"];
  const json& pod = spec.at("template").at("spec");
  EXPECT_EQ(spec.at("replicas"), 2);
  const std::string flag = "--graceful-shutdown-timeout-seconds=";
  int seconds = 0;
  for (const std::string argument : pod.at("containers")[0].at("args")) {
    if (argument.starts_with(flag)) seconds = std::stoi(argument.substr(flag.size()));
  }
  EXPECT_GT(seconds, 0);
  EXPECT_GT(pod.at("terminationGracePeriodSeconds").get<int>(), seconds);
}

}  // namespace
}  // namespace whimbrel::deploy
