#include <nlohmann/json.hpp>

#include "fuzz/fuzz.h"
#include "whimbrel/report/run_report.h"

// No JSON breaks the reader, and a report that was read can be written and read again.
namespace whimbrel::fuzz {

void Try(std::string_view input) {
  const auto json = nlohmann::json::parse(input, nullptr, false);
  if (json.is_discarded()) return;
  const Result<report::RunReport> report = report::RunReportFromJson(json);
  if (!report) return;
  const nlohmann::json written = report::ToJson(*report);
  const Result<report::RunReport> again = report::RunReportFromJson(written);
  Require(again && *again == *report, "a report survives writing and reading", written.dump());
}

}  // namespace whimbrel::fuzz
