#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "whimbrel/base/metrics.h"

namespace whimbrel::serve {

/// Collects what a program counts and measures, and writes it down for Prometheus (text exposition
/// format 0.0.4). It takes only what is described: another name, another kind, other labels are a
/// mistake of ours, which is logged and otherwise ignored. Thread-safe.
class MetricsRegistry final : public MetricsSink {
 public:
  /// Counters and histograms without labels are there from the start, at zero. Above `max_series`
  /// of one metric, further ones are left out and counted in `whimbrel_metrics_dropped_total`:
  /// labels that multiply must not take all memory. The descriptions are copied.
  explicit MetricsRegistry(std::span<const MetricDescription> descriptions,
                           std::size_t max_series = 100'000);
  ~MetricsRegistry() override;

  void Count(std::string_view name, Labels labels, double increment) override;
  void Gauge(std::string_view name, Labels labels, double value) override;
  void Observe(std::string_view name, Labels labels, double value) override;
  void Drop(std::string_view name, Labels labels) override;

  /// All of it, RegistryMetrics included.
  [[nodiscard]] std::string Exposition() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// What the registry adds by itself: `process_*` as Prometheus' own client libraries have it, and
/// how much was left out.
[[nodiscard]] std::span<const MetricDescription> RegistryMetrics();

}  // namespace whimbrel::serve
