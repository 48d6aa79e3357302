#include "whimbrel/base/human.h"

#include <gtest/gtest.h>

#include <limits>

namespace whimbrel {
namespace {

TEST(HumanBytesTest, ShowsSizesAsPeopleReadThem) {
  struct Case {
    std::uint64_t bytes;
    const char* text;
  };
  for (const Case& c :
       {Case{0, "0 B"}, Case{1023, "1023 B"}, Case{1024, "1.0 KiB"}, Case{1535, "1.4 KiB"},
        Case{1536, "1.5 KiB"}, Case{10 * 1024, "10 KiB"}, Case{1024 * 1024 - 1, "1023 KiB"},
        Case{64ULL << 20, "64 MiB"}, Case{(1ULL << 30) + (1ULL << 29), "1.5 GiB"},
        Case{std::numeric_limits<std::uint64_t>::max(), "15 EiB"}}) {
    EXPECT_EQ(HumanBytes(c.bytes), c.text);
  }
}

}  // namespace
}  // namespace whimbrel
