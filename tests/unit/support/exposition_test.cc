#include "support/exposition.h"

#include <gmock/gmock.h>

namespace whimbrel::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kGood =
    "# HELP a_total What.\n# TYPE a_total counter\na_total 1\n"
    "# HELP b What.\n# TYPE b gauge\nb{x=\"1\",y=\"q\\\"\\\\\\n\"} -2.5e+01\nb{x=\"2\",y=\"\"} "
    "+Inf\n"
    "# HELP c What.\n# TYPE c histogram\n"
    "c_count{x=\"1\"} 2\nc_sum{x=\"1\"} 3\n"
    "c_bucket{x=\"1\",le=\"0.5\"} 1\nc_bucket{x=\"1\",le=\"+Inf\"} 2\n";

TEST(ExpositionTest, ReadsSamplesAndTypes) {
  const Exposition parsed = ParseExposition(kGood);
  EXPECT_THAT(parsed.faults, IsEmpty());
  EXPECT_EQ(parsed.types.at("c"), "histogram");
  EXPECT_EQ(parsed.samples.at("a_total"), 1);
  EXPECT_EQ(parsed.samples.at(R"(c_bucket{x="1",le="0.5"})"), 1);
}

TEST(ExpositionTest, FindsWhatBreaksTheFormat) {
  const std::pair<const char*, const char*> cases[] = {
      {"a 1\n", "outside of its metric"},
      {"# TYPE a gauge\na 1\n", "no HELP"},
      {"# HELP a x\n# TYPE a gauge\na 1\na 2\n", "a second sample"},
      {"# HELP a x\n# TYPE a gauge\na one\n", "not a sample"},
      {"# HELP a x\n# TYPE a gauge\na{x=\"y} 1\n", "not a sample"},
      {"# HELP a x\n# TYPE a gauge\na{x=\"\\t\"} 1\n", "not a sample"},
      {"# HELP a x\n# TYPE a gauge\na 1", "no end"},
      {"# HELP a x\n# TYPE a histogram\na_count 1\na_bucket{le=\"1\"} 1\n", "no bucket +Inf"},
      {"# HELP a x\n# TYPE a histogram\na_count 1\na_bucket{le=\"+Inf\"} 2\n", "not the count"},
      {"# HELP a x\n# TYPE a histogram\na_count 1\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n",
       "do not add up"},
  };
  for (const auto& [text, fault] : cases) {
    EXPECT_THAT(ParseExposition(text).faults, ElementsAre(HasSubstr(fault))) << text;
  }
}

}  // namespace
}  // namespace whimbrel::testing
