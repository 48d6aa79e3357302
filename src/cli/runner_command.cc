#include "cli/runner_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <nlohmann/json.hpp>
#include <ostream>
#include <system_error>
#include <utility>

#include "cli/progress_printer.h"
#include "cli/run_folder.h"
#include "cli/runner_mount.h"
#include "cli/version.h"
#include "whimbrel/base/file_descriptor.h"
#include "whimbrel/base/log.h"
#include "whimbrel/base/redact.h"
#include "whimbrel/engine/in_process_runner.h"
#include "whimbrel/report/termination_message.h"

namespace whimbrel::cli {

using report::Reason;
using report::RunnerTask;
using report::RunReport;

namespace {

constexpr std::string_view kLogger = "runner";

/// How a run ended, and whether it was one at all.
struct Ending {
  RunReport report;
  bool had_task = true;
};

RunReport Broken(std::string message) {
  RunReport report;
  report.failure = report::Failure{.reason = Reason::kInternalError, .message = std::move(message)};
  return report;
}

/// What comes from elsewhere (the server, libpq, a file's name) and leaves the pod.
RunReport Redacted(RunReport report) {
  if (report.failure) {
    report.failure->message = Redact(report.failure->message);
    report.failure->hint = Redact(report.failure->hint);
  }
  for (report::Notice& notice : report.notices) notice.message = Redact(notice.message);
  return report;
}

report::Progress Redacted(report::Progress progress) {
  progress.detail = Redact(progress.detail);
  progress.activity = Redact(progress.activity);
  return progress;
}

RunReport Carry(const RunnerMount& mount, const RunnerTask& task, const std::stop_token& stop,
                std::ostream& out) {
  auto source = mount.ReadSource(task);
  if (!source) return std::move(source).error();
  report::RunRequest request = task.request;
  request.source = *std::move(source);
  request.database.trust = report::Trust::kCluster;
  request.database.login_now = [&] { return mount.ReadLogin(task); };
  ProgressPrinter printer(ProgressPrinter::Form::kJson, out);
  return engine::RunNow(
      request, stop, [&](const report::Progress& progress) { printer.Show(Redacted(progress)); });
}

Ending Run(const std::string& root, const std::stop_token& stop, std::ostream& out) {
  const RunnerMount mount(root);
  Result<RunnerTask> task = mount.ReadTask();
  if (!task) return {.report = Broken(task.error().message), .had_task = false};
  log::Info(kLogger, "run started",
            {{"version", Version()},
             {"run", task->request.run_id},
             {"namespace", task->request.ns},
             {"name", task->request.name},
             {"attempt", task->request.attempt}});
  return {.report = Carry(mount, *task, stop, out)};
}

/// An exception is a bug or a lack of memory: the controller must hear of it all the same.
Ending RunGuarded(const std::string& root, const std::stop_token& stop, std::ostream& out) {
  try {
    return Run(root, stop, out);
  } catch (const std::exception& error) {
    return {.report = Broken(std::string("internal error: ") + error.what())};
  }
}

void LogEnd(const RunReport& report) {
  if (!report.failure) {
    return log::Info(kLogger, "run ended",
                     {{"version", report.current_version},
                      {"applied", report.applied_this_run},
                      {"pending", report.pending_count}});
  }
  const report::Failure& failure = *report.failure;
  log::Error(kLogger, "run ended",
             {{"reason", report::ToString(failure.reason)},
              {"version", failure.version},
              {"position", failure.position.ToString()},
              {"sqlState", failure.sql_state},
              {"error", failure.message},
              {"hint", failure.hint},
              {"transient", report.transient},
              {"applied", report.applied_this_run}});
}

/// The whole report for people: the termination message may be cut.
void PrintReport(const RunReport& report, std::ostream& out) {
  nlohmann::json line = report::ToJson(report);
  line["type"] = "report";
  out << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" << std::flush;
}

/// false with errno.
bool WriteWhole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void WriteTerminationLog(const std::string& path, const RunReport& report) {
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  const bool written = fd && WriteWhole(fd.get(), report::TerminationMessage(report));
  if (!written) {
    log::Error(kLogger, "the termination message cannot be written",
               {{"path", path}, {"error", std::generic_category().message(errno)}});
  }
}

}  // namespace

ExitCode RunRunner(const RunnerCommandOptions& options, std::stop_token stop, std::ostream& out) {
  Ending ending = RunGuarded(options.root, stop, out);
  ending.report = Redacted(std::move(ending.report));
  LogEnd(ending.report);
  WriteTerminationLog(options.termination_log, ending.report);
  PrintReport(ending.report, out);
  return ending.had_task ? ExitCodeOf(ending.report) : ExitCode::kUsage;
}

}  // namespace whimbrel::cli
