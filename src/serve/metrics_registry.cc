#include "whimbrel/serve/metrics_registry.h"

#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include "serve/process_metrics.h"
#include "whimbrel/base/log.h"

namespace whimbrel::serve {
namespace {

/// The values of a series' labels in the order of their names, each with a 0 behind it: a
/// resource has a dozen series, and maps of labels would take 6 KB for them.
using LabelValues = std::string;

constexpr std::string_view kDropped = "whimbrel_metrics_dropped_total";

/// One described metric with its series, in the order of their labels. prometheus::Family would
/// look through all of them to end one: 157 ms for each resource of 10,000.
struct Metric {
  MetricDescription description;
  std::map<LabelValues, double> values;  ///< Of counters and gauges.
  std::map<LabelValues, prometheus::Histogram> histograms;

  [[nodiscard]] bool Has(const LabelValues& labels) const {
    return values.contains(labels) || histograms.contains(labels);
  }
  [[nodiscard]] std::size_t size() const { return values.size() + histograms.size(); }
};

/// Nothing when the labels are not those of the description.
std::optional<LabelValues> ValuesOf(const MetricDescription& description,
                                    MetricsSink::Labels labels) {
  if (labels.size() != description.labels.size()) return std::nullopt;
  LabelValues values;
  for (const std::string_view name : description.labels) {
    const auto* const label =
        std::ranges::find(labels, name, [](const auto& given) { return given.first; });
    if (label == labels.end()) return std::nullopt;
    values.append(label->second).push_back('\0');
  }
  return values;
}

prometheus::MetricType TypeOf(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return prometheus::MetricType::Counter;
    case MetricKind::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::kHistogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

prometheus::ClientMetric WithLabels(prometheus::ClientMetric metric,
                                    const MetricDescription& description, std::string_view values) {
  for (const std::string_view name : description.labels) {
    const std::size_t end = values.find('\0');
    metric.label.push_back({std::string(name), std::string(values.substr(0, end))});
    values.remove_prefix(end + 1);
  }
  return metric;
}

prometheus::MetricFamily Collect(const Metric& metric) {
  prometheus::MetricFamily family{.name = std::string(metric.description.name),
                                  .help = std::string(metric.description.help),
                                  .type = TypeOf(metric.description.kind),
                                  .metric = {}};
  family.metric.reserve(metric.size());
  for (const auto& [labels, value] : metric.values) {
    prometheus::ClientMetric sample;
    // Only that of its type is written.
    sample.counter.value = value;
    sample.gauge.value = value;
    family.metric.push_back(WithLabels(std::move(sample), metric.description, labels));
  }
  for (const auto& [labels, histogram] : metric.histograms) {
    family.metric.push_back(WithLabels(histogram.Collect(), metric.description, labels));
  }
  return family;
}

}  // namespace

class MetricsRegistry::Impl {
 public:
  Impl(std::span<const MetricDescription> descriptions, std::size_t max_series)
      : max_series_(max_series) {
    for (const MetricDescription& description : descriptions) Describe(description);
    for (const MetricDescription& description : RegistryMetrics()) Describe(description);
  }

  void Count(std::string_view name, Labels labels, double increment) {
    const std::lock_guard lock(mutex_);
    Series of = Find(name, labels, MetricKind::kCounter);
    if (of.metric != nullptr) of.metric->values[std::move(of.labels)] += increment;
  }

  void Gauge(std::string_view name, Labels labels, double value) {
    const std::lock_guard lock(mutex_);
    Series of = Find(name, labels, MetricKind::kGauge);
    if (of.metric != nullptr) of.metric->values[std::move(of.labels)] = value;
  }

  void Observe(std::string_view name, Labels labels, double value) {
    const std::lock_guard lock(mutex_);
    Series of = Find(name, labels, MetricKind::kHistogram);
    if (of.metric == nullptr) return;
    of.metric->histograms.try_emplace(std::move(of.labels), of.metric->description.buckets)
        .first->second.Observe(value);
  }

