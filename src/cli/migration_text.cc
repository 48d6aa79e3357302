#include "cli/migration_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/failure_text.h"
#include "cli/style.h"
#include "cli/table.h"
#include "whimbrel/controller/printer.h"

namespace whimbrel::cli {

using nlohmann::json;

namespace {

std::string Text(const json& object, const char* pointer) {
  const json::json_pointer at(pointer);
  if (!object.contains(at)) return "";
  const json& value = object.at(at);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::uint32_t Number(const json& object, const char* pointer) {
  const json::json_pointer at(pointer);
  return object.contains(at) && object.at(at).is_number_integer()
             ? object.at(at).get<std::uint32_t>()
             : 0;
}

const json* FindCondition(const json& object, std::string_view type) {
  const json::json_pointer at("/status/conditions");
  if (!object.contains(at)) return nullptr;
  for (const json& condition : object.at(at)) {
    if (condition.value("type", "") == type) return &condition;
  }
  return nullptr;
}

bool IsTrue(const json& object, std::string_view type) {
  const json* condition = FindCondition(object, type);
  return condition != nullptr && condition->value("status", "") == "True";
}

report::Failure FailureOf(const json& object) {
  report::Failure failure;
  if (const json* ready = FindCondition(object, "Ready")) {
    failure.reason =
        report::ParseReason(ready->value("reason", "")).value_or(report::Reason::kInternalError);
    failure.message = ready->value("message", "");
  }
  if (!object.contains(json::json_pointer("/status/failure"))) return failure;
  failure.version = Text(object, "/status/failure/version");
  failure.position = {.file = Text(object, "/status/failure/file"),
                      .line = Number(object, "/status/failure/line"),
                      .column = Number(object, "/status/failure/column")};
  failure.sql_state = Text(object, "/status/failure/sqlState");
  failure.message = Text(object, "/status/failure/message");
  failure.hint = Text(object, "/status/failure/hint");
  return failure;
}

std::string AppliedText(const json& object, const Style& style) {
  const json::json_pointer at("/status/applied");
  if (!object.contains(at) || object.at(at).empty()) return "";
  std::vector<std::vector<std::string>> rows;
  const json& applied = object.at(at);
  for (auto it = applied.rbegin(); it != applied.rend(); ++it) {
    rows.push_back({"  " + it->value("version", ""), it->value("description", ""),
                    std::to_string(it->value("durationMilliseconds", 0)) + " ms"});
  }
  return style.Dim("applied:") + "\n" + Table(rows);
}

}  // namespace

std::string GetTable(const std::vector<json>& objects, SystemTime now) {
  std::vector<std::vector<std::string>> rows(1);
  rows[0].emplace_back("NAME");
  rows[0].insert(rows[0].end(), controller::kPrinterColumns.begin(),
                 controller::kPrinterColumns.end());
  for (const json& object : objects) {
    const auto cells = controller::PrinterRow(object, now);
    rows.emplace_back(cells.begin(), cells.end());
  }
  return Table(rows);
}

std::string DetailsText(const json& object, const SourceTextOf& source_text, bool colour) {
  const Style style(colour);
  std::string out = AppliedText(object, style);
  if (IsTrue(object, "Ready")) return out;
  const report::Failure failure = FailureOf(object);
  if (!out.empty()) out += "\n";
  return out + FailureText(failure, source_text(object, failure.position.file), colour);
}

ExitCode ExitCodeOf(const std::vector<json>& objects) {
  const auto is = [](std::string_view type) {
    return [type](const json& object) { return IsTrue(object, type); };
  };
  if (std::any_of(objects.begin(), objects.end(), is("Stalled"))) return ExitCode::kStalled;
  return std::all_of(objects.begin(), objects.end(), is("Ready")) ? ExitCode::kReady
                                                                  : ExitCode::kRetryable;
}

}  // namespace whimbrel::cli
