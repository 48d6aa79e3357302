#include "cli/runner_mount.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/runner_fixture.h"

namespace whimbrel::cli {
namespace {

using ::testing::HasSubstr;
using whimbrel::testing::PgTarget;

const Keys kFiles = {{"001_a.sql", "SELECT 1;\n"}, {"002_b.sql", "SELECT 2;\n"}};

/// What reading the source comes to: the reason and the message, or the number of files.
std::string SourceOf(const RunnerPod& pod) {
  const auto source = RunnerMount(pod.root()).ReadSource(pod.task);
  if (source) return std::to_string((*source)->files.size()) + " files";
  const report::Failure failure = source.error().failure.value_or(report::Failure());
  return std::string(report::ToString(failure.reason)) + ": " + failure.message;
}

TEST(RunnerMountTest, PutsTheDirectoryBeforeEachKey) {
  RunnerPod pod(kFiles, PgTarget());
  pod.task.folders[0].directory = "sql/orders";
  pod.task.source_digest =
      DigestOf({{"sql/orders/001_a.sql", "SELECT 1;\n"}, {"sql/orders/002_b.sql", "SELECT 2;\n"}});
  EXPECT_EQ(SourceOf(pod), "2 files");
}

TEST(RunnerMountTest, CountsAHiddenKeyIntoTheDigest) {
  RunnerPod pod({{".sqlfluff", "x"}, {"001_a.sql", "SELECT 1;\n"}}, PgTarget());
  EXPECT_EQ(SourceOf(pod), "2 files");
}

TEST(RunnerMountTest, NamesAKeyThatIsMissing) {
  RunnerPod pod(kFiles, PgTarget());
  pod.task.folders[0].keys = {"001_a.sql", "003_c.sql"};
  pod.task.source_digest = "sha256:of another plan";
  EXPECT_EQ(SourceOf(pod), "SourceNotFound: ConfigMap shop/orders-sql has no key 003_c.sql");
}

TEST(RunnerMountTest, TakesAnEmptyConfigMapForWhatWasPlanned) {
  RunnerPod pod(kFiles, PgTarget());
  pod.task.folders.push_back({.origin = "ConfigMap shop/empty"});
  pod.Mount("source/1", {});
  EXPECT_EQ(SourceOf(pod), "2 files");
}

TEST(RunnerMountTest, RefusesAFileThatIsThereTwice) {
  RunnerPod pod(kFiles, PgTarget());
  pod.task.folders.push_back({.origin = "ConfigMap shop/more"});
  pod.Mount("source/1", {{"001_a.sql", "SELECT 3;\n"}});
  EXPECT_THAT(SourceOf(pod), HasSubstr("InvalidSource: the file 001_a.sql is in ConfigMap "
                                       "shop/orders-sql and in ConfigMap shop/more"));
}

TEST(RunnerMountTest, RefusesInlineFilesOfAnotherShape) {
  for (const char* text : {"", "{}", "[1]", R"([{"name": "a.sql"}])", R"([{"sql": 1}])"}) {
    RunnerPod pod(kFiles, PgTarget());
    pod.task.inline_files = true;
    pod.Mount("task", {{"inline.json", text}});
    EXPECT_THAT(SourceOf(pod), HasSubstr("InvalidSource: the annotation whimbrel.dev/inline-sql "
                                         "of the pod is no list of {name, sql}"))
        << text;
  }
}

TEST(RunnerMountTest, NamesAnArchiveThatIsMissingOrBroken) {
  RunnerPod pod(kFiles, PgTarget());
  pod.task.archive = "ConfigMap shop/archive, key all.tar.gz";
  pod.task.source_digest = "sha256:of both";
  EXPECT_EQ(SourceOf(pod), "SourceNotFound: ConfigMap shop/archive, key all.tar.gz does not exist");
  pod.Mount("archive", {{"archive.tar.gz", "no gzip"}});
  EXPECT_THAT(SourceOf(pod), HasSubstr("InvalidSource: "));
}

TEST(RunnerMountTest, ReadsTheLoginAnewEachTime) {
  RunnerPod pod(kFiles, PgTarget());
  pod.Unmount("credentials");
  auto secret = pod.Mount("credentials", {{"password", "first"}});
  const RunnerMount mount(pod.root());
  const auto password = [&] {
    const Result<report::Login> login = mount.ReadLogin(pod.task);
    return std::string(login.value_or(report::Login()).credentials["password"].Reveal());
  };
  EXPECT_EQ(password(), "first");
  secret.Update({{"password", "second"}});
  EXPECT_EQ(password(), "second");
}

}  // namespace
}  // namespace whimbrel::cli
