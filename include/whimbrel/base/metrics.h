#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

namespace whimbrel {

enum class MetricKind { kCounter, kGauge, kHistogram };

/// What a metric is, for whoever collects and whoever reads it.
struct MetricDescription {
  std::string_view name;
  MetricKind kind = MetricKind::kCounter;
  std::string_view help;                      ///< One sentence.
  std::vector<std::string_view> labels = {};  ///< Every series has exactly these.
  std::vector<double> buckets = {};           ///< Upper bounds, ascending; histograms only.
};

/// Where modules report what they count and measure, without knowing who collects it. Names and
/// labels follow Prometheus' conventions, and are those of a MetricDescription. Thread-safe.
class MetricsSink {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  virtual ~MetricsSink() = default;
  virtual void Count(std::string_view name, Labels labels, double increment) = 0;
  virtual void Gauge(std::string_view name, Labels labels, double value) = 0;
  virtual void Observe(std::string_view name, Labels labels, double value) = 0;
  /// Ends the series of exactly these labels, if there is one: what it told about is gone.
  virtual void Drop(std::string_view name, Labels labels) = 0;

  /// Forgets everything.
  static MetricsSink& Null();
};

}  // namespace whimbrel
