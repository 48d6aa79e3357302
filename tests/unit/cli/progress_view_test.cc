#include "cli/progress_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whimbrel::cli {
namespace {

using report::Progress;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A file of 40 statements, the third of twelve, in its fifth statement.
Progress Statement(std::uint64_t number = 5) {
  return {.phase = Progress::Phase::kMigrating,
          .version = "003",
          .path = "003_big.sql",
          .statement = number,
          .statements = 40,
          .line = 88,
          .done = 2,
          .total = 12};
}

Progress Waiting(std::string detail) {
  return {.phase = Progress::Phase::kWaitingForLock, .detail = std::move(detail)};
}

class ProgressViewTest : public ::testing::Test {
 protected:
  SteadyTime now_{std::chrono::hours(1)};
};

TEST_F(ProgressViewTest, ShowsOnATerminalWhatIsUnderWay) {
  ProgressView view(ProgressView::Kind::kTerminal);
  EXPECT_EQ(view.Current(now_), "");
  EXPECT_THAT(view.Update({.phase = Progress::Phase::kPlanning}, now_), IsEmpty());
  EXPECT_EQ(view.Current(now_), "");
  EXPECT_THAT(view.Update(Statement(), now_), IsEmpty());
  EXPECT_EQ(view.Current(now_), "[3/12] 003_big.sql:88 statement 5 of 40");
  EXPECT_THAT(view.Tick(now_ + seconds(12)), IsEmpty());
  EXPECT_EQ(view.Current(now_ + seconds(12)), "[3/12] 003_big.sql:88 statement 5 of 40, 12 s");
}

TEST_F(ProgressViewTest, ShowsWhatTheServerDoes) {
  ProgressView view(ProgressView::Kind::kTerminal);
  Progress progress = Statement();
  EXPECT_THAT(view.Update(progress, now_), IsEmpty());
  progress.activity = "building index: scanning table, 43 %";
  EXPECT_THAT(view.Update(progress, now_ + milliseconds(2500)), IsEmpty());
  EXPECT_EQ(view.Current(now_ + milliseconds(2500)),
            "[3/12] 003_big.sql:88 statement 5 of 40, 2.5 s: building index: scanning table, 43 %");
}

TEST_F(ProgressViewTest, ShowsHowFastDataIsCopied) {
  ProgressView view(ProgressView::Kind::kTerminal);
  Progress progress = Statement();
  progress.copied_bytes = 100;
  EXPECT_THAT(view.Update(progress, now_), IsEmpty());
  EXPECT_EQ(view.Current(now_), "[3/12] 003_big.sql:88 statement 5 of 40: copied 100 B");
  progress.copied_bytes = 64 << 20;
  progress.activity = "copying: 60 MiB, 7 rows";
  EXPECT_THAT(view.Update(progress, now_ + seconds(4)), IsEmpty());
  EXPECT_EQ(view.Current(now_ + seconds(4)),
            "[3/12] 003_big.sql:88 statement 5 of 40, 4.0 s: copied 64 MiB, 16 MiB/s");
  progress.activity = "waiting for a lock held by pid 7 (psql)";
  EXPECT_THAT(view.Update(progress, now_ + seconds(4)), IsEmpty());
  EXPECT_EQ(view.Current(now_ + seconds(4)),
            "[3/12] 003_big.sql:88 statement 5 of 40, 4.0 s: copied 64 MiB, 16 MiB/s: waiting for "
            "a lock held by pid 7 (psql)");
}

TEST_F(ProgressViewTest, LeavesALineOfWhatTookLong) {
  for (const auto kind : {ProgressView::Kind::kTerminal, ProgressView::Kind::kLog}) {
    ProgressView view(kind);
    EXPECT_THAT(view.Update(Statement(5), now_), IsEmpty());
    EXPECT_THAT(view.Update(Statement(6), now_ + milliseconds(999)), IsEmpty());
    EXPECT_THAT(view.Update(Statement(7), now_ + milliseconds(13400)),
                ElementsAre("003_big.sql:88 statement 6 of 40: took 12 s"));
    EXPECT_THAT(view.End(now_ + milliseconds(15000)),
                ElementsAre("003_big.sql:88 statement 7 of 40: took 1.6 s"));
    EXPECT_THAT(view.End(now_ + seconds(100)), IsEmpty());
  }
}

TEST_F(ProgressViewTest, TellsALogWhatGoesOnButSeldom) {
  ProgressView view(ProgressView::Kind::kLog);
  EXPECT_THAT(view.Update(Statement(), now_), IsEmpty());
  std::vector<std::string> lines;
  for (int second = 0; second <= 25; ++second) {
    for (std::string& line : view.Tick(now_ + seconds(second))) lines.push_back(std::move(line));
  }
  EXPECT_THAT(lines, ElementsAre("[3/12] 003_big.sql:88 statement 5 of 40, 1.0 s",
                                 "[3/12] 003_big.sql:88 statement 5 of 40, 11 s",
                                 "[3/12] 003_big.sql:88 statement 5 of 40, 21 s"));
}

TEST_F(ProgressViewTest, SaysOnceWhyItWaitedHoweverTheReasonAges) {
  ProgressView log(ProgressView::Kind::kLog);
  std::vector<std::string> lines;
  for (int second = 0; second <= 8; second += 2) {
    const Progress progress = Waiting("held by pid 7, idle for " + std::to_string(second) + " s");
    for (std::string& line : log.Update(progress, now_ + seconds(second)))
      lines.push_back(std::move(line));
  }
  EXPECT_THAT(lines, ElementsAre("WaitingForLock: held by pid 7, idle for 2 s"));
  EXPECT_THAT(log.Update(Statement(), now_ + seconds(9)),
              ElementsAre("WaitingForLock: over after 9.0 s"));

  ProgressView terminal(ProgressView::Kind::kTerminal);
  EXPECT_THAT(terminal.Update(Waiting("held by pid 7"), now_), IsEmpty());
  EXPECT_EQ(terminal.Current(now_), "WaitingForLock: held by pid 7");
  EXPECT_THAT(terminal.Update(Statement(), now_ + seconds(9)),
              ElementsAre("WaitingForLock: over after 9.0 s (held by pid 7)"));
}

TEST_F(ProgressViewTest, SaysNothingOfAThousandSmallFiles) {
  ProgressView view(ProgressView::Kind::kLog);
  for (int i = 0; i < 1000; ++i) {
    Progress progress = Statement(0);
    progress.path = std::to_string(i) + "_x.sql";
    now_ += milliseconds(5);
    ASSERT_THAT(view.Update(progress, now_), IsEmpty());
    progress.statement = 1;
    ASSERT_THAT(view.Update(progress, now_), IsEmpty());
  }
}

}  // namespace
}  // namespace whimbrel::cli
