#include "whimbrel/report/reason.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

namespace whimbrel::report {
namespace {

constexpr int kLast = static_cast<int>(Reason::kInternalError);

TEST(ReasonTest, HasACamelCaseNameOfItsOwnBothWays) {
  std::set<std::string_view> names;
  for (int i = 0; i <= kLast; ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::string_view name = ToString(reason);
    ASSERT_FALSE(name.empty()) << i;
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(name.front())) != 0) << name;
    EXPECT_TRUE(std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return std::isalnum(c) != 0;
    })) << name;
    EXPECT_EQ(ParseReason(name), reason) << name;
  }
  EXPECT_EQ(ParseReason(""), std::nullopt);
  EXPECT_EQ(ParseReason("upToDate"), std::nullopt);
}

TEST(ReasonTest, BelongsToTheClassThatTheDesignGivesIt) {
  using enum ReasonClass;
  const struct {
    Reason reason;
    const char* name;
    ReasonClass reason_class;
  } cases[] = {
      {Reason::kUpToDate, "UpToDate", kReady},
      // reference/ecosystem.md §3.4: Reconciling.
      {Reason::kSourceNotFound, "SourceNotFound", kReconciling},
      {Reason::kSecretNotFound, "SecretNotFound", kReconciling},
      {Reason::kWaitingForDatabase, "WaitingForDatabase", kReconciling},
      {Reason::kWaitingForLock, "WaitingForLock", kReconciling},
      {Reason::kRetrying, "Retrying", kReconciling},
      {Reason::kJobPending, "JobPending", kReconciling},
      {Reason::kRunnerLost, "RunnerLost", kReconciling},
      // Design §5: a Stalled reason with an outside cause.
      {Reason::kRetryLimitExceeded, "RetryLimitExceeded", kStalledOutside},
      {Reason::kAuthenticationFailed, "AuthenticationFailed", kStalledOutside},
      {Reason::kPermissionDenied, "PermissionDenied", kStalledOutside},
      {Reason::kReadOnlyDatabase, "ReadOnlyDatabase", kStalledOutside},
      {Reason::kDatabaseMissing, "DatabaseMissing", kStalledOutside},
      {Reason::kImagePullFailed, "ImagePullFailed", kStalledOutside},
      {Reason::kJobRejected, "JobRejected", kStalledOutside},
      // Caused by the files or the spec.
      {Reason::kInvalidSource, "InvalidSource", kStalledByFiles},
      {Reason::kChecksumMismatch, "ChecksumMismatch", kStalledByFiles},
      {Reason::kOutOfOrder, "OutOfOrder", kStalledByFiles},
      {Reason::kMigrationFailed, "MigrationFailed", kStalledByFiles},
      {Reason::kPartiallyApplied, "PartiallyApplied", kStalledByFiles},
      {Reason::kHistoryConflict, "HistoryConflict", kStalledByFiles},
      // Design §3: again only on edit or retry annotation.
      {Reason::kDeadlineExceeded, "DeadlineExceeded", kStalledByFiles},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(ToString(c.reason), c.name);
    EXPECT_EQ(ClassOf(c.reason), c.reason_class) << c.name;
  }
}

}  // namespace
}  // namespace whimbrel::report
