#include "migration/flyway_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace whimbrel::migration {
namespace {

std::string ChecksumOf(std::string_view text, std::size_t piece) {
  FlywayChecksum sum;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    sum.Feed(text.substr(0, piece));
  }
  return sum.ToString();
}

TEST(FlywayTextTest, ComputesFlywaysOwnSums) {
  const struct {
    const char* name;
    std::string_view text;
    const char* sum;
  } cases[] = {
      // Of reference/engines.md §3, and so of Flyway's own tests and threads.
      {"plain", "SELECT 1;", "78787420"},
      {"CR LF at the end", "SELECT 1;\r\n", "78787420"},
      {"flyway/flyway#2474",
       "alter table location_history add column valid_until timestamp with time zone;",
       "-1039259818"},
      {"flyway/flyway#2474 with its line end",
       "alter table location_history add column valid_until timestamp with time zone;\n",
       "-1039259818"},
      {"empty", "", "0"},
      {"line ends alone", "\n\r\n\r", "0"},
      // CRC-32's check value.
      {"the check value", "123456789", "-873187034"},
      {"over lines of all kinds", "1\n2\r\n\n3\r456\n789\r", "-873187034"},
  };
  for (const auto& c : cases) {
    for (const std::size_t piece : {1, 2, 3, 100}) {
      EXPECT_EQ(ChecksumOf(c.text, piece), c.sum) << c.name << " in pieces of " << piece;
    }
  }
}

std::optional<std::uint64_t> Find(std::string_view text, std::size_t piece) {
  PlaceholderFinder finder;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    finder.Feed(text.substr(0, piece));
  }
  return finder.found();
}

TEST(FlywayTextTest, FindsWhatFlywayWouldReplace) {
  const struct {
    std::string_view text;
    std::optional<std::uint64_t> offset;
  } cases[] = {
      {"", std::nullopt},
      {"select '{}', $1, $$a$$, $b$c$b$", std::nullopt},
      {"${a}", 0},
      {"select '${schema}.t'", 8},
      {"-- ${a}", 3},
      {"$$ ${a} $$", 3},
      {"${", 0},
      {"$ {a}", std::nullopt},
      {"a$", std::nullopt},
      // The reader takes the byte after a `$` without another look at it.
      {"$${a}", std::nullopt},
      {"do $${}$$", std::nullopt},
      {"$$${a}", 2},
      {"$$$${a}", std::nullopt},
      {"$a${b}", 2},
      {"${a} ${b}", 0},
  };
  for (const auto& c : cases) {
    for (const std::size_t piece : {1, 2, 3, 100}) {
      EXPECT_EQ(Find(c.text, piece), c.offset) << c.text << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace whimbrel::migration
