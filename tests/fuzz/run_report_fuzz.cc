#include <nlohmann/json.hpp>

#include "fuzz/fuzz.h"
#include "whimbrel/report/run_report.h"
#include "whimbrel/report/termination_message.h"

// No JSON breaks the reader, and a report that was read can be written and read again, whole or as
// a termination message, which fits.
namespace whimbrel::fuzz {

void Try(std::string_view input) {
  const auto json = nlohmann::json::parse(input, nullptr, false);
  if (json.is_discarded()) return;
  const Result<report::RunReport> report = report::RunReportFromJson(json);
  if (!report) return;
  const nlohmann::json written = report::ToJson(*report);
  const Result<report::RunReport> again = report::RunReportFromJson(written);
  Require(again && *again == *report, "a report survives writing and reading", written.dump());

  const std::string message = report::TerminationMessage(*report);
  Require(message.size() <= report::kMaxTerminationMessageBytes, "a message fits", message);
  const Result<report::RunReport> told =
      report::RunReportFromJson(nlohmann::json::parse(message, nullptr, false));
  Require(told && told->succeeded == report->succeeded &&
              told->applied_count == report->applied_count &&
              told->failure.has_value() == report->failure.has_value(),
          "a message tells the truth", message);
}

}  // namespace whimbrel::fuzz
