#include "kube/line_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace whimbrel::kube {
namespace {

std::vector<std::string> Split(const std::string& text, std::size_t piece) {
  std::vector<std::string> lines;
  LineSplitter splitter(100, [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  for (std::size_t at = 0; at < text.size(); at += piece) {
    EXPECT_TRUE(splitter.Feed(std::string_view(text).substr(at, piece)));
  }
  return lines;
}

TEST(LineSplitterTest, CutsAtLineEndsWhateverThePieces) {
  const std::string text = "one\ntwo\r\n\n\r\nthree\nhalf a li";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    EXPECT_EQ(Split(text, piece), (std::vector<std::string>{"one", "two", "three"})) << piece;
  }
}

TEST(LineSplitterTest, RefusesALineOverTheLimit) {
  for (const std::size_t piece : {1U, 4U, 100U}) {
    std::vector<std::string> lines;
    LineSplitter splitter(5, [&](std::string_view line) {
      lines.emplace_back(line);
      return true;
    });
    const std::string text = "12345\n123456\n";
    bool going_on = true;
    for (std::size_t at = 0; at < text.size() && going_on; at += piece) {
      going_on = splitter.Feed(std::string_view(text).substr(at, piece));
    }
    EXPECT_FALSE(going_on) << piece;
    EXPECT_TRUE(splitter.too_long()) << piece;
    EXPECT_EQ(lines, std::vector<std::string>{"12345"}) << piece;
  }
}

TEST(LineSplitterTest, EndsWhenTheHandlerHadEnough) {
  int lines = 0;
  LineSplitter splitter(100, [&](std::string_view) { return ++lines < 2; });
  EXPECT_FALSE(splitter.Feed("a\nb\nc\n"));
  EXPECT_EQ(lines, 2);
  EXPECT_FALSE(splitter.too_long());
}

}  // namespace
}  // namespace whimbrel::kube
