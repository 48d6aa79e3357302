#include "whimbrel/report/termination_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "whimbrel/base/utf8.h"

namespace whimbrel::report {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kEllipsis = "…";

/// Reports of every size, of texts that are long, escaped, of several bytes a character, or broken.
class RandomReports {
 public:
  explicit RandomReports(unsigned seed) : random_(seed), largest_(1U << Below(11)) {}

  RunReport Next() {
    RunReport report;
    report.succeeded = Below(2) == 0;
    report.transient = Below(2) == 0;
    report.uncounted = Below(2) == 0;
    if (Below(3) != 0) report.failure = NextFailure();
    for (auto* text :
         {&report.current_version, &report.target_version, &report.format, &report.format_reason,
          &report.set, &report.server_version, &report.database, &report.system_identifier})
      *text = Text();
    report.source_digest = "sha256:" + std::string(64, 'e');
    for (int* count : {&report.applied_count, &report.applied_this_run, &report.pending_count,
                       &report.source_files})
      *count = static_cast<int>(Below(2'000'000'000));
    for (std::size_t i = Below(21); i > 0; --i)
      report.pending.push_back({.version = Text(), .description = Text(), .path = Text()});
    for (std::size_t i = Below(21); i > 0; --i) report.applied.push_back(NextApplied());
    for (std::size_t i = Below(40); i > 0; --i)
      report.notices.push_back({static_cast<Notice::Kind>(Below(8)), Text()});
    return report;
  }

 private:
  std::size_t Below(std::size_t limit) { return random_() % limit; }

  std::string Text() {
    static const std::string kPieces[] = {"a", "é", "移", "🐦", "\"", "\\", "\n", "\x01", "\x7f"};
    std::string text;
    const std::size_t kinds = Below(4) == 0 ? std::size(kPieces) : 4;
    for (std::size_t size = Below(largest_ + 1); text.size() < size;) text += kPieces[Below(kinds)];
    return text;
  }

  Failure NextFailure() {
    return {.reason = static_cast<Reason>(Below(20)),
            .version = Text(),
            .position = {.file = Text(),
                         .line = static_cast<std::uint32_t>(random_()),
                         .column = static_cast<std::uint32_t>(random_()),
                         .offset = random_()},
            .sql_state = "42P01",
            .message = Text(),
            .hint = Text()};
  }

  AppliedMigration NextApplied() {
    return {.version = Text(),
            .kind = "V",
            .description = Text(),
            .checksum = Text(),
            .applied_at = SystemTime() + std::chrono::microseconds(random_()),
            .duration = std::chrono::milliseconds(Below(1'000'000)),
            .this_run = Below(2) == 0};
  }

  std::mt19937 random_;
  std::size_t largest_;
};

/// `cut` is `whole`, or a beginning of it.
bool IsCutOf(const std::string& cut, const std::string& whole) {
  if (cut == whole) return true;
  if (!cut.ends_with(kEllipsis)) return false;
  return whole.starts_with(cut.substr(0, cut.size() - kEllipsis.size()));
}

/// Everything that has to be true whatever was given up.
void ExpectSameInShort(const RunReport& read, const RunReport& whole) {
  EXPECT_EQ(read.succeeded, whole.succeeded);
  EXPECT_EQ(read.transient, whole.transient);
  EXPECT_EQ(read.uncounted, whole.uncounted);
  EXPECT_EQ(read.applied_count, whole.applied_count);
  EXPECT_EQ(read.applied_this_run, whole.applied_this_run);
  EXPECT_EQ(read.pending_count, whole.pending_count);
  EXPECT_EQ(read.source_digest, whole.source_digest);
  EXPECT_PRED2(IsCutOf, read.current_version, whole.current_version);
  EXPECT_PRED2(IsCutOf, read.set, whole.set);
  ASSERT_EQ(read.failure.has_value(), whole.failure.has_value());
  if (whole.failure) {
    EXPECT_EQ(read.failure->reason, whole.failure->reason);
    EXPECT_EQ(read.failure->sql_state, whole.failure->sql_state);
    EXPECT_EQ(read.failure->position.line, whole.failure->position.line);
    EXPECT_EQ(read.failure->position.column, whole.failure->position.column);
    EXPECT_PRED2(IsCutOf, read.failure->message, whole.failure->message);
    EXPECT_PRED2(IsCutOf, read.failure->position.file, whole.failure->position.file);
  }
  ASSERT_LE(read.pending.size(), whole.pending.size());
  for (std::size_t i = 0; i < read.pending.size(); ++i)
    EXPECT_PRED2(IsCutOf, read.pending[i].path, whole.pending[i].path);
  ASSERT_LE(read.applied.size(), whole.applied.size());
  for (std::size_t i = 0; i < read.applied.size(); ++i)
    EXPECT_PRED2(IsCutOf, read.applied[i].version, whole.applied[i].version);
  ASSERT_LE(read.notices.size(), whole.notices.size());
  for (std::size_t i = 0; i < read.notices.size(); ++i)
    EXPECT_PRED2(IsCutOf, read.notices[i].message, whole.notices[i].message);
}

TEST(TerminationMessageTest, FitsIsReadAndTellsTheTruthWhateverTheReport) {
  int truncated = 0;
  int whole = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    const RunReport report = RandomReports(seed).Next();
    const std::string text = TerminationMessage(report);
    ASSERT_LE(text.size(), kMaxTerminationMessageBytes);
    ASSERT_TRUE(IsUtf8(text));
    const json parsed = json::parse(text, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << text;
    const Result<RunReport> read = RunReportFromJson(parsed);
    ASSERT_TRUE(read) << read.error().ToString();
    ExpectSameInShort(*read, report);
    EXPECT_EQ(parsed.contains("truncated"), *read != report);
    ++(parsed.contains("truncated") ? truncated : whole);
    if (HasFailure()) return;
  }
  EXPECT_GT(truncated, 50) << "too few of the reports are large";
  EXPECT_GT(whole, 50) << "too few of the reports are small";
}

RunReport Ordinary() {
  RunReport report;
  report.failure = Failure{.reason = Reason::kMigrationFailed,
                           .version = "3",
                           .position = {.file = "003_c.sql", .line = 4, .column = 5},
                           .sql_state = "42P01",
                           .message = "relation \"ä\" does not exist"};
  report.current_version = "2";
  report.applied_count = 2;
  report.pending_count = 1;
  report.pending = {{.version = "3", .description = "c", .path = "003_c.sql"}};
  report.source_digest = "sha256:" + std::string(64, 'e');
  return report;
}

TEST(TerminationMessageTest, IsTheWholeReportWhereThatFits) {
  const std::string text = TerminationMessage(Ordinary());
  EXPECT_EQ(json::parse(text), ToJson(Ordinary()));
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(TerminationMessageTest, BeginsWithTheResultAndTheFailure) {
  EXPECT_THAT(TerminationMessage(Ordinary()),
              StartsWith(R"({"schemaVersion":1,"succeeded":false,"transient":false,)"
                         R"("uncounted":false,"failure":{)"));
}

TEST(TerminationMessageTest, GivesUpPendingBeforeAppliedBeforeNoticesBeforeTheMessage) {
  RunReport report = Ordinary();
  report.failure->message = std::string(1000, 'm');
  const std::string text(120, 't');
  const auto after = [&] {
    return RunReportFromJson(json::parse(TerminationMessage(report))).value_or(RunReport());
  };
  report.pending.assign(20, {.version = "3", .description = text, .path = "3.sql"});
  const std::size_t pending_alone = after().pending.size();
  EXPECT_GT(pending_alone, 0U);
  EXPECT_LT(pending_alone, 20U);

  report.applied.assign(20, {.version = "1", .kind = "V", .description = text});
  EXPECT_LT(after().pending.size(), pending_alone);
  EXPECT_LT(after().pending.size(), after().applied.size());

  report.notices.assign(20, {Notice::Kind::kRetried, text + text + text});
  EXPECT_EQ(after().pending.size(), 0U);
  EXPECT_LT(after().applied.size(), after().notices.size());
  EXPECT_EQ(after().failure.value_or(Failure()).message, std::string(1000, 'm'));
}

TEST(TerminationMessageTest, ReplacesWhatIsNotUtf8) {
  RunReport report = Ordinary();
  report.failure->message = "caf\xE9";
  EXPECT_THAT(TerminationMessage(report), HasSubstr("caf\xEF\xBF\xBD"));
}

TEST(TerminationMessageTest, FitsWhenEveryTextIsOfControlCharacters) {
  const std::string bad(5000, '\x01');
  RunReport report = Ordinary();
  *report.failure = {
      .version = bad, .position = {.file = bad}, .sql_state = bad, .message = bad, .hint = bad};
  for (auto* text : {&report.current_version, &report.target_version, &report.format,
                     &report.format_reason, &report.source_digest, &report.set,
                     &report.server_version, &report.database, &report.system_identifier})
    *text = bad;
  const std::string text = TerminationMessage(report);
  EXPECT_LE(text.size(), kMaxTerminationMessageBytes);
  EXPECT_TRUE(RunReportFromJson(json::parse(text)));
}

}  // namespace
}  // namespace whimbrel::report
