#pragma once

#include <iosfwd>
#include <stop_token>
#include <string>

#include "whimbrel/cli/exit_code.h"
#include "whimbrel/report/run_report.h"
#include "whimbrel/report/run_request.h"

namespace whimbrel::cli {

/// Options of `whimbrel run DIR`, as given.
struct RunFolderOptions {
  std::string folder;
  std::string
      url_file;  ///< Holds a connection URI; empty: libpq's environment. `-`: standard input.
  std::string format = "Auto";
  std::string target;
  std::string history_schema = "whimbrel";
  std::string history_set = "default";
  std::string history_table;
  std::string adopt = "Detect";
  std::string baseline_version;
  std::string role;
  std::string transaction = "PerMigration";
  std::string out_of_order = "Reject";
  int lock_timeout_seconds = 2;
  int lock_budget_seconds = 1800;
  int statement_timeout_seconds = 900;
  int deadline_seconds = 21600;
  int ready_timeout_seconds = 600;
  bool json = false;
};

/// Migrates one database from a folder of files: the same engine as in a cluster, without
/// resources.
ExitCode RunFolder(const RunFolderOptions& options, std::stop_token stop, std::ostream& out,
                   std::ostream& err);

/// The exit code that a report deserves.
[[nodiscard]] ExitCode ExitCodeOf(const report::RunReport& report);

}  // namespace whimbrel::cli
