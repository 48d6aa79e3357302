#include "whimbrel/kube/reflector.h"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "fake_object_client.h"
#include "support/eventually.h"
#include "support/fake_clock.h"
#include "support/fixed_random.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Eventually;
using testing::FakeClock;
using Strings = std::vector<std::string>;
using Reason = ApiErrorReason;

json Object(const std::string& name, const std::string& version) {
  return {{"kind", "ConfigMap"},
          {"metadata", {{"namespace", "ns"}, {"name", name}, {"resourceVersion", version}}}};
}

/// Writes down what it is told; keeps every object but those whose name begins with `other`.
class Recorder final : public ReflectorHandler {
 public:
  bool OnUpsert(const ObjectKey& key, Json&& object) override {
    const std::string version = object.at("metadata").at("resourceVersion");
    Add("upsert " + key.name + "@" + version);
    return !key.name.starts_with("other");
  }
  void OnDelete(const ObjectKey& key) override { Add("delete " + key.ToString()); }
  void OnSynced() override { Add("synced"); }

  [[nodiscard]] Strings all() const {
    const std::lock_guard lock(mutex_);
    return entries_;
  }

 private:
  void Add(std::string entry) {
    const std::lock_guard lock(mutex_);
    entries_.push_back(std::move(entry));
  }

  mutable std::mutex mutex_;
  Strings entries_;
};

/// Lists and watches go by a script; when it is over, watches block until they are stopped.
class ReflectorTest : public ::testing::Test {
 protected:
  struct ScriptedList {
    std::vector<json> items;
    ApiResult<std::string> result;
  };
  struct ScriptedWatch {
    std::vector<std::pair<WatchEventType, json>> events;
    ApiResult<void> result;
    Duration lasts = seconds(10);
  };

  ReflectorTest() {
    client_.list = [this](const ListOptions&, const ListHandler& handler,
                          const std::stop_token& stop) -> ApiResult<std::string> {
      const std::optional<ScriptedList> list = Take(lists_);
      if (!list) return FakeObjectClient::BlockUntil(stop).map([] { return std::string(); });
      for (json item : list->items) handler(std::move(item));
      return list->result;
    };
    client_.watch = [this](const WatchOptions& options, const WatchHandler& handler,
                           const std::stop_token& stop) -> ApiResult<void> {
      {
        const std::lock_guard lock(mutex_);
        watched_from_.push_back(options.resource_version);
        timeouts_.push_back(options.timeout);
      }
      const std::optional<ScriptedWatch> watch = Take(watches_);
      if (!watch) return FakeObjectClient::BlockUntil(stop);
      for (auto [type, object] : watch->events) handler(type, std::move(object));
      clock_.Advance(watch->lasts);
      return watch->result;
    };
  }

  /// Runs the script to its end.
  void Run() {
    const std::size_t watches = watches_.size();
    Reflector reflector(client_, {.name = "test", .resource = ConfigMaps()}, recorder_, clock_,
                        random_);
    EXPECT_TRUE(Eventually([&] {
      const std::lock_guard lock(mutex_);
      return watched_from_.size() == watches + 1;
    }));
    EXPECT_TRUE(reflector.synced());
  }

  template <class T>
  std::optional<T> Take(std::deque<T>& script) {
    const std::lock_guard lock(mutex_);
    if (script.empty()) return std::nullopt;
    T next = std::move(script.front());
    script.pop_front();
    return next;
  }

  std::mutex mutex_;
  FakeClock clock_{FakeClock::Sleep::kJumps};
  testing::FixedRandom random_{0.5};
  FakeObjectClient client_;
  Recorder recorder_;
  std::deque<ScriptedList> lists_;
  std::deque<ScriptedWatch> watches_;
  Strings watched_from_;
  std::vector<seconds> timeouts_;
};

TEST_F(ReflectorTest, ListsThenWatchesFromTheListsVersion) {
  lists_ = {{{Object("a", "1"), Object("b", "2")}, "10"}};
  Run();
  EXPECT_EQ(recorder_.all(), (Strings{"upsert a@1", "upsert b@2", "synced"}));
  EXPECT_EQ(watched_from_, Strings{"10"});
}

