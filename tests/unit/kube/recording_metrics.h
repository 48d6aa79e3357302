#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "whimbrel/base/metrics.h"

namespace whimbrel::kube {

/// Keeps what it is told, by `name{label="value",…}`. Thread-safe.
class RecordingMetrics final : public MetricsSink {
 public:
  void Count(std::string_view name, Labels labels, double increment) override {
    const std::lock_guard lock(mutex_);
    sums_[Series(name, labels)] += increment;
  }
  void Gauge(std::string_view name, Labels labels, double value) override {
    const std::lock_guard lock(mutex_);
    sums_[Series(name, labels)] = value;
  }
  void Observe(std::string_view name, Labels labels, double value) override {
    const std::lock_guard lock(mutex_);
    const std::string series = Series(name, labels);
    sums_[series] += value;
    ++counts_[series];
  }
  void Drop(std::string_view name, Labels labels) override {
    const std::lock_guard lock(mutex_);
    sums_.erase(Series(name, labels));
  }

  /// A counter's or a gauge's value, or the sum of what was observed; -1: there is none.
  [[nodiscard]] double Value(const std::string& series) const {
    const std::lock_guard lock(mutex_);
    const auto it = sums_.find(series);
    return it == sums_.end() ? -1 : it->second;
  }
  /// How often something was observed.
  [[nodiscard]] int Observed(const std::string& series) const {
    const std::lock_guard lock(mutex_);
    const auto it = counts_.find(series);
    return it == counts_.end() ? 0 : it->second;
  }

 private:
  static std::string Series(std::string_view name, Labels labels) {
    std::string text(name);
    char separator = '{';
    for (const auto& [label, value] : labels) {
      text += separator + std::string(label) + "=" + std::string(value);
      separator = ',';
    }
    return text + "}";
  }

  mutable std::mutex mutex_;
  std::map<std::string, double> sums_;
  std::map<std::string, int> counts_;
};

}  // namespace whimbrel::kube
