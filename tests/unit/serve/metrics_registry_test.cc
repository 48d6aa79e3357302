#include "whimbrel/serve/metrics_registry.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "serve/process_metrics.h"
#include "support/exposition.h"

namespace whimbrel::serve {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

using enum MetricKind;

const std::vector<MetricDescription>& Described() {
  static const std::vector<MetricDescription> all = {
      {"passes_total", kCounter, "Passes."},
      {"failures_total", kCounter, "Failures.", {"reason"}},
      {"standing", kGauge, "Where it stands.", {"namespace", "name"}},
      {"leader", kGauge, "Whether this process leads."},
      {"duration_seconds", kHistogram, "How long.", {"result"}, {0.1, 1, 10}},
  };
  return all;
}

testing::Exposition Read(const MetricsRegistry& registry) {
  testing::Exposition read = testing::ParseExposition(registry.Exposition());
  EXPECT_THAT(read.faults, IsEmpty());
  return read;
}

TEST(MetricsRegistryTest, WritesWhatItWasTold) {
  MetricsRegistry registry(Described());
  registry.Count("passes_total", {}, 1);
  registry.Count("passes_total", {}, 2);
  registry.Count("failures_total", {{"reason", "a \"quoted\\\" one\n"}}, 1);
  registry.Gauge("standing", {{"name", "n"}, {"namespace", "ns"}}, 7);
  registry.Gauge("standing", {{"namespace", "ns"}, {"name", "n"}}, -0.25);
  for (const double seconds : {0.05, 0.1, 5.0, 50.0}) {
    registry.Observe("duration_seconds", {{"result", "ok"}}, seconds);
  }
  const testing::Exposition read = Read(registry);
  EXPECT_EQ(read.types.at("passes_total"), "counter");
  EXPECT_EQ(read.helps.at("standing"), "Where it stands.");
  EXPECT_EQ(read.samples.at("passes_total"), 3);
  EXPECT_EQ(read.samples.at(R"(failures_total{reason="a \"quoted\\\" one\n"})"), 1);
  EXPECT_EQ(read.samples.at(R"(standing{name="n",namespace="ns"})"), -0.25);
  EXPECT_EQ(read.samples.at(R"(duration_seconds_bucket{result="ok",le="0.1"})"), 2);
  EXPECT_EQ(read.samples.at(R"(duration_seconds_bucket{result="ok",le="10"})"), 3);
  EXPECT_EQ(read.samples.at(R"(duration_seconds_count{result="ok"})"), 4);
  EXPECT_NEAR(read.samples.at(R"(duration_seconds_sum{result="ok"})"), 55.15, 1e-9);
}

TEST(MetricsRegistryTest, CountersStartAtZeroAndGaugesAreAbsentUntilSet) {
  MetricsRegistry registry(Described());
  const testing::Exposition read = Read(registry);
  EXPECT_EQ(read.samples.at("passes_total"), 0);
  EXPECT_THAT(read.types, Not(Contains(Key("leader"))));
  EXPECT_THAT(read.types, Not(Contains(Key("failures_total"))));
}

TEST(MetricsRegistryTest, ADroppedSeriesIsGoneAndTheOthersStay) {
  MetricsRegistry registry(Described());
  registry.Gauge("standing", {{"namespace", "ns"}, {"name", "a"}}, 1);
  registry.Gauge("standing", {{"namespace", "ns"}, {"name", "b"}}, 1);
  registry.Observe("duration_seconds", {{"result", "ok"}}, 1);
  registry.Drop("standing", {{"namespace", "ns"}, {"name", "a"}});
  registry.Drop("standing", {{"namespace", "ns"}, {"name", "never there"}});
  registry.Drop("duration_seconds", {{"result", "ok"}});
  const testing::Exposition read = Read(registry);
  EXPECT_THAT(read.samples, Not(Contains(Key(R"(standing{name="a",namespace="ns"})"))));
  EXPECT_THAT(read.samples, Contains(Key(R"(standing{name="b",namespace="ns"})")));
  EXPECT_THAT(read.types, Not(Contains(Key("duration_seconds"))));
}

TEST(MetricsRegistryTest, TakesOnlyWhatIsDescribedAndSaysSoOnce) {
  MetricsRegistry registry(Described());
  ::testing::internal::CaptureStderr();
  registry.Count("nobody_total", {}, 1);
  registry.Count("nobody_total", {}, 1);
  registry.Count("leader", {}, 1);
  registry.Gauge("standing", {{"namespace", "ns"}}, 1);
  registry.Gauge("standing", {{"namespace", "ns"}, {"nam", "n"}}, 1);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(log, '\n'), 3) << log;
  EXPECT_THAT(log, HasSubstr("it is not described"));
  EXPECT_THAT(log, HasSubstr("it is of another kind"));
  EXPECT_THAT(log, HasSubstr("it has other labels"));
  const testing::Exposition read = Read(registry);
  EXPECT_THAT(read.types, Not(Contains(Key("nobody_total"))));
  EXPECT_THAT(read.types, Not(Contains(Key("standing"))));
}