TEST_F(ReflectorTest, AWatchGoesOnAfterItsLastEventOrBookmark) {
  lists_ = {{{Object("a", "1")}, "10"}};
  watches_ = {{{{WatchEventType::kAdded, Object("b", "11")},
                {WatchEventType::kModified, Object("a", "12")},
                {WatchEventType::kDeleted, Object("b", "13")}},
               {}},
              {{{WatchEventType::kBookmark, Object("", "20")}},
               FakeObjectClient::Failure(Reason::kTransport)}};
  Run();
  EXPECT_EQ(recorder_.all(),
            (Strings{"upsert a@1", "synced", "upsert b@11", "upsert a@12", "delete ns/b"}));
  EXPECT_EQ(watched_from_, (Strings{"10", "13", "20"}));
}

TEST_F(ReflectorTest, AnExpiredWatchListsAgainAndReportsWhatIsGone) {
  lists_ = {{{Object("a", "1"), Object("b", "2"), Object("other", "3")}, "10"},
            {{Object("b", "2"), Object("d", "14")}, "20"}};
  watches_ = {
      {{{WatchEventType::kAdded, Object("c", "11")}}, FakeObjectClient::Failure(Reason::kExpired)}};
  Run();
  const Strings all = recorder_.all();
  ASSERT_EQ(all.size(), 10U);
  EXPECT_EQ(Strings(all.begin() + 5, all.begin() + 7), (Strings{"upsert b@2", "upsert d@14"}));
  EXPECT_EQ(std::set<std::string>(all.begin() + 7, all.begin() + 9),
            (std::set<std::string>{"delete ns/a", "delete ns/c"}))
      << "and not of the object that the owner did not keep";
  EXPECT_EQ(all.back(), "synced");
  EXPECT_EQ(watched_from_, (Strings{"10", "20"}));
}

TEST_F(ReflectorTest, WhatAFailedListReportedIsNotForgotten) {
  lists_ = {{{Object("a", "1")}, FakeObjectClient::Failure(Reason::kExpired)},
            {{Object("b", "2")}, "10"}};
  Run();
  EXPECT_EQ(recorder_.all(), (Strings{"upsert a@1", "upsert b@2", "delete ns/a", "synced"}));
}

TEST_F(ReflectorTest, WaitsLongerAfterEachFailure) {
  lists_ = {{{}, FakeObjectClient::Failure(Reason::kTransport)},
            {{}, FakeObjectClient::Failure(Reason::kTransport)},
            {{}, FakeObjectClient::Failure(Reason::kTransport)},
            {{}, "10"}};
  const SteadyTime begin = clock_.SteadyNow();
  Run();
  // 0.8 s, 1.6 s and 3.2 s, each one and a half times.
  EXPECT_EQ(clock_.SteadyNow() - begin, milliseconds(8400));
}

TEST_F(ReflectorTest, AsksForWatchesOfFourToSixMinutes) {
  lists_ = {{{}, "10"}};
  Run();
  EXPECT_EQ(timeouts_, std::vector<seconds>{seconds(300)});
}

TEST_F(ReflectorTest, ASilentWatchIsFollowedByAListBecauseTheServerMayHaveGoneBackInTime) {
  lists_ = {{{Object("a", "990"), Object("b", "1000")}, "1000"}, {{Object("a", "500")}, "600"}};
  watches_ = {{{}, {}, std::chrono::minutes(5)}};
  Run();
  EXPECT_EQ(watched_from_, (Strings{"1000", "600"}));
  EXPECT_EQ(recorder_.all(), (Strings{"upsert a@990", "upsert b@1000", "synced", "upsert a@500",
                                      "delete ns/b", "synced"}));
}

TEST_F(ReflectorTest, IsNotSyncedBeforeItsFirstListAndEndsInTheMiddleOfIt) {
  Reflector reflector(client_, {.name = "test", .resource = ConfigMaps()}, recorder_, clock_,
                      random_);
  EXPECT_FALSE(reflector.synced());
}

TEST_F(ReflectorTest, EndsWhileItWaits) {
  FakeClock waiting;
  lists_ = {{{}, FakeObjectClient::Failure(Reason::kTransport)}};
  Reflector reflector(client_, {.name = "test", .resource = ConfigMaps()}, recorder_, waiting,
                      random_);
  EXPECT_TRUE(waiting.WaitForSleepers(1));
}

}  // namespace
}  // namespace whimbrel::kube
