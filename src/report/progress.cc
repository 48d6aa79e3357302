#include "whimbrel/report/progress.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "report/json_values.h"

namespace whimbrel::report {
namespace {

using nlohmann::json;
using Phase = Progress::Phase;

constexpr std::array<std::pair<Phase, std::string_view>, 9> kPhases = {{
    {Phase::kStarting, "Starting"},
    {Phase::kConnecting, "Connecting"},
    {Phase::kWaitingForDatabase, "WaitingForDatabase"},
    {Phase::kWaitingForLock, "WaitingForLock"},
    {Phase::kWaitingForSlot, "WaitingForSlot"},
    {Phase::kPlanning, "Planning"},
    {Phase::kMigrating, "Migrating"},
    {Phase::kRetrying, "Retrying"},
    {Phase::kDone, "Done"},
}};

tl::unexpected<Error> NoProgress(const std::string& why) {
  return Fail(ErrorKind::kInvalidArgument, "the line is no progress of a run: " + why);
}

std::string TextOf(const json& line, const char* name) {
  return line.contains(name) ? line.at(name).get<std::string>() : std::string();
}

template <class T>
T NumberOf(const json& line, const char* name) {
  return line.contains(name) ? Integer<T>(line.at(name)) : T{};
}

Result<Progress> Read(const json& line) {
  if (line.at("type").get<std::string>() != "progress") return NoProgress("it has another type");
  const auto name = line.at("phase").get<std::string>();
  const std::optional<Phase> phase = ParsePhase(name);
  if (!phase) return NoProgress("unknown phase `" + name + "`");
  return Progress{.phase = *phase,
                  .detail = TextOf(line, "detail"),
                  .version = TextOf(line, "version"),
                  .path = TextOf(line, "file"),
                  .statement = NumberOf<std::uint64_t>(line, "statement"),
                  .statements = NumberOf<std::uint64_t>(line, "statements"),
                  .line = NumberOf<int>(line, "line"),
                  .copied_bytes = NumberOf<std::uint64_t>(line, "copiedBytes"),
                  .activity = TextOf(line, "activity"),
                  .done = NumberOf<int>(line, "done"),
                  .total = NumberOf<int>(line, "total")};
}

}  // namespace

std::string_view ToString(Phase phase) {
  for (const auto& [value, name] : kPhases) {
    if (value == phase) return name;
  }
  return "";
}

std::optional<Phase> ParsePhase(std::string_view text) {
  for (const auto& [value, name] : kPhases) {
    if (name == text) return value;
  }
  return std::nullopt;
}

json ToJson(const Progress& progress) {
  json out = {{"type", "progress"}, {"phase", ToString(progress.phase)}};
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  const auto number = [&](const char* name, std::uint64_t value) {
    if (value != 0) out[name] = value;
  };
  text("detail", progress.detail);
  text("version", progress.version);
  text("file", progress.path);
  number("statement", progress.statement);
  number("statements", progress.statements);
  number("line", static_cast<std::uint64_t>(progress.line));
  number("copiedBytes", progress.copied_bytes);
  text("activity", progress.activity);
  if (progress.total != 0) {
    out["done"] = progress.done;
    out["total"] = progress.total;
  }
  return out;
}

Result<Progress> ProgressFromJson(const json& line) {
  try {
    return Read(line);
  } catch (const json::exception& e) {
    return NoProgress(e.what());
  }
}

}  // namespace whimbrel::report
