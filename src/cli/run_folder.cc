#include "cli/run_folder.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/failure_text.h"
#include "cli/progress_printer.h"
#include "cli/style.h"
#include "cli/url_file.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/engine/in_process_runner.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::cli {

using report::RunReport;
using report::RunRequest;

namespace {

report::Adopt ParseAdopt(const std::string& text) {
  if (text == "Never") return report::Adopt::kNever;
  return text == "Require" ? report::Adopt::kRequire : report::Adopt::kDetect;
}

report::OutOfOrder ParseOutOfOrder(const std::string& text) {
  if (text == "Apply") return report::OutOfOrder::kApply;
  return text == "Skip" ? report::OutOfOrder::kSkip : report::OutOfOrder::kReject;
}

report::TransactionPolicy ParseTransaction(const std::string& text) {
  if (text == "All") return report::TransactionPolicy::kAll;
  return text == "None" ? report::TransactionPolicy::kNone
                        : report::TransactionPolicy::kPerMigration;
}

/// As the CRD bounds them: PostgreSQL would cut a longer name, and so mean another history.
Result<void> CheckNames(const RunFolderOptions& options) {
  for (const auto& [flag, name] : {std::pair("--history-schema", &options.history_schema),
                                   std::pair("--history-set", &options.history_set)}) {
    if (!name->empty() && name->size() <= 63) continue;
    return Fail(ErrorKind::kInvalidArgument, std::string(flag) + " must have 1 to 63 bytes, not " +
                                                 std::to_string(name->size()));
  }
  return {};
}

Result<RunRequest> ToRequest(const RunFolderOptions& options) {
  RunRequest request;
  request.run_id = NewUuid();
  request.ns = "local";
  request.name = "run";
  if (Result<void> named = CheckNames(options); !named) return tl::make_unexpected(named.error());
  Result<std::shared_ptr<const migration::Source>> source = migration::OpenFolder(options.folder);
  if (!source) return tl::make_unexpected(source.error());
  request.source = std::move(*source);
  const std::optional<migration::Format> format = migration::ParseFormat(options.format);
  if (!format)
    return Fail(ErrorKind::kInvalidArgument,
                "--format " + options.format + " is not known: Auto, Numbered or Flyway");
  request.format = *format;
  request.target_version = options.target;
  request.database.trust = report::Trust::kLocal;
  request.database.role = options.role;
  request.database.ready_timeout = std::chrono::seconds(options.ready_timeout_seconds);
  if (!options.url_file.empty()) {
    Result<Secret> url = ReadUrlFile(options.url_file);
    if (!url) return tl::make_unexpected(url.error());
    request.database.conninfo = std::move(*url);
  }
  request.history = {.schema = options.history_schema,
                     .set = options.history_set,
                     .table = options.history_table,
                     .adopt = ParseAdopt(options.adopt),
                     .baseline_version = options.baseline_version};
  request.execution = {.transaction = ParseTransaction(options.transaction),
                       .out_of_order = ParseOutOfOrder(options.out_of_order),
                       .lock_timeout = std::chrono::seconds(options.lock_timeout_seconds),
                       .lock_budget = std::chrono::seconds(options.lock_budget_seconds),
                       .statement_timeout = std::chrono::seconds(options.statement_timeout_seconds),
                       .deadline = std::chrono::seconds(options.deadline_seconds)};
  return request;
}

/// The beginning of the file that a failure names, down to its source line; empty when it cannot be
/// read any more. Not the whole file: that may be a GiB of COPY data.
std::string FailedText(const RunFolderOptions& options, const RunReport& report) {
  if (!report.failure || report.failure->position.line == 0) return "";
  std::ifstream file(options.folder + "/" + report.failure->position.file, std::ios::binary);
  std::string text;
  std::string line;
  for (std::uint32_t at = 1; at <= report.failure->position.line && std::getline(file, line); ++at)
    text += at == report.failure->position.line ? line + "\n" : "\n";
  return text;
}

void PrintText(const RunFolderOptions& options, const RunReport& report, std::ostream& out,
               std::ostream& err) {
  const Style style(WantsColour(STDOUT_FILENO));
  for (const report::Notice& notice : report.notices)
    out << style.Dim("note: ") << notice.message << "\n";
  const auto listed = std::ranges::count(report.applied, true, &report::AppliedMigration::this_run);
  if (report.applied_this_run > listed)
    out << style.Green("applied ") << report.applied_this_run - listed << " before these\n";
  for (auto it = report.applied.rbegin(); it != report.applied.rend(); ++it) {
    if (!it->this_run) continue;
    out << style.Green("applied ") << it->version << "  " << it->description << "  "
        << style.Dim(std::to_string(it->duration.count()) + " ms") << "\n";
  }
  if (report.succeeded) {
    out << style.Green("up to date")
        << (report.current_version.empty() ? "" : " at version " + report.current_version) << ": "
        << report.applied_count << " applied, " << report.applied_this_run << " of them now\n";
    return;
  }
  err << FailureText(*report.failure, FailedText(options, report), WantsColour(STDERR_FILENO));
}

}  // namespace

ExitCode ExitCodeOf(const RunReport& report) {
  if (report.succeeded) return ExitCode::kReady;
  // Whoever stopped it may start it again.
  const bool stopped = report.failure && report.failure->reason == report::Reason::kCancelled;
  return report.transient || stopped ? ExitCode::kRetryable : ExitCode::kStalled;
}

ExitCode RunFolder(const RunFolderOptions& options, std::stop_token stop, std::ostream& out,
                   std::ostream& err) {
  Result<RunRequest> request = ToRequest(options);
  if (!request) {
    err << "whimbrel: " << request.error().ToString() << "\n";
    return ExitCode::kUsage;
  }
  const auto form = options.json                 ? ProgressPrinter::Form::kJson
                    : isatty(STDERR_FILENO) == 1 ? ProgressPrinter::Form::kTerminal
                                                 : ProgressPrinter::Form::kLog;
  const RunReport report = [&] {
    ProgressPrinter printer(form, err);
    return engine::RunNow(*request, std::move(stop),
                          [&](const report::Progress& progress) { printer.Show(progress); });
  }();
  if (options.json) {
    out << report::ToJson(report).dump(2) << "\n";
  } else {
    PrintText(options, report, out, err);
  }
  return ExitCodeOf(report);
}

}  // namespace whimbrel::cli
