#include "controller/run_book.h"

#include <gtest/gtest.h>

namespace whimbrel::controller {
namespace {

using std::chrono::seconds;

const kube::ObjectKey kKey{.ns = "shop", .name = "orders"};
constexpr SteadyTime kNow{std::chrono::hours(1)};
constexpr seconds kPatience{600};

OwnRun RunOf(const std::string& id) { return {.state = {.id = id}, .uid = "u"}; }

TEST(RunBook, ARunThatStoodThereAtFirstSightIsLost) {
  RunBook book;
  EXPECT_TRUE(book.IsLost(kKey, "a", "1", kNow, kPatience));
  EXPECT_TRUE(book.IsLost(kKey, "a", "2", kNow, kPatience)) << "until it is replaced";
}

TEST(RunBook, ARunThatAppearsLaterIsSomebodyElses) {
  RunBook book;
  EXPECT_FALSE(book.IsLost(kKey, "", "1", kNow, kPatience));
  EXPECT_FALSE(book.IsLost(kKey, "a", "2", kNow, kPatience));
  EXPECT_FALSE(book.IsLost(kKey, "a", "3", kNow + seconds(599), kPatience)) << "it was heard of";
  EXPECT_FALSE(book.IsLost(kKey, "a", "3", kNow + seconds(1198), kPatience));
  EXPECT_TRUE(book.IsLost(kKey, "a", "3", kNow + seconds(1199), kPatience)) << "silent too long";
}

TEST(RunBook, ARunOfOursThatCameToNothingIsLost) {
  RunBook book;
  EXPECT_FALSE(book.IsLost(kKey, "", "1", kNow, kPatience));
  book.MarkLost(kKey, "b");
  EXPECT_TRUE(book.IsLost(kKey, "b", "2", kNow, kPatience));
  EXPECT_FALSE(book.IsLost(kKey, "c", "2", kNow, kPatience));
}

TEST(RunBook, RemembersEveryRunThatCameToNothingUntilOneBegins) {
  RunBook book;
  book.MarkLost(kKey, "written down, but the answer was lost");
  book.MarkLost(kKey, "never written down");
  EXPECT_TRUE(book.IsLost(kKey, "written down, but the answer was lost", "2", kNow, kPatience));
  book.Put(kKey, RunOf("a"));
  EXPECT_FALSE(book.IsLost(kKey, "never written down", "3", kNow, kPatience));
}

TEST(RunBook, FindsARunByKeyAndTheKeyByRun) {
  RunBook book;
  EXPECT_TRUE(book.empty());
  book.Put(kKey, RunOf("a"));
  book.Put(kKey, RunOf("b"));
  EXPECT_EQ(book.Find(kKey)->state.id, "b");
  EXPECT_EQ(book.KeyOf("b"), kKey);
  EXPECT_EQ(book.KeyOf("a"), std::nullopt) << "it was replaced";
  book.Erase(kKey);
  EXPECT_TRUE(book.empty());
  EXPECT_EQ(book.Find(kKey), std::nullopt);
}

TEST(RunBook, AResourceThatWasDroppedIsSeenForTheFirstTimeAgain) {
  RunBook book;
  EXPECT_FALSE(book.IsLost(kKey, "", "1", kNow, kPatience));
  book.Drop(kKey);
  EXPECT_TRUE(book.IsLost(kKey, "a", "1", kNow, kPatience));
}

}  // namespace
}  // namespace whimbrel::controller