  void Drop(std::string_view name, Labels labels) {
    const std::lock_guard lock(mutex_);
    const auto found = metrics_.find(name);
    if (found == metrics_.end()) return Complain(name, "it is not described");
    const std::optional<LabelValues> series = ValuesOf(found->second.description, labels);
    if (!series) return Complain(name, "it has other labels");
    found->second.values.erase(*series);
    found->second.histograms.erase(*series);
  }

  [[nodiscard]] std::string Exposition() {
    const std::vector<std::pair<std::string, double>> process = ReadProcessMetrics();
    std::vector<prometheus::MetricFamily> families;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [name, value] : process) metrics_.find(name)->second.values[{}] = value;
      for (const auto& [name, metric] : metrics_) {
        if (metric.size() > 0) families.push_back(Collect(metric));
      }
    }
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, families);
    return std::move(text).str();
  }

 private:
  /// Where a value goes; no metric: nowhere.
  struct Series {
    Metric* metric = nullptr;
    LabelValues labels;
  };

  void Describe(const MetricDescription& description) {
    Metric& metric = metrics_[std::string(description.name)];
    metric.description = description;
    std::ranges::sort(metric.description.labels);  // The order in which they are written.
    if (!description.labels.empty()) return;
    if (description.kind == MetricKind::kCounter) metric.values[{}] = 0;
    if (description.kind == MetricKind::kHistogram) {
      metric.histograms.try_emplace({}, description.buckets);
    }
  }

  Series Find(std::string_view name, Labels given, MetricKind kind) {
    const auto found = metrics_.find(name);
    if (found == metrics_.end()) return Complain(name, "it is not described"), Series();
    Metric& metric = found->second;
    if (metric.description.kind != kind) return Complain(name, "it is of another kind"), Series();
    std::optional<LabelValues> labels = ValuesOf(metric.description, given);
    if (!labels) return Complain(name, "it has other labels"), Series();
    if (metric.size() >= max_series_ && !metric.Has(*labels)) {
      metrics_.find(kDropped)->second.values[{}] += 1;
      return {};
    }
    return {.metric = &metric, .labels = *std::move(labels)};
  }

  // A mistake of ours; once is enough.
  void Complain(std::string_view name, std::string_view why) {
    if (!complained_.emplace(name).second) return;
    log::Error("serve", "a metric was not taken", {{"metric", name}, {"reason", why}});
  }

  const std::size_t max_series_;
  std::mutex mutex_;
  std::map<std::string, Metric, std::less<>> metrics_;
  std::set<std::string, std::less<>> complained_;
};

std::span<const MetricDescription> RegistryMetrics() {
  using enum MetricKind;
  static const std::vector<MetricDescription> metrics = {
      {"process_cpu_seconds_total", kCounter, "Total user and system CPU time spent in seconds."},
      {"process_max_fds", kGauge, "Maximum number of open file descriptors."},
      {"process_open_fds", kGauge, "Number of open file descriptors."},
      {"process_resident_memory_bytes", kGauge, "Resident memory size in bytes."},
      {"process_start_time_seconds", kGauge,
       "Start time of the process since unix epoch in seconds."},
      {"process_virtual_memory_bytes", kGauge, "Virtual memory size in bytes."},
      {kDropped, kCounter, "Values that were left out because their metric had too many series."},
  };
  return metrics;
}

MetricsRegistry::MetricsRegistry(std::span<const MetricDescription> descriptions,
                                 std::size_t max_series)
    : impl_(std::make_unique<Impl>(descriptions, max_series)) {}
MetricsRegistry::~MetricsRegistry() = default;
void MetricsRegistry::Count(std::string_view name, Labels labels, double increment) {
  impl_->Count(name, labels, increment);
}
void MetricsRegistry::Gauge(std::string_view name, Labels labels, double value) {
  impl_->Gauge(name, labels, value);
}
void MetricsRegistry::Observe(std::string_view name, Labels labels, double value) {
  impl_->Observe(name, labels, value);
}
void MetricsRegistry::Drop(std::string_view name, Labels labels) { impl_->Drop(name, labels); }
std::string MetricsRegistry::Exposition() const { return impl_->Exposition(); }

}  // namespace whimbrel::serve
