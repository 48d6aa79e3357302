#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/wait_loop.h"
#include "whimbrel/base/error.h"
#include "whimbrel/history/ledger.h"
#include "whimbrel/history/tool_tables.h"
#include "whimbrel/migration/version.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::cli {

/// Options of `whimbrel wait --database`, as given.
struct WaitDatabaseOptions {
  std::string at_least;
  std::string url_file;  ///< As RunFolderOptions has it.
  std::string history_schema = "whimbrel";
  std::string history_set = "default";
  std::string history_table;  ///< A tool's own table instead of Whimbrel's; empty: Whimbrel's.
};

/// One version that a history knows.
struct HistoryEntry {
  migration::Version version;
  bool finished = true;  ///< False: it began, and nobody said that it ended well.
};

/// Whether a history is at `wanted` or beyond, and nothing up to there is unfinished.
[[nodiscard]] Sighting JudgeHistory(const std::vector<HistoryEntry>& history,
                                    const migration::Version& wanted);

/// Looks at a history with whatever rights its reader has: SELECT on the table of the history is
/// all it needs. It writes nothing, takes no lock, changes no setting of the session, and keeps one
/// connection for all looks. Not thread-safe.
class DatabaseGate {
 public:
  /// kInvalidArgument or kNotFound: the options cannot be meant like this.
  static Result<DatabaseGate> Create(const WaitDatabaseOptions& options);

  [[nodiscard]] Sighting Look(SteadyTime deadline, const std::stop_token& stop);

 private:
  using Entries = Result<std::vector<HistoryEntry>, Sighting>;

  DatabaseGate(postgres::ConnectionParameters parameters, migration::Version wanted,
               history::Ledger ledger)
      : parameters_(std::move(parameters)),
        wanted_(std::move(wanted)),
        ledger_(std::move(ledger)) {}

  [[nodiscard]] Result<void, Sighting> Connect(const postgres::CallLimits& limits);
  [[nodiscard]] Entries ReadLedger();
  [[nodiscard]] Entries ReadToolTable();
  [[nodiscard]] Sighting Explain(const postgres::PgError& error) const;
  [[nodiscard]] std::string GrantHint() const;

  postgres::ConnectionParameters parameters_;
  migration::Version wanted_;
  history::Ledger ledger_;
  std::optional<history::TableName> table_;  ///< Instead of the ledger.
  std::optional<postgres::Connection> connection_;
};

}  // namespace whimbrel::cli
