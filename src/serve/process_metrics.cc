#include "serve/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace whimbrel::serve {
namespace {

std::string ReadLine(const char* path, std::string_view beginning) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(beginning)) return line.substr(beginning.size());
  }
  return {};
}

// When the machine started, in Unix time.
double BootTime() { return std::strtod(ReadLine("/proc/stat", "btime ").c_str(), nullptr); }

std::optional<double> CountOpenDescriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator folder("/proc/self/fd", error);
  if (error) return std::nullopt;
  // The iterator's own one is not counted.
  return static_cast<double>(std::distance(folder, {}) - 1);
}

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view line, double ticks_per_second,
                                            double page_bytes) {
  // The second field, the program's name, may hold anything, spaces and parentheses too.
  const std::size_t name_end = line.rfind(") ");
  if (name_end == std::string_view::npos) return std::nullopt;
  line.remove_prefix(name_end + 2);
  // proc(5) numbers from 1; the state, which now comes first, is number 3.
  std::array<double, 25> fields{};
  for (std::size_t number = 3; number < fields.size(); ++number) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (number > 3) {
      const auto result = std::from_chars(line.data(), line.data() + end, fields[number]);
      if (result.ec != std::errc()) return std::nullopt;
    }
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return ProcessStat{.cpu_seconds = (fields[14] + fields[15]) / ticks_per_second,
                     .start_seconds = fields[22] / ticks_per_second,
                     .virtual_bytes = fields[23],
                     .resident_bytes = fields[24] * page_bytes};
}

std::vector<std::pair<std::string, double>> ReadProcessMetrics() {
  std::vector<std::pair<std::string, double>> metrics;
  const std::optional<ProcessStat> stat =
      ParseProcessStat(ReadLine("/proc/self/stat", ""), static_cast<double>(::sysconf(_SC_CLK_TCK)),
                       static_cast<double>(::sysconf(_SC_PAGESIZE)));
  if (stat) {
    metrics.emplace_back("process_cpu_seconds_total", stat->cpu_seconds);
    metrics.emplace_back("process_start_time_seconds", BootTime() + stat->start_seconds);
    metrics.emplace_back("process_virtual_memory_bytes", stat->virtual_bytes);
    metrics.emplace_back("process_resident_memory_bytes", stat->resident_bytes);
  }
  if (const std::optional<double> open = CountOpenDescriptors()) {
    metrics.emplace_back("process_open_fds", *open);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    metrics.emplace_back("process_max_fds", static_cast<double>(limit.rlim_cur));
  }
  return metrics;
}

}  // namespace whimbrel::serve
