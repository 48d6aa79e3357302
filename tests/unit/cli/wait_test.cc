#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "cli/wait_database.h"
#include "cli/wait_loop.h"
#include "cli/wait_resource.h"
#include "support/fake_clock.h"
#include "support/fixed_random.h"

namespace whimbrel::cli {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using whimbrel::testing::FakeClock;
using State = Sighting::State;

/// Looks that were thought up, one after the other; the last one again and again.
class WaitLoopTest : public ::testing::Test {
 protected:
  ExitCode Wait(const std::vector<Sighting>& sightings, seconds timeout = seconds(60)) {
    const SteadyTime start = clock_.SteadyNow();
    std::size_t next = 0;
    return WaitUntilReady(
        [&](SteadyTime deadline, const std::stop_token&) {
          EXPECT_GT(deadline, clock_.SteadyNow()) << "a look always has some time";
          looks_.push_back(std::chrono::duration_cast<milliseconds>(clock_.SteadyNow() - start));
          if (stop_at_ == looks_.size()) stop_.request_stop();
          const Sighting& sighting = sightings[next];
          next = std::min(next + 1, sightings.size() - 1);
          return sighting;
        },
        {.timeout = timeout,
         .backoff = {milliseconds(1000), milliseconds(4000)},
         .clock = clock_,
         .random = chance_},
        stop_.get_token(), out_, err_);
  }

  FakeClock clock_{FakeClock::Sleep::kJumps};
  whimbrel::testing::FixedRandom chance_{0};  // Half of each pause.
  std::stop_source stop_;
  std::size_t stop_at_ = 0;  ///< The look during which the stop is asked for; 0: none.
  std::vector<milliseconds> looks_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(WaitLoopTest, PrintsALineOnlyWhenSomethingChanged) {
  const Sighting down{State::kNotYet, "down"};
  const Sighting old{State::kNotYet, "at 1"};
  EXPECT_EQ(Wait({down, down, old, old, old, {State::kReady, "at 2"}}), ExitCode::kReady);
  EXPECT_EQ(out_.str(), "waiting: down\nwaiting: at 1\nready: at 2\n");
  EXPECT_EQ(err_.str(), "");
}

TEST_F(WaitLoopTest, LooksLessAndLessOftenAndOnceMoreAtTheEnd) {
  EXPECT_EQ(Wait({{State::kNotYet, "down"}}, seconds(9)), ExitCode::kRetryable);
  EXPECT_THAT(looks_, ::testing::ElementsAre(milliseconds(0), milliseconds(500), milliseconds(1500),
                                             milliseconds(3500), milliseconds(5500),
                                             milliseconds(7500), milliseconds(9000)));
  EXPECT_EQ(err_.str(), "whimbrel wait: not ready within 9 s: down\n");
}

TEST_F(WaitLoopTest, WhatNoPatienceMendsEndsItAtOnce) {
  EXPECT_EQ(Wait({{State::kStalled, "MigrationFailed"}}), ExitCode::kStalled);
  EXPECT_EQ(Wait({{State::kUsage, "no right"}}), ExitCode::kUsage);
  EXPECT_EQ(looks_.size(), 2U);
  EXPECT_EQ(err_.str(), "whimbrel wait: stalled: MigrationFailed\nwhimbrel wait: no right\n");
}

TEST_F(WaitLoopTest, AStopEndsItAfterTheLookThatGoesOn) {
  stop_at_ = 2;
  EXPECT_EQ(Wait({{State::kNotYet, "down"}, {State::kNotYet, "cancelled"}}), ExitCode::kRetryable);
  EXPECT_EQ(looks_.size(), 2U);
  EXPECT_EQ(err_.str(), "whimbrel wait: stopped before it was ready: down\n");
}

TEST(WaitHistory, IsReadyAtTheVersionOrBeyondWhenNothingBelowIsUnfinished) {
  struct Row {
    const char* sentence;
    std::vector<std::string> history;  ///< `!`: unfinished.
    State state;
    const char* text;
  };
  for (const Row& row : std::vector<Row>{
           {"nothing", {}, State::kNotYet, "nothing is applied yet; wanted: 1.10 or newer"},
           {"an older one", {"1.9"}, State::kNotYet, "at version 1.9; wanted: 1.10 or newer"},
           {"the very one", {"1.9", "1.10"}, State::kReady, "at version 1.10;"},
           {"the very one, spelled otherwise", {"01.10.0"}, State::kReady, "at version 01.10.0;"},
           {"a newer one without it", {"1.9", "2"}, State::kReady, "at version 2;"},
           {"the very one unfinished", {"1.9", "!1.10"}, State::kNotYet, "version 1.10 has begun"},
           {"an older one unfinished below a newer one", {"!1.9", "2"}, State::kNotYet, "1.9 has"},
           {"a newer one unfinished", {"1.10", "!1.11"}, State::kReady, "at version 1.10;"},
           {"only a newer one, unfinished", {"!1.11"}, State::kNotYet, "nothing is applied"}}) {
    std::vector<HistoryEntry> history;
    for (const std::string& text : row.history) {
      const bool finished = text.front() != '!';
      history.push_back(
          {migration::Version::Parse(text.substr(finished ? 0 : 1)).value(), finished});
    }
    const Sighting sighting = JudgeHistory(history, migration::Version::Parse("1.10").value());
    EXPECT_EQ(sighting.state, row.state) << row.sentence;
    EXPECT_THAT(sighting.text, HasSubstr(row.text)) << row.sentence;
  }
}

/// A resource of generation 3, with a condition of that generation.
json Resource(const std::string& patch) {
  json object = json::parse(R"({
    "metadata": {"name": "orders", "namespace": "shop", "generation": 3},
    "spec": {},
    "status": {"observedGeneration": 3, "currentVersion": "7", "conditions": [
      {"type": "Ready", "status": "True", "observedGeneration": 3, "reason": "UpToDate",
       "lastTransitionTime": "2026-01-02T03:04:05Z"}]}})");
  object.merge_patch(json::parse(patch));
  return object;
}

TEST(WaitResource, BelievesAStatusOfTheNewestGenerationAlone) {
  struct Row {
    const char* sentence;
    std::string patch;
    State state;
    const char* text;
  };
  const std::string conditions = R"({"status": {"conditions": [)";
  const std::string not_ready =
      R"({"type": "Ready", "status": "False", "observedGeneration": 3, "reason": "Progressing",
          "message": "2 of 5"})";
  for (const Row& row : std::vector<Row>{
           {"ready", "{}", State::kReady, "shop/orders at version 7"},
           {"no status", R"({"status": null})", State::kNotYet, "not looked at yet"},
           {"a status of an older generation", R"({"metadata": {"generation": 4}})", State::kNotYet,
            "not looked at yet in its generation 4"},
           {"a status of an older generation that is stalled",
            R"({"metadata": {"generation": 4}, "status": {"conditions": [
               {"type": "Ready", "status": "False", "observedGeneration": 3, "reason": "X"},
               {"type": "Stalled", "status": "True", "observedGeneration": 3, "reason": "X"}]}})",
            State::kNotYet, "not looked at yet"},
           {"a condition of an older generation",
            conditions +
                R"({"type": "Ready", "status": "True", "observedGeneration": 2, "reason": "X"}]}})",
            State::kNotYet, "not looked at yet"},
           {"working", conditions + not_ready + "]}}", State::kNotYet,
            "shop/orders: Progressing: 2 of 5"},
           {"stalled",
            conditions + not_ready +
                R"(, {"type": "Stalled", "status": "True", "observedGeneration": 3,
                     "reason": "MigrationFailed", "message": "003_x.sql:4:1"}]}})",
            State::kStalled, "shop/orders: MigrationFailed: 003_x.sql:4:1"},
           {"going away", R"({"metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"}})",
            State::kNotYet, "is being deleted"}}) {
    const Sighting sighting = JudgeResource(Resource(row.patch));
    EXPECT_EQ(sighting.state, row.state) << row.sentence;
    EXPECT_THAT(sighting.text, HasSubstr(row.text)) << row.sentence;
  }
}

