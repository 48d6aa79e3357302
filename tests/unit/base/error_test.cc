#include "whimbrel/base/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "whimbrel/base/byte_source.h"
#include "whimbrel/base/metrics.h"

namespace whimbrel {
namespace {

TEST(ErrorTest, EveryKindHasItsOwnName) {
  std::set<std::string_view> names;
  const int last = static_cast<int>(ErrorKind::kInternal);
  for (int kind = 0; kind <= last; ++kind) names.insert(ToString(static_cast<ErrorKind>(kind)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(last) + 1);
  EXPECT_EQ(ToString(ErrorKind::kDeadlineExceeded), "DeadlineExceeded");
  EXPECT_EQ(ToString(ErrorKind::kInternal), "Internal");
}

TEST(ErrorTest, TextBeginsWithThePositionWhereThereIsOne) {
  struct Case {
    const char* name;
    Error error;
    const char* text;
  };
  const Case cases[] = {
      {"no position", {ErrorKind::kInternal, "broken"}, "broken"},
      {"file, line and column",
       {ErrorKind::kInternal, "broken", SourcePosition{"a.sql", 3, 7, 40}},
       "a.sql:3:7: broken"},
      {"file and line",
       {ErrorKind::kInternal, "broken", SourcePosition{"a.sql", 3, 0, 0}},
       "a.sql:3: broken"},
      {"file alone",
       {ErrorKind::kInternal, "broken", SourcePosition{"a.sql", 0, 0, 0}},
       "a.sql: broken"},
      {"text without a name",
       {ErrorKind::kInternal, "broken", SourcePosition{"", 3, 7, 0}},
       "3:7: broken"},
      {"nothing known", {ErrorKind::kInternal, "broken", SourcePosition{}}, "broken"},
  };
  for (const Case& c : cases) EXPECT_EQ(c.error.ToString(), c.text) << c.name;
}

TEST(ErrorTest, FailMakesTheErrorOfAResult) {
  const Result<int> plain = Fail(ErrorKind::kNotFound, "no such file");
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(plain.error().message, "no such file");
  EXPECT_FALSE(plain.error().position);

  const Result<int> placed = Fail(ErrorKind::kInvalidArgument, "bad", SourcePosition{"f", 1, 2, 3});
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().position, (SourcePosition{"f", 1, 2, 3}));
}

TEST(StringByteSourceTest, HandsOutTheTextOnceAndThenNothing) {
  StringByteSource source("SELECT 1;");
  EXPECT_EQ(source.Read().value(), "SELECT 1;");
  EXPECT_TRUE(source.Read().value().empty());
  EXPECT_TRUE(source.Read().value().empty());
}

TEST(MetricsSinkTest, TheNullSinkTakesAnything) {
  MetricsSink& sink = MetricsSink::Null();
  sink.Count("whimbrel_x_total", {{"a", "b"}}, 1);
  sink.Gauge("whimbrel_x", {}, -1);
  sink.Observe("whimbrel_x_seconds", {}, 0.5);
  sink.Drop("whimbrel_x", {});
  EXPECT_EQ(&sink, &MetricsSink::Null());
}

}  // namespace
}  // namespace whimbrel
