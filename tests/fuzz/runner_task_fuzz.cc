#include <nlohmann/json.hpp>

#include "fuzz/fuzz.h"
#include "whimbrel/report/runner_task.h"

// No JSON breaks the reader, and a task that was read can be written and read again.
namespace whimbrel::fuzz {

void Try(std::string_view input) {
  const auto json = nlohmann::json::parse(input, nullptr, false);
  if (json.is_discarded()) return;
  const Result<report::RunnerTask> task = report::RunnerTaskFromJson(json);
  if (!task) return;
  const nlohmann::json written = report::ToJson(*task);
  const Result<report::RunnerTask> again = report::RunnerTaskFromJson(written);
  Require(again && report::ToJson(*again) == written, "a task survives writing and reading",
          written.dump());
}

}  // namespace whimbrel::fuzz
