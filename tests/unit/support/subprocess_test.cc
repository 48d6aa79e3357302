#include "support/subprocess.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "support/temp_dir.h"

namespace whimbrel::testing {
namespace {

bool Alive(const std::string& pid) {
  const std::string stat = ReadFile("/proc/" + pid + "/stat");
  const auto name_end = stat.rfind(") ");
  return name_end != std::string::npos && stat[name_end + 2] != 'Z';
}

SpawnOptions Shell(const std::string& script) { return {.argv = {"sh", "-c", script}}; }

TEST(SubprocessTest, KeepsBothOutputsAndTheExitCode) {
  const auto result = RunProcess(Shell("echo said; echo complained >&2; exit 3"));
  EXPECT_EQ(result.out, "said\n");
  EXPECT_EQ(result.err, "complained\n");
  EXPECT_EQ(result.exit_code, 3);
}

TEST(SubprocessTest, ReportsASignalAsAShellDoes) {
  EXPECT_EQ(RunProcess(Shell("kill -TERM $$")).exit_code, 128 + SIGTERM);
}

TEST(SubprocessTest, HandsOnInputEnvironmentAndFolder) {
  const TempDir folder;
  const auto result = RunProcess({.argv = {"sh", "-c", "cat; echo $GIVEN ${HOME-unset}; pwd -P"},
                                  .environment = {{"GIVEN", "value"}, {"HOME", std::nullopt}},
                                  .directory = folder.path(),
                                  .input = "typed\n"});
  EXPECT_EQ(result.out,
            "typed\nvalue unset\n" + std::filesystem::canonical(folder.path()).string() + "\n");
}

TEST(SubprocessTest, TakesOutputLargerThanAPipeHolds) {
  EXPECT_EQ(RunProcess(Shell("head -c 1000000 /dev/zero")).out.size(), 1000000U);
}

TEST(SubprocessTest, AppendsBothOutputsToAFileWhenAsked) {
  const TempDir folder;
  const auto file = folder.Write("log", "before\n");
  const auto result =
      RunProcess({.argv = {"sh", "-c", "echo one; echo two >&2"}, .output_file = file});
  EXPECT_EQ(ReadFile(file), "before\none\ntwo\n");
  EXPECT_EQ(result.out, "");
}

TEST(SubprocessTest, SaysWhichProgramIsNotThere) {
  try {
    (void)RunProcess({.argv = {"/nowhere/at-all"}});
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "cannot start /nowhere/at-all: No such file or directory");
  }
}

TEST(SubprocessTest, GivesUpWaitingAtTheDeadline) {
  Subprocess process(Shell("exec sleep 1000"));
  EXPECT_THROW(process.Wait(std::chrono::milliseconds(10)), std::runtime_error);
  EXPECT_TRUE(process.running());
}

TEST(SubprocessTest, WaitsForOutputOfAProcessThatGoesOn) {
  Subprocess process(Shell("echo ready; exec sleep 1000"));
  EXPECT_TRUE(process.WaitForOut([](const auto& text) { return text == "ready\n"; }));
  EXPECT_TRUE(process.running());
  process.Signal(SIGINT);
  EXPECT_EQ(process.Wait(), 128 + SIGINT);
}

TEST(SubprocessTest, StopsWaitingForOutputThatCannotComeAnyMore) {
  Subprocess process(Shell("echo other"));
  EXPECT_FALSE(process.WaitForOut([](const auto& text) { return text == "ready\n"; }));
}

TEST(SubprocessTest, EndsTheProcessWhenDestroyed) {
  std::string pid;
  {
    const Subprocess process(Shell("exec sleep 1000"));
    pid = std::to_string(process.pid());
    EXPECT_TRUE(Alive(pid));
  }
  EXPECT_FALSE(Alive(pid));
}

// A second test process starts a server-like child, says its pid and dies in the way given.
void StartAndDie(int signal, const std::filesystem::path& folder, int report) {
  Subprocess child({.argv = {"sleep", "1000"}, .folder_to_remove = folder});
  const std::string pid = std::to_string(child.pid());
  if (write(report, pid.data(), pid.size()) > 0) kill(getpid(), signal);
  _exit(1);
}

class OrphanTest : public ::testing::TestWithParam<int> {};

TEST_P(OrphanTest, NothingOutlivesATestProcessThatDies) {
  const auto folder =
      std::filesystem::temp_directory_path() /
      ("whimbrel-orphan-" + std::to_string(getpid()) + "-" + std::to_string(GetParam()));
  std::filesystem::create_directories(folder / "data");
  int ends[2] = {};
  ASSERT_EQ(pipe(ends), 0);
  const pid_t test_process = fork();
  if (test_process == 0) StartAndDie(GetParam(), folder, ends[1]);
  char buffer[32] = {};
  ASSERT_GT(read(ends[0], buffer, sizeof buffer - 1), 0);
  close(ends[0]);
  close(ends[1]);
  waitpid(test_process, nullptr, 0);
  EXPECT_TRUE(Eventually([&] { return !Alive(buffer); }));
  EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(folder); }));
}

INSTANTIATE_TEST_SUITE_P(Signals, OrphanTest, ::testing::Values(SIGKILL, SIGTERM, SIGINT));

}  // namespace
}  // namespace whimbrel::testing