TEST(WaitResource, TakesEveryNameThatKubectlTakesForTheType) {
  for (const char* type :
       {"dbmig", "databasemigration", "databasemigrations", "databasemigrations.whimbrel.dev",
        "databasemigrations.v1alpha1.whimbrel.dev", "dbmig.whimbrel.dev"}) {
    EXPECT_EQ(ParseResourceName(std::string(type) + "/orders").value(), "orders") << type;
  }
  for (const char* text : {"", "orders", "dbmig", "dbmig/", "/orders", "pod/orders", "dbmig/a/b",
                           "dbmig.example.org/orders"}) {
    const Result<std::string> name = ParseResourceName(text);
    ASSERT_FALSE(name) << text;
    EXPECT_THAT(name.error().message, HasSubstr("dbmig/NAME"));
  }
}

TEST(WaitResource, TellsWhatMayPassFromWhatAPersonMustMend) {
  const kube::ObjectKey key{.ns = "shop", .name = "orders"};
  using Reason = kube::ApiErrorReason;
  struct Row {
    kube::ApiError error;
    State state;
    const char* text;
  };
  for (const Row& row : std::vector<Row>{
           {{.reason = Reason::kNotFound,
     .message = "databasemigrations.whimbrel.dev \"orders\" not found"},
            State::kNotYet,
            "shop/orders does not exist yet"},
           {{.reason = Reason::kNotFound, .message = "404 page not found"},
            State::kUsage,
            "install Whimbrel's CRD"},
           {{.reason = Reason::kForbidden, .message = "User \"app\" cannot get"},
            State::kUsage,
            "the verb get on databasemigrations.whimbrel.dev, resourceNames [orders]"},
           {{.reason = Reason::kUnauthorized, .message = "Unauthorized"}, State::kUsage, "Unauth"},
           {{.reason = Reason::kTransport, .message = "refused"}, State::kNotYet, "refused"},
           {{.reason = Reason::kTooManyRequests, .message = "slow"}, State::kNotYet, "slow"},
           {{.reason = Reason::kServerError, .message = "etcd"}, State::kNotYet, "etcd"}}) {
    const Sighting sighting = JudgeApiError(row.error, key);
    EXPECT_EQ(sighting.state, row.state) << row.error.message;
    EXPECT_THAT(sighting.text, HasSubstr(row.text));
  }
}

}  // namespace
}  // namespace whimbrel::cli