TEST(MetricsRegistryTest, LeavesOutWhatIsTooMuchAndCountsIt) {
  MetricsRegistry registry(Described(), 2);
  for (const char* reason : {"a", "b", "c", "d", "a"}) {
    registry.Count("failures_total", {{"reason", reason}}, 1);
  }
  registry.Drop("failures_total", {{"reason", "b"}});
  registry.Count("failures_total", {{"reason", "e"}}, 1);
  const testing::Exposition read = Read(registry);
  EXPECT_THAT(read.samples, Contains(Pair(R"(failures_total{reason="a"})", 2)));
  EXPECT_THAT(read.samples, Contains(Pair(R"(failures_total{reason="e"})", 1)));
  EXPECT_THAT(read.samples, Not(Contains(Key(R"(failures_total{reason="c"})"))));
  EXPECT_EQ(read.samples.at("whimbrel_metrics_dropped_total"), 2);
}

TEST(MetricsRegistryTest, TellsOfItsProcess) {
  MetricsRegistry registry({});
  testing::Exposition read = Read(registry);
  for (const MetricDescription& description : RegistryMetrics()) {
    EXPECT_THAT(read.samples, Contains(Key(std::string(description.name))));
  }
  EXPECT_GT(read.samples.at("process_resident_memory_bytes"), 0);
  EXPECT_GT(read.samples.at("process_open_fds"), 2);
  // After the year 2020, and not after now.
  EXPECT_GT(read.samples.at("process_start_time_seconds"), 1'577'836'800);
  EXPECT_LE(read.samples.at("process_start_time_seconds"), static_cast<double>(time(nullptr) + 1));
  const double cpu = read.samples.at("process_cpu_seconds_total");
  read = Read(registry);
  EXPECT_GE(read.samples.at("process_cpu_seconds_total"), cpu);
}

TEST(MetricsRegistryTest, TakesValuesFromManyThreadsWhileItIsRead) {
  MetricsRegistry registry(Described());
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&registry] {
        for (int n = 0; n < 200; ++n) {
          registry.Count("passes_total", {}, 1);
          registry.Gauge("standing", {{"namespace", "ns"}, {"name", "n"}}, n);
          registry.Drop("standing", {{"namespace", "ns"}, {"name", "n"}});
        }
      });
    }
    for (int n = 0; n < 20; ++n) Read(registry);
  }
  EXPECT_EQ(Read(registry).samples.at("passes_total"), 800);
}

TEST(ProcessStatTest, ReadsALineOfProc) {
  const std::string line =
      "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 1234 8192 7 "
      "18446744073709551615 1 1";
  const auto stat = ParseProcessStat(line, 100, 4096);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->cpu_seconds, 3);
  EXPECT_EQ(stat->start_seconds, 12.34);
  EXPECT_EQ(stat->virtual_bytes, 8192);
  EXPECT_EQ(stat->resident_bytes, 7 * 4096);
}

TEST(ProcessStatTest, KnowsWhatIsNoSuchLine) {
  for (const char* line : {"", "42", "42 (a) S", "42 (a) S 1 2 x", "42 (a) S 1 2 3 4 5 6 7 8"}) {
    EXPECT_FALSE(ParseProcessStat(line, 100, 4096)) << line;
  }
}

}  // namespace
}  // namespace whimbrel::serve
