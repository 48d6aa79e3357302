#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

namespace whimbrel {

/// Where modules report what they count and measure, without knowing who collects it. Names and
/// labels follow Prometheus' conventions. Thread-safe.
class MetricsSink {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  virtual ~MetricsSink() = default;
  virtual void Count(std::string_view name, Labels labels, double increment) = 0;
  virtual void Gauge(std::string_view name, Labels labels, double value) = 0;
  virtual void Observe(std::string_view name, Labels labels, double value) = 0;

  /// Forgets everything.
  static MetricsSink& Null();
};

}  // namespace whimbrel
