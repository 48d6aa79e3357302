#include "whimbrel/serve/metrics_registry.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <vector>

#include "serve/process_metrics.h"
#include "whimbrel/base/log.h"

namespace whimbrel::serve {
namespace {

constexpr std::string_view kDropped = "whimbrel_metrics_dropped_total";

template <class T>
using Family = prometheus::Family<T>;

/// One described metric with its family; the two that are not of its kind are null.
struct Metric {
  MetricDescription description;
  Family<prometheus::Counter>* counters = nullptr;
  Family<prometheus::Gauge>* gauges = nullptr;
  Family<prometheus::Histogram>* histograms = nullptr;
  std::size_t series = 0;
};

template <class T, class Builder>
Family<T>* Register(Builder builder, const MetricDescription& description,
                    prometheus::Registry& registry) {
  return &builder.Name(std::string(description.name))
              .Help(std::string(description.help))
              .Register(registry);
}

bool HasLabels(const MetricDescription& description, const prometheus::Labels& labels) {
  return labels.size() == description.labels.size() &&
         std::ranges::all_of(description.labels, [&labels](std::string_view name) {
           return labels.contains(std::string(name));
         });
}

// So that two expositions of the same state are the same text.
void Sort(std::vector<prometheus::MetricFamily>& families) {
  std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
  for (prometheus::MetricFamily& family : families) {
    std::ranges::sort(family.metric,
                      [](const auto& a, const auto& b) { return a.label < b.label; });
  }
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
    if (const Series of = Find(name, labels, MetricKind::kCounter); of.metric != nullptr) {
      of.metric->counters->Add(of.labels).Increment(increment);
    }
  }

  void Gauge(std::string_view name, Labels labels, double value) {
    const std::lock_guard lock(mutex_);
    if (const Series of = Find(name, labels, MetricKind::kGauge); of.metric != nullptr) {
      of.metric->gauges->Add(of.labels).Set(value);
    }
  }

  void Observe(std::string_view name, Labels labels, double value) {
    const std::lock_guard lock(mutex_);
    if (const Series of = Find(name, labels, MetricKind::kHistogram); of.metric != nullptr) {
      of.metric->histograms->Add(of.labels, of.metric->description.buckets).Observe(value);
    }
  }

  void Drop(std::string_view name, Labels labels) {
    const std::lock_guard lock(mutex_);
    const auto found = metrics_.find(name);
    if (found == metrics_.end()) return Complain(name, "it is not described");
    Metric& metric = found->second;
    const prometheus::Labels wanted = ToLabels(labels);
    if (!Has(metric, wanted)) return;
    if (metric.counters != nullptr) metric.counters->Remove(&metric.counters->Add(wanted));
    if (metric.gauges != nullptr) metric.gauges->Remove(&metric.gauges->Add(wanted));
    if (metric.histograms != nullptr) {
      metric.histograms->Remove(&metric.histograms->Add(wanted, metric.description.buckets));
    }
    --metric.series;
  }

  [[nodiscard]] std::string Exposition() {
    const std::vector<std::pair<std::string, double>> process = ReadProcessMetrics();
    std::vector<prometheus::MetricFamily> families;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [name, value] : process) SetProcess(metrics_.find(name)->second, value);
      families = registry_.Collect();
    }
    std::erase_if(families, [](const auto& family) { return family.metric.empty(); });
    Sort(families);
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, families);
    return std::move(text).str();
  }

 private:
  /// Where a value goes; no metric: nowhere.
  struct Series {
    Metric* metric = nullptr;
    prometheus::Labels labels;
  };

  static prometheus::Labels ToLabels(Labels labels) {
    prometheus::Labels result;
    for (const auto& [name, value] : labels) result.emplace(name, value);
    return result;
  }

  static bool Has(const Metric& metric, const prometheus::Labels& labels) {
    return (metric.counters != nullptr && metric.counters->Has(labels)) ||
           (metric.gauges != nullptr && metric.gauges->Has(labels)) ||
           (metric.histograms != nullptr && metric.histograms->Has(labels));
  }

  void Describe(const MetricDescription& description) {
    Metric metric{.description = description};
    const bool at_zero = description.labels.empty();
    switch (description.kind) {
      case MetricKind::kCounter:
        metric.counters =
            Register<prometheus::Counter>(prometheus::BuildCounter(), description, registry_);
        if (at_zero) metric.counters->Add({});
        break;
      case MetricKind::kGauge:
        metric.gauges =
            Register<prometheus::Gauge>(prometheus::BuildGauge(), description, registry_);
        break;
      case MetricKind::kHistogram:
        metric.histograms =
            Register<prometheus::Histogram>(prometheus::BuildHistogram(), description, registry_);
        if (at_zero) metric.histograms->Add({}, description.buckets);
        break;
    }
    metrics_.emplace(description.name, std::move(metric));
  }

  Series Find(std::string_view name, Labels given, MetricKind kind) {
    const auto found = metrics_.find(name);
    if (found == metrics_.end()) return Complain(name, "it is not described"), Series();
    Metric& metric = found->second;
    if (metric.description.kind != kind) return Complain(name, "it is of another kind"), Series();
    prometheus::Labels labels = ToLabels(given);
    if (!HasLabels(metric.description, labels)) {
      return Complain(name, "it has other labels"), Series();
    }
    if (!Has(metric, labels)) {
      if (metric.series >= max_series_) {
        metrics_.find(kDropped)->second.counters->Add({}).Increment();
        return {};
      }
      ++metric.series;
    }
    return {.metric = &metric, .labels = std::move(labels)};
  }

  // A mistake of ours; once is enough.
  void Complain(std::string_view name, std::string_view why) {
    if (!complained_.emplace(name).second) return;
    log::Error("serve", "a metric was not taken", {{"metric", name}, {"reason", why}});
  }

  void SetProcess(Metric& metric, double value) {
    if (metric.gauges != nullptr) metric.gauges->Add({}).Set(value);
    if (metric.counters == nullptr) return;
    prometheus::Counter& counter = metric.counters->Add({});
    counter.Increment(value - counter.Value());
  }

  const std::size_t max_series_;
  std::mutex mutex_;
  prometheus::Registry registry_;
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
