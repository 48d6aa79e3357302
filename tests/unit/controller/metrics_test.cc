#include "controller/metrics.h"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <sstream>

#include "whimbrel/controller/metric_descriptions.h"

namespace whimbrel::controller {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

/// Remembers what it was told by series, `name{label=value,…}` in the order of the description, and
/// fails the test for whatever is not described.
class RecordingSink final : public MetricsSink {
 public:
  void Count(std::string_view name, Labels labels, double increment) override {
    series[Series(name, labels, MetricKind::kCounter)] += increment;
  }
  void Gauge(std::string_view name, Labels labels, double value) override {
    series[Series(name, labels, MetricKind::kGauge)] = value;
  }
  void Observe(std::string_view name, Labels labels, double value) override {
    observed[Series(name, labels, MetricKind::kHistogram)].push_back(value);
  }
  void Drop(std::string_view name, Labels labels) override {
    series.erase(Series(name, labels, std::nullopt));
  }

  std::map<std::string, double> series;
  std::map<std::string, std::vector<double>> observed;

 private:
  static std::string Series(std::string_view name, Labels labels, std::optional<MetricKind> kind) {
    const auto& all = ControllerMetrics();
    const auto described = std::ranges::find(all, name, &MetricDescription::name);
    if (described == all.end()) {
      ADD_FAILURE() << name << " is not described";
      return std::string(name);
    }
    EXPECT_TRUE(!kind || described->kind == *kind) << name;
    EXPECT_EQ(labels.size(), described->labels.size()) << name;
    std::string text;
    for (const std::string_view wanted : described->labels) {
      const auto found =
          std::ranges::find_if(labels, [&](const auto& label) { return label.first == wanted; });
      EXPECT_NE(found, labels.end()) << name << " has no label " << wanted;
      if (found == labels.end()) continue;
      text += (text.empty() ? "" : ",") + std::string(wanted) + "=" + std::string(found->second);
    }
    return std::string(name) + (text.empty() ? "" : "{" + text + "}");
  }
};

const kube::ObjectKey kKey{"shop", "orders"};
const SystemTime kTime{std::chrono::seconds(1'760'000'000)};
constexpr const char* kOf = "{namespace=shop,name=orders}";

std::string ConditionSeries(const std::string& condition, const std::string& status) {
  return "whimbrel_databasemigration_status_condition{namespace=shop,name=orders,condition=" +
         condition + ",status=" + status + "}";
}

TEST(PassMetricsTest, CountsUnderBothNamesFromZero) {
  RecordingSink sink;
  PassMetrics passes(sink, 4);
  for (const char* result : {"success", "requeue", "requeue_after", "error"}) {
    EXPECT_THAT(sink.series,
                Contains(Pair(std::string("whimbrel_reconcile_total{result=") + result + "}", 0)));
  }
  EXPECT_THAT(sink.series, Contains(Pair("controller_runtime_max_concurrent_reconciles{"
                                         "controller=databasemigration}",
                                         4)));
  passes.Began();
  passes.Began();
  passes.Ended(PassResult::kRequeueAfter, std::chrono::milliseconds(250));
  const std::string of = "{controller=databasemigration";
  EXPECT_THAT(sink.series,
              IsSupersetOf(std::map<std::string, double>{
                  {"whimbrel_reconcile_total{result=requeue_after}", 1},
                  {"whimbrel_reconcile_errors_total", 0},
                  {"controller_runtime_reconcile_total" + of + ",result=requeue_after}", 1},
                  {"controller_runtime_active_workers" + of + "}", 1}}));
  EXPECT_THAT(sink.observed,
              Contains(Pair("whimbrel_reconcile_duration_seconds", std::vector<double>{0.25})));
}

TEST(PassMetricsTest, APassThatThrewIsAnErrorToo) {
  RecordingSink sink;
  PassMetrics passes(sink, 1);
  passes.Began();
  passes.Ended(PassResult::kThrew, {});
  passes.Began();
  passes.Ended(PassResult::kError, {});
  const std::string of = "{controller=databasemigration}";
  EXPECT_THAT(sink.series, IsSupersetOf(std::map<std::string, double>{
                               {"whimbrel_reconcile_total{result=error}", 2},
                               {"whimbrel_reconcile_errors_total", 2},
                               {"controller_runtime_reconcile_errors_total" + of, 2},
                               {"controller_runtime_reconcile_panics_total" + of, 1},
                               {"controller_runtime_active_workers" + of, 0}}));
}

TEST(PassMetricsTest, TellsHowManyWait) {
  RecordingSink sink;
  PassMetrics passes(sink, 1);
  passes.Waiting(3);
  EXPECT_THAT(sink.series, Contains(Pair("whimbrel_workqueue_depth", 3)));
}

TEST(PassMetricsTest, AConflictIsNoError) {
  using Next = kube::ApiResult<std::optional<Duration>>;
  const auto failed = [](kube::ApiErrorReason reason) {
    return Next(tl::make_unexpected(kube::ApiError{.reason = reason}));
  };
  EXPECT_EQ(ResultOf(Next(std::nullopt)), PassResult::kSuccess);
  EXPECT_EQ(ResultOf(Next(std::chrono::seconds(1))), PassResult::kRequeueAfter);
  EXPECT_EQ(ResultOf(failed(kube::ApiErrorReason::kConflict)), PassResult::kRequeue);
  EXPECT_EQ(ResultOf(failed(kube::ApiErrorReason::kCancelled)), PassResult::kRequeue);
  EXPECT_EQ(ResultOf(failed(kube::ApiErrorReason::kForbidden)), PassResult::kError);
}

TEST(ResourceMetricsTest, TellsEachConditionByItsThreeStatuses) {
  RecordingSink sink;
  PutResource(sink, kKey,
              {.conditions = {{.type = "Ready", .status = Truth::kFalse},
                              {.type = "Stalled", .status = Truth::kTrue}}});
  EXPECT_THAT(sink.series, ::testing::ContainerEq(std::map<std::string, double>{
                               {ConditionSeries("Ready", "True"), 0},
                               {ConditionSeries("Ready", "False"), 1},
                               {ConditionSeries("Ready", "Unknown"), 0},
                               {ConditionSeries("Reconciling", "True"), 0},
                               {ConditionSeries("Reconciling", "False"), 0},
                               {ConditionSeries("Reconciling", "Unknown"), 1},
                               {ConditionSeries("Stalled", "True"), 1},
                               {ConditionSeries("Stalled", "False"), 0},
                               {ConditionSeries("Stalled", "Unknown"), 0}}));
}

TEST(ResourceMetricsTest, TellsTimesAndWhatIsPendingWhereItIsKnown) {
  RecordingSink sink;
  Status status{.pending_count = 3,
                .run = RunState{.id = "r", .start_time = kTime},
                .last_success_time = kTime - std::chrono::hours(1)};
  PutResource(sink, kKey, status);
  const std::string prefix = "whimbrel_databasemigration_";
  EXPECT_THAT(sink.series, IsSupersetOf(std::map<std::string, double>{
                               {prefix + "pending_versions" + kOf, 3},
                               {prefix + "run_start_timestamp_seconds" + kOf, 1'760'000'000},
                               {prefix + "last_success_timestamp_seconds" + kOf, 1'759'996'400}}));

  status.run->completion_time = kTime;
  status.pending_count = 0;
  PutResource(sink, kKey, status);
  EXPECT_THAT(sink.series, Not(Contains(Key(prefix + "run_start_timestamp_seconds" + kOf))));
  EXPECT_THAT(sink.series, Contains(Pair(prefix + "pending_versions" + kOf, 0)));
}

TEST(ResourceMetricsTest, NothingIsLeftOfAResourceThatIsGone) {
  RecordingSink sink;
  const Status status{.pending_count = 3,
                      .run = RunState{.id = "r", .start_time = kTime},
                      .last_success_time = kTime};
  PutResource(sink, kKey, status);
  DropResource(sink, kKey);
  EXPECT_THAT(sink.series, IsEmpty());
  DropResource(sink, kKey);
}

TEST(RunMetricsTest, CountsWhatARunDid) {
  RecordingSink sink;
  using std::chrono::milliseconds;
  CountRun(sink, {.succeeded = true,
                  .applied_this_run = 2,
                  .applied = {{.version = "3", .duration = milliseconds(1500), .this_run = true},
                              {.version = "2", .duration = milliseconds(20), .this_run = true},
                              {.version = "1", .duration = milliseconds(7)}},
                  .lock_wait = milliseconds(100)});
  CountRun(sink, {.failure = report::Failure{.reason = report::Reason::kMigrationFailed},
                  .applied_this_run = 1,
                  .applied = {{.version = "4", .duration = milliseconds(5), .this_run = true}}});
  EXPECT_THAT(sink.series, ::testing::ContainerEq(std::map<std::string, double>{
                               {"whimbrel_migrations_applied_total", 3},
                               {"whimbrel_migrations_failed_total{reason=MigrationFailed}", 1}}));
  EXPECT_EQ(sink.observed["whimbrel_migration_duration_seconds"],
            (std::vector<double>{1.5, 0.02, 0.005}));
  EXPECT_EQ(sink.observed["whimbrel_lock_wait_seconds"], (std::vector<double>{0.1, 0}));
}

// The rules of prometheus.io/docs/practices/naming, and what the exposition cannot escape.
TEST(MetricDescriptionsTest, KeepToTheConventions) {
  std::set<std::string_view> names;
  for (const MetricDescription& metric : ControllerMetrics()) {
    SCOPED_TRACE(metric.name);
    EXPECT_TRUE(names.insert(metric.name).second) << "described twice";
    EXPECT_EQ(metric.name.ends_with("_total"), metric.kind == MetricKind::kCounter);
    EXPECT_THAT(std::string(metric.name), ::testing::MatchesRegex("[a-z][a-z0-9_]*"));
    EXPECT_TRUE(metric.help.ends_with('.'));
    EXPECT_EQ(metric.help.find_first_of("\n\\"), std::string_view::npos);
    EXPECT_EQ(metric.buckets.empty(), metric.kind != MetricKind::kHistogram);
    EXPECT_TRUE(std::ranges::is_sorted(metric.buckets));
    // It would grow without end.
    if (metric.name != "whimbrel_build_info") {
      EXPECT_THAT(metric.labels, Not(Contains("version")));
    }
  }
}

}  // namespace
}  // namespace whimbrel::controller
