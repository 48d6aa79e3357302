#include "support/user_account.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace whimbrel::testing {
namespace {

TEST(UserAccountTest, ThrowsForAUserThatIsNotThere) {
  EXPECT_THROW((void)FindUser("nobody-has-this-name"), std::runtime_error);
}

TEST(UserAccountTest, GivesEachThreadTheUserItAskedFor) {
  // Debian's base-passwd, "Users and Groups": these have had their numbers always.
  struct Known {
    std::string name;
    uid_t uid;
  };
  const std::vector<Known> known = {{"root", 0}, {"daemon", 1}, {"bin", 2}, {"nobody", 65534}};
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (const Known& user : known) {
      threads.emplace_back([&wrong, &user] {
        for (int i = 0; i < 500; ++i) wrong += FindUser(user.name).uid == user.uid ? 0 : 1;
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace whimbrel::testing
