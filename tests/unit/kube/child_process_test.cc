#include "kube/child_process.h"

#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <string>

#include "support/eventually.h"
#include "support/temp_dir.h"

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using testing::Eventually;
using testing::ReadFile;
using testing::TempDir;

ChildOptions Shell(const std::string& script) {
  return {.argv = {"sh", "-c", script}, .environment = {"PATH=/usr/bin:/bin"}};
}

bool IsGone(const std::string& pid) {
  return !pid.empty() && ::kill(static_cast<pid_t>(std::stoi(pid)), 0) != 0;
}

TEST(ChildProcessTest, GivesOutputErrorsAndExitCode) {
  const auto result = RunChild(Shell("echo out; echo err >&2; exit 3"), {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output, "out\n");
  EXPECT_EQ(result->errors, "err\n");
  EXPECT_EQ(result->exit_code, 3);
}

TEST(ChildProcessTest, ASignalIsAnExitCodeAsInAShell) {
  EXPECT_EQ(RunChild(Shell("kill -9 $$"), {})->exit_code, 137);
}

TEST(ChildProcessTest, ArgumentsAreNoShellText) {
  const auto result =
      RunChild({.argv = {"printf", "%s|", "a b", "$(id)", "\"", ""}, .environment = {}}, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output, "a b|$(id)|\"||");
}

TEST(ChildProcessTest, ItHasTheGivenEnvironmentOnly) {
  ChildOptions options = Shell("echo $A $HOME");
  options.environment.emplace_back("A=b c");
  EXPECT_EQ(RunChild(options, {})->output, "b c\n");
}

TEST(ChildProcessTest, ItHasNoneOfOurDescriptorsAndNothingToRead) {
  const auto result = RunChild(Shell("cat; ls /proc/self/fd | wc -l"), {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "4\n") << "0, 1, 2 and that of ls itself";
}

TEST(ChildProcessTest, AProgramThatIsNotThereIsNotFound) {
  const auto result = RunChild({.argv = {"/no/such/program"}, .environment = {}}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
}

TEST(ChildProcessTest, MuchOutputIsReadAndTooMuchEndsIt) {
  EXPECT_EQ(RunChild(Shell("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"), {})
                ->output.size(),
            1'000'000U);
  const auto endless = RunChild(Shell("cat /dev/zero"), {});
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().message, "it wrote too much");
}

TEST(ChildProcessTest, TheDeadlineEndsItsWholeGroup) {
  const TempDir folder;
  ChildOptions options =
      Shell("sleep 600 & echo $! > " + (folder / "pid").string() + "; sleep 600");
  // Long enough for a busy machine to get to the second sleep.
  options.timeout = milliseconds(1000);
  const auto result = RunChild(options, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kDeadlineExceeded);
  EXPECT_TRUE(Eventually([&] { return IsGone(ReadFile(folder / "pid")); }));
}

TEST(ChildProcessTest, AStopEndsIt) {
  const TempDir folder;
  std::stop_source stop;
  auto run = std::async(std::launch::async, [&] {
    return RunChild(Shell("echo $$ > " + (folder / "pid").string() + "; exec sleep 600"),
                    stop.get_token());
  });
  ASSERT_TRUE(Eventually([&] { return ReadFile(folder / "pid").ends_with('\n'); }));
  stop.request_stop();
  const auto result = run.get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kCancelled);
  EXPECT_TRUE(IsGone(ReadFile(folder / "pid")));
}

TEST(ChildProcessTest, SomebodyWhoKeepsItsOutputOpenIsNotWaitedFor) {
  const TempDir folder;
  const auto result =
      RunChild(Shell("sleep 600 & echo $! > " + (folder / "pid").string() + "; echo done"), {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output, "done\n");
  ::kill(static_cast<pid_t>(std::stoi(ReadFile(folder / "pid"))), SIGKILL);
}

}  // namespace
}  // namespace whimbrel::kube
