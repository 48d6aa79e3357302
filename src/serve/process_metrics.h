#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace whimbrel::serve {

/// What /proc/<pid>/stat (proc(5)) says of a process, in Prometheus' units.
struct ProcessStat {
  double cpu_seconds = 0;
  double start_seconds = 0;  ///< Since the machine started.
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

/// Nothing when it is no such line.
[[nodiscard]] std::optional<ProcessStat> ParseProcessStat(std::string_view line,
                                                          double ticks_per_second,
                                                          double page_bytes);

/// The gauges and counters of this process by name; whatever cannot be read is left out.
[[nodiscard]] std::vector<std::pair<std::string, double>> ReadProcessMetrics();

}  // namespace whimbrel::serve
