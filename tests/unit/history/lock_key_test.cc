#include "history/lock_key.h"

#include <gtest/gtest.h>

#include "history/flyway_history.h"
#include "history/java_string.h"
#include "whimbrel/history/ledger.h"

namespace whimbrel::history {
namespace {

// Two versions of Whimbrel that disagree here would run at the same time: never change these
// numbers. Computed with Python's hashlib and struct.
TEST(SetLockKey, IsTheSameForEver) {
  EXPECT_EQ(SetLockKey("app", "whimbrel", "default"), -532239747682196279);
  EXPECT_EQ(SetLockKey("orders", "ops", "public.flyway_schema_history"), -7269410017663922672);
}

TEST(SetLockKey, PartsCannotRunIntoEachOther) {
  EXPECT_NE(SetLockKey("ab", "c", "d"), SetLockKey("a", "bc", "d"));
}

TEST(BootstrapLockKey, IsTheSameForEver) {
  EXPECT_EQ(BootstrapLockKey("whimbrel"), -4027819075351397365);
}

// reference/engines.md §4; the same for all versions of Flyway since 4.2.
TEST(FlywayLockKey, IsFlywaysOwn) {
  EXPECT_EQ(FlywayLockKey(R"("public"."flyway_schema_history")"), 77433833903597);
  EXPECT_EQ(FlywayLockKey(R"("public"."schema_version")"), 77430801598678);
}

// The values are those of a Java 17 virtual machine.
TEST(JavaHashCode, CountsInUtf16) {
  EXPECT_EQ(JavaHashCode(""), 0);
  EXPECT_EQ(JavaHashCode(R"("public"."flyway_schema_history")"), 2125624436);
  EXPECT_EQ(JavaHashCode("\"t\u00ebnant\".\"\U0001F600_history\""), -799582298);
}

TEST(JavaPrefix, NeverCutsACharacterInTwo) {
  EXPECT_EQ(JavaLength("a\u00eb\U0001F600"), 4U);
  EXPECT_EQ(JavaPrefix("a\u00eb\U0001F600", 2), "a\u00eb");
  EXPECT_EQ(JavaPrefix("a\u00eb\U0001F600", 3), "a\u00eb");
  EXPECT_EQ(JavaPrefix("a\u00eb\U0001F600", 4), "a\u00eb\U0001F600");
  EXPECT_EQ(JavaPrefix("ab", 9), "ab");
}

}  // namespace
}  // namespace whimbrel::history
