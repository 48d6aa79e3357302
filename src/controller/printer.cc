#include "whimbrel/controller/printer.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "controller/conditions.h"
#include "controller/json_fields.h"
#include "whimbrel/controller/status.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;

/// `<whole><unit>` with the rest in the next unit: `3m10s`, but `3m` without a rest.
std::string TwoUnits(std::int64_t whole, const char* unit, std::int64_t rest, const char* small) {
  std::string text = std::to_string(whole) + unit;
  if (rest != 0) text += std::to_string(rest) + small;
  return text;
}

std::string Truthiness(const json& status, std::string_view type) {
  for (const json& condition :
       ListOf<json>(status, "conditions", [](const json& c) { return c; })) {
    if (Text(condition, "type") == type) return Text(condition, "status");
  }
  return "";
}

std::string Age(const json& metadata, SystemTime now) {
  const std::optional<SystemTime> created = Time(metadata, "creationTimestamp");
  if (!created) return "<unknown>";
  return HumanDuration(std::chrono::duration_cast<std::chrono::seconds>(now - *created));
}

}  // namespace

std::string HumanDuration(std::chrono::seconds duration) {
  // apimachinery, util/duration/duration.go, HumanDuration.
  const std::int64_t seconds = duration.count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return std::to_string(seconds) + "s";
  const std::int64_t minutes = seconds / 60;
  if (minutes < 10) return TwoUnits(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return std::to_string(minutes) + "m";
  const std::int64_t hours = minutes / 60;
  if (hours < 8) return TwoUnits(hours, "h", minutes % 60, "m");
  if (hours < 48) return std::to_string(hours) + "h";
  const std::int64_t days = hours / 24;
  if (days < 8) return TwoUnits(days, "d", hours % 24, "h");
  if (days < 730) return std::to_string(days) + "d";
  const std::int64_t years = days / 365;
  if (years < 8) return TwoUnits(years, "y", days % 365, "d");
  return std::to_string(years) + "y";
}

std::array<std::string, 6> PrinterRow(const json& object, SystemTime now) {
  const json& metadata = Member(object, "metadata");
  const json& status = Member(object, "status");
  const std::optional<std::int64_t> pending = Integer(status, "pendingCount");
  return {Text(metadata, "name"),
          Truthiness(status, "Ready"),
          Text(status, "currentVersion"),
          pending ? std::to_string(*pending) : std::string(),
          std::string(ReadyReason(StatusFromJson(status))),
          Age(metadata, now)};
}

}  // namespace whimbrel::controller
