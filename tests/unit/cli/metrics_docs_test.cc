// What is written about metrics is what the program has: docs/metrics.md and the alerts.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "support/temp_dir.h"
#include "whimbrel/controller/metric_descriptions.h"
#include "whimbrel/kube/yaml.h"
#include "whimbrel/serve/metrics_registry.h"

namespace whimbrel::cli {
namespace {

using ::testing::Contains;

const std::filesystem::path kSource = WHIMBREL_SOURCE_DIR;

std::vector<MetricDescription> AllMetrics() {
  std::vector<MetricDescription> all = controller::ControllerMetrics();
  const auto more = serve::RegistryMetrics();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string_view KindOf(const MetricDescription& metric) {
  switch (metric.kind) {
    case MetricKind::kCounter:
      return "counter";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kHistogram:
      break;
  }
  return "histogram";
}

std::string RowOf(const MetricDescription& metric) {
  std::string labels;
  for (const std::string_view label : metric.labels) {
    labels += (labels.empty() ? "`" : ", `") + std::string(label) + "`";
  }
  std::ostringstream row;
  row << "| `" << metric.name << "` | " << KindOf(metric) << " | " << labels << " | " << metric.help
      << " |";
  return row.str();
}

TEST(MetricsDocsTest, ThePageHasEachMetricAsItIs) {
  std::set<std::string> expected;
  for (const MetricDescription& metric : AllMetrics()) expected.insert(RowOf(metric));
  std::set<std::string> written;
  std::istringstream page(testing::ReadFile(kSource / "docs/metrics.md"));
  const std::regex row(R"(\| `[a-z_]+` \| (counter|gauge|histogram) \|.*)");
  for (std::string line; std::getline(page, line);) {
    if (std::regex_match(line, row)) written.insert(line);
  }
  for (const std::string& line : expected) EXPECT_THAT(written, Contains(line));
  for (const std::string& line : written) EXPECT_THAT(expected, Contains(line));
}

TEST(MetricsDocsTest, EachAlertAsksForMetricsThatThereAreAndHasItsText) {
  std::set<std::string> names;
  for (const MetricDescription& metric : AllMetrics()) names.emplace(metric.name);
  const std::string page = testing::ReadFile(kSource / "docs/metrics.md");
  const auto file = kSource / "deploy/prometheus-rules.yaml";
  const auto parsed = kube::ParseYaml(testing::ReadFile(file), file.string());
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  const nlohmann::json& rules = parsed->at(0).value->at("/spec/groups/0/rules"_json_pointer);
  ASSERT_FALSE(rules.empty());
  for (const nlohmann::json& rule : rules) {
    const auto alert = rule.at("alert").get<std::string>();
    SCOPED_TRACE(alert);
    const auto expression = rule.at("expr").get<std::string>();
    const std::regex metric("whimbrel_[a-z_]+");
    const std::sregex_iterator end;
    std::sregex_iterator found(expression.begin(), expression.end(), metric);
    EXPECT_NE(found, end);
    for (; found != end; ++found) EXPECT_THAT(names, Contains(found->str()));
    EXPECT_THAT((std::set<std::string>{"critical", "warning", "info"}),
                Contains(rule.at("labels").at("severity").get<std::string>()));
    const nlohmann::json& texts = rule.at("annotations");
    for (const char* text : {"summary", "description", "runbook_url"}) {
      EXPECT_TRUE(texts.contains(text)) << text;
    }
    // The page is the runbook.
    EXPECT_NE(page.find("### " + alert + "\n"), std::string::npos);
  }
}

}  // namespace
}  // namespace whimbrel::cli
