#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace whimbrel::testing {

/// What stands in a Prometheus text exposition (format 0.0.4).
struct Exposition {
  std::map<std::string, std::string> types;  ///< By metric.
  std::map<std::string, std::string> helps;
  /// By series as it was written: `name{a="b"}`.
  std::map<std::string, double> samples;
  /// Whatever breaks the format, a line each; empty for a good one. Strict: every metric has HELP
  /// and TYPE before its samples, stands together, and no series comes twice; the buckets of a
  /// histogram grow and end with +Inf, which is its count.
  std::vector<std::string> faults;
};

[[nodiscard]] Exposition ParseExposition(std::string_view text);

}  // namespace whimbrel::testing
