#include "controller/job_progress.h"

#include <nlohmann/json.hpp>

namespace whimbrel::controller {
namespace {

std::optional<report::Progress> ReadLine(std::string_view line) {
  if (!line.starts_with('{')) return std::nullopt;
  const nlohmann::json object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("phase")) return std::nullopt;
  Result<report::Progress> progress = report::ProgressFromJson(object);
  return progress ? std::optional(*std::move(progress)) : std::nullopt;
}

}  // namespace

std::optional<report::Progress> LastProgress(std::string_view log) {
  while (!log.empty()) {
    const std::size_t end = log.find_last_not_of('\n');
    if (end == std::string_view::npos) return std::nullopt;
    log = log.substr(0, end + 1);
    const std::size_t line_end = log.rfind('\n');
    const std::size_t start = line_end == std::string_view::npos ? 0 : line_end + 1;
    if (std::optional<report::Progress> progress = ReadLine(log.substr(start))) return progress;
    log = log.substr(0, start);
  }
  return std::nullopt;
}

}  // namespace whimbrel::controller
