#include "kube/list_page.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kube/object_json.h"

namespace whimbrel::kube {
namespace {

struct Parts {
  std::vector<std::string> items;
  std::string metadata;
  bool complete = false;
  bool malformed = false;

  friend bool operator==(const Parts&, const Parts&) = default;
  friend void PrintTo(const Parts& parts, std::ostream* out) {
    *out << (parts.complete ? "complete" : "incomplete") << " metadata=" << parts.metadata;
    for (const std::string& item : parts.items) *out << " item=" << item;
  }
};

/// Feeds `text` in pieces of `piece` bytes.
Parts Cut(const std::string& text, std::size_t piece) {
  Parts parts;
  ListPage page([&](std::string_view item) {
    parts.items.emplace_back(item);
    return true;
  });
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (!page.Feed(std::string_view(text).substr(at, piece))) break;
  }
  parts.metadata = page.metadata();
  parts.complete = page.complete();
  parts.malformed = page.malformed();
  return parts;
}

struct Case {
  const char* name;
  std::string text;
  Parts expected;
};

const Case kCases[] = {
    {"an empty list",
     R"({"kind":"ConfigMapList","metadata":{"resourceVersion":"1"},"items":[]})",
     {{}, R"({"resourceVersion":"1"})", true, false}},
    {"no items, as Go writes a nil slice",
     R"({"metadata":{"resourceVersion":"1"},"items":null})",
     {{}, R"({"resourceVersion":"1"})", true, false}},
    {"two items, and metadata after them",
     R"({"items":[{"a":1},{"b":[{"c":{}}]}],"metadata":{"continue":"x"}})",
     {{R"({"a":1})", R"({"b":[{"c":{}}]})"}, R"({"continue":"x"})", true, false}},
    {"braces, brackets and quotes in strings are text",
     R"({"items":[{"a":"}]{[\"\\"},{"b":"\\\""}],"metadata":{"m":"}"}})",
     {{R"({"a":"}]{[\"\\"})", R"({"b":"\\\""})"}, R"({"m":"}"})", true, false}},
    {"items and metadata elsewhere do not count",
     R"({"other":{"items":[{"x":1}],"metadata":{"y":1}},"items":[{"items":[{"z":1}]}]})",
     {{R"({"items":[{"z":1}]})"}, "", true, false}},
    {"a value named like a key does not count",
     R"({"kind":"items","list":[{"x":1}],"metadata":"items","more":{"y":1}})",
     {{}, "", true, false}},
    {"an escaped key is not mistaken for another",
     R"({"\"items":[{"x":1}],"items":[{"y":1}]})",
     {{R"({"y":1})"}, "", true, false}},
    {"white space is kept inside the parts only",
     " {\n \"items\" : [ { \"a\" : 1 } , { } ] } \n",
     {{R"({ "a" : 1 })", "{ }"}, "", true, false}},
    {"cut off in an item", R"({"items":[{"a":1},{"b":)", {{R"({"a":1})"}, "", false, false}},
    {"cut off after the items", R"({"items":[{"a":1}])", {{R"({"a":1})"}, "", false, false}},
    {"nothing at all", "", {{}, "", false, false}},
    {"something else than an object", "[1]", {{}, "", false, true}},
    {"a page of a proxy", "<html>", {{}, "", false, true}},
    {"something after the list", R"({"items":[]} {})", {{}, "", false, true}},
};

TEST(ListPageTest, CutsTheTextIntoItsPartsWhateverThePieces) {
  for (const Case& test : kCases) {
    for (const std::size_t piece : {1U, 2U, 3U, 5U, 7U, 1000U}) {
      EXPECT_EQ(Cut(test.text, piece), test.expected) << test.name << ", pieces of " << piece;
    }
  }
}

TEST(ListPageTest, EndsWhenTheHandlerHadEnough) {
  int items = 0;
  ListPage page([&](std::string_view) { return ++items < 2; });
  EXPECT_FALSE(page.Feed(R"({"items":[{},{},{}]})"));
  EXPECT_EQ(items, 2);
  EXPECT_FALSE(page.malformed());
}

TEST(ListPageTest, RefusesAnItemOverTheLimit) {
  ListPage page([](std::string_view) { return true; });
  ASSERT_TRUE(page.Feed(R"({"items":[{"a":")"));
  const std::string piece(kMaxObjectBytes / 4, 'x');
  int taken = 0;
  while (page.Feed(piece)) ASSERT_LT(++taken, 5);
  EXPECT_TRUE(page.malformed());
}

}  // namespace
}  // namespace whimbrel::kube
