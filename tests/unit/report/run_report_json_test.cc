#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "whimbrel/report/run_report.h"

namespace whimbrel::report {
namespace {

using ::testing::HasSubstr;

/// Every field differs from its default.
RunReport Full() {
  const SystemTime time = SystemTime() + std::chrono::microseconds(1'795'000'000'123'456);
  RunReport report;
  report.succeeded = true;
  report.transient = true;
  report.uncounted = true;
  report.failure = Failure{.reason = Reason::kMigrationFailed,
                           .version = "3",
                           .position = {.file = "003_c.sql", .line = 4, .column = 5, .offset = 60},
                           .sql_state = "42P01",
                           .message = "relation \"ä\" does not exist",
                           .hint = "create it"};
  report.current_version = "2";
  report.target_version = "4";
  report.applied_count = 2;
  report.applied_this_run = 1;
  report.applied = {{.version = "2",
                     .kind = "V",
                     .description = "b",
                     .checksum = "-5",
                     .applied_at = time,
                     .duration = std::chrono::milliseconds(1234),
                     .this_run = true},
                    {.version = "1", .kind = "R"}};
  report.pending_count = 2;
  report.pending = {{.version = "3", .description = "c", .path = "003_c.sql"}, {.version = "4"}};
  report.format = "Numbered";
  report.format_reason = "2 files have names such as 001_a.sql";
  report.source_digest = "sha256:00";
  report.source_files = 4;
  report.lock_wait = std::chrono::milliseconds(2500);
  report.set = "default";
  report.server_version = "15.18";
  report.database = "shop";
  report.system_identifier = "7000000000000000000";
  report.notices = {{Notice::Kind::kWithdrawn, "1 was withdrawn"},
                    {Notice::Kind::kLockWait, "5 s"}};
  return report;
}

TEST(RunReportJsonTest, GivesTheSameReportBack) {
  for (const RunReport& report : {Full(), RunReport()}) {
    const std::string text = ToJson(report).dump();
    const Result<RunReport> read = RunReportFromJson(nlohmann::json::parse(text));
    ASSERT_TRUE(read) << read.error().ToString();
    EXPECT_EQ(*read, report);
  }
}

TEST(RunReportJsonTest, HasStableNames) {
  EXPECT_EQ(ToJson(Full()), nlohmann::json::parse(R"json({
    "schemaVersion": 1,
    "succeeded": true,
    "transient": true,
    "uncounted": true,
    "failure": {
      "reason": "MigrationFailed",
      "version": "3",
      "position": {"file": "003_c.sql", "line": 4, "column": 5, "offset": 60},
      "sqlState": "42P01",
      "message": "relation \"ä\" does not exist",
      "hint": "create it"
    },
    "currentVersion": "2",
    "targetVersion": "4",
    "appliedCount": 2,
    "appliedThisRun": 1,
    "applied": [
      {"version": "2", "kind": "V", "description": "b", "checksum": "-5",
       "appliedAt": "2026-11-18T11:06:40.123456Z", "durationMs": 1234, "thisRun": true},
      {"version": "1", "kind": "R", "description": "", "checksum": "",
       "appliedAt": "1970-01-01T00:00:00.000000Z", "durationMs": 0, "thisRun": false}
    ],
    "pendingCount": 2,
    "pending": [
      {"version": "3", "description": "c", "path": "003_c.sql"},
      {"version": "4", "description": "", "path": ""}
    ],
    "format": "Numbered",
    "formatReason": "2 files have names such as 001_a.sql",
    "sourceDigest": "sha256:00",
    "sourceFiles": 4,
    "lockWaitMs": 2500,
    "set": "default",
    "serverVersion": "15.18",
    "database": "shop",
    "systemIdentifier": "7000000000000000000",
    "notices": [
      {"kind": "Withdrawn", "message": "1 was withdrawn"},
      {"kind": "LockWait", "message": "5 s"}
    ]
  })json"));
}

TEST(RunReportJsonTest, NamesAnUnknownSchemaVersion) {
  nlohmann::json value = ToJson(Full());
  value["schemaVersion"] = 2;
  const Result<RunReport> read = RunReportFromJson(value);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(read.error().message, HasSubstr("schemaVersion is 2, this program knows 1"));
}

TEST(RunReportJsonTest, IgnoresUnknownFields) {
  nlohmann::json value = ToJson(Full());
  value["later"] = 1;
  value["failure"]["later"] = 1;
  value["applied"][0]["later"] = 1;
  EXPECT_EQ(RunReportFromJson(value).value_or(RunReport()), Full());
}

TEST(RunReportJsonTest, IgnoresNoticesOfALaterVersion) {
  nlohmann::json value = ToJson(Full());
  value["notices"].push_back({{"kind", "Later"}, {"message", "what nobody knew"}});
  EXPECT_EQ(RunReportFromJson(value).value_or(RunReport()), Full());
}

constexpr const char* kRequired[] = {
    "/schemaVersion",     "/succeeded",       "/transient",
    "/failure/reason",    "/failure/message", "/applied/0/version",
    "/pending/0/version", "/notices/0/kind",  "/notices/0/message"};

TEST(RunReportJsonTest, ReadsAReportOfTheRequiredFieldsAlone) {
  const nlohmann::json whole = ToJson(Full());
  nlohmann::json least;
  for (const char* pointer : kRequired) {
    const nlohmann::json::json_pointer field(pointer);
    least[field] = whole.at(field);
  }
  RunReport expected;
  expected.succeeded = true;
  expected.transient = true;
  expected.failure =
      Failure{.reason = Reason::kMigrationFailed, .message = "relation \"ä\" does not exist"};
  expected.applied = {{.version = "2"}};
  expected.pending = {{.version = "3"}};
  expected.notices = {{Notice::Kind::kWithdrawn, "1 was withdrawn"}};
  const Result<RunReport> read = RunReportFromJson(least);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(*read, expected);
}

/// As messages name it: `applied[0].version`.
std::string NameOf(const std::string& pointer) {
  std::string name = pointer.substr(1);
  for (std::size_t at = 0; (at = name.find('/', at)) != std::string::npos;) {
    const bool is_index = std::isdigit(static_cast<unsigned char>(name[at + 1])) != 0;
    name.replace(at, is_index ? 2 : 1, is_index ? std::string("[") + name[at + 1] + "]" : ".");
  }
  return name;
}

TEST(RunReportJsonTest, RequiresOnlyWhatAReportMeansNothingWithout) {
  const nlohmann::json whole = ToJson(Full()).flatten();
  for (const auto& [pointer, unused] : whole.items()) {
    SCOPED_TRACE(pointer);
    const bool required =
        std::find(std::begin(kRequired), std::end(kRequired), pointer) != std::end(kRequired) ||
        pointer == "/applied/1/version" || pointer == "/pending/1/version" ||
        pointer == "/notices/1/kind" || pointer == "/notices/1/message";
    nlohmann::json value = ToJson(Full());
    const nlohmann::json::json_pointer field(pointer);
    value.at(field.parent_pointer()).erase(field.back());
    const Result<RunReport> read = RunReportFromJson(value);
    EXPECT_EQ(read.has_value(), !required);
    if (required && !read) {
      EXPECT_EQ(read.error().message,
                "the run report cannot be read: " + NameOf(pointer) + " is missing");
    }
  }
}

TEST(RunReportJsonTest, RefusesWrongTypesAndUnknownValues) {
  const std::pair<const char*, nlohmann::json> cases[] = {
      {"/schemaVersion", "1"},
      {"/succeeded", "yes"},
      {"/currentVersion", 3},
      {"/appliedCount", 1.5},
      {"/appliedCount", 1e300},  // Found by fuzzing: undefined behaviour in the JSON library.
      {"/failure/position/line", "1"},
      {"/failure/reason", "Whatever"},
      {"/failure/position", nullptr},
      {"/applied", "none"},
      {"/applied/0", 5},
      {"/applied/0/appliedAt", "yesterday"},
      {"/notices/0/kind", 1},
  };
  for (const auto& [pointer, wrong] : cases) {
    nlohmann::json value = ToJson(Full());
    value[nlohmann::json::json_pointer(pointer)] = wrong;
    const Result<RunReport> read = RunReportFromJson(value);
    ASSERT_FALSE(read) << pointer;
    EXPECT_EQ(read.error().kind, ErrorKind::kInvalidArgument) << pointer;
    EXPECT_THAT(read.error().message, HasSubstr("the run report cannot be read: ")) << pointer;
  }
  EXPECT_FALSE(RunReportFromJson(nlohmann::json::array()));
  EXPECT_FALSE(RunReportFromJson(nullptr));
}

TEST(RunReportJsonTest, ReadsTimesAsItWritesThem) {
  nlohmann::json value = ToJson(Full());
  value["applied"][0]["appliedAt"] = "2026-11-18T11:06:40.123456789Z";
  EXPECT_EQ(RunReportFromJson(value).value_or(RunReport()), Full());
}

TEST(RunReportJsonTest, TakesTheNearestNumberThatFits) {
  nlohmann::json value = ToJson(Full());
  value["appliedCount"] = 5'000'000'000;
  value["pendingCount"] = -5'000'000'000;
  value["sourceFiles"] = std::numeric_limits<std::uint64_t>::max();
  value["failure"]["position"]["line"] = -1;
  const RunReport report = RunReportFromJson(value).value_or(RunReport());
  EXPECT_EQ(report.applied_count, std::numeric_limits<int>::max());
  EXPECT_EQ(report.pending_count, std::numeric_limits<int>::min());
  EXPECT_EQ(report.source_files, std::numeric_limits<int>::max());
  EXPECT_EQ(report.failure.value_or(Failure()).position.line, 0U);
}

TEST(NoticeTest, HasANameOfItsKindBothWays) {
  for (int i = 0; i <= static_cast<int>(Notice::Kind::kDatabaseChanged); ++i) {
    const auto kind = static_cast<Notice::Kind>(i);
    EXPECT_FALSE(ToString(kind).empty()) << i;
    EXPECT_EQ(ParseNoticeKind(ToString(kind)), kind) << i;
  }
  EXPECT_EQ(ParseNoticeKind("imported"), std::nullopt);
}

}  // namespace
}  // namespace whimbrel::report
