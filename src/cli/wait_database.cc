#include "cli/wait_database.h"

#include <algorithm>
#include <utility>

#include "cli/url_file.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::cli {
namespace {

using history::LedgerState;
using migration::Kind;
using migration::Version;
using postgres::PgError;
using State = Sighting::State;

/// Refused logins: waiting would only hide them, and lock accounts.
bool IsRefusedLogin(const PgError& error) {
  return error.sql_state == postgres::kInvalidPassword ||
         error.sql_state == postgres::kInvalidAuthorization;
}

bool MayPass(const PgError& error) {
  return error.interruption != postgres::Interruption::kNone ||
         error.sql_state == postgres::kInvalidCatalogName || error.connecting ||
         postgres::Judge(error) != postgres::Verdict::kPermanent;
}

bool HasVersion(Kind kind) { return kind == Kind::kVersioned || kind == Kind::kBaseline; }

/// `id` is what counts, `shown` is the same as people know it (`001`). What is no version was not
/// written by Whimbrel, and cannot be compared.
void Add(std::vector<HistoryEntry>& entries, const std::string& id, const std::string& shown,
         bool finished) {
  Result<Version> version = Version::Parse(id);
  if (!version) return;
  Result<Version> spelled = Version::Parse(shown);
  const bool same = spelled && *spelled == *version;
  entries.push_back({same ? *std::move(spelled) : *std::move(version), finished});
}

Result<postgres::ConnectionParameters> ReadParameters(const std::string& url_file) {
  if (url_file.empty()) return postgres::ParametersFromEnvironment();
  const Result<Secret> url = ReadUrlFile(url_file);
  if (!url) return tl::make_unexpected(url.error());
  return postgres::ParametersFromConninfo(*url, postgres::Trust::kLocal);
}

tl::unexpected<Sighting> NotYet(std::string text) {
  return tl::make_unexpected(Sighting{State::kNotYet, std::move(text)});
}

std::string Listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kMost ? text + ", …" : text;
}

}  // namespace

Sighting JudgeHistory(const std::vector<HistoryEntry>& history, const Version& wanted) {
  const std::string goal = "wanted: " + wanted.display() + " or newer";
  const HistoryEntry* highest = nullptr;
  for (const HistoryEntry& entry : history) {
    if (!entry.finished && entry.version <= wanted) {
      return {State::kNotYet,
              "version " + entry.version.display() + " has begun but not ended; " + goal};
    }
    const bool higher = highest == nullptr || entry.version > highest->version;
    if (entry.finished && higher) highest = &entry;
  }
  if (highest == nullptr) return {State::kNotYet, "nothing is applied yet; " + goal};
  const State state = highest->version >= wanted ? State::kReady : State::kNotYet;
  return {state, "at version " + highest->version.display() + "; " + goal};
}

Result<DatabaseGate> DatabaseGate::Create(const WaitDatabaseOptions& options) {
  if (options.at_least.empty()) {
    return Fail(ErrorKind::kInvalidArgument,
                "--database: say with --at-least which version the application needs");
  }
  Result<Version> wanted = Version::Parse(options.at_least);
  if (!wanted) {
    return Fail(ErrorKind::kInvalidArgument, "--at-least: " + wanted.error().message);
  }
  Result<postgres::ConnectionParameters> parameters = ReadParameters(options.url_file);
  if (!parameters) return tl::make_unexpected(std::move(parameters).error());
  DatabaseGate gate(*std::move(parameters), *std::move(wanted),
                    history::Ledger(options.history_schema, options.history_set));
  if (!options.history_table.empty()) {
    Result<history::TableName> table = history::ParseTableName(options.history_table);
    if (!table) {
      return Fail(ErrorKind::kInvalidArgument, "--history-table: " + table.error().message);
    }
    gate.table_ = *std::move(table);
  }
  return gate;
}

Sighting DatabaseGate::Look(SteadyTime deadline, const std::stop_token& stop) {
  if (Result<void, Sighting> connected = Connect({.deadline = deadline, .stop = stop});
      !connected) {
    return std::move(connected).error();
  }
  const Entries history = table_ ? ReadToolTable() : ReadLedger();
  return history ? JudgeHistory(*history, wanted_) : history.error();
}

Result<void, Sighting> DatabaseGate::Connect(const postgres::CallLimits& limits) {
  if (connection_ && connection_->usable()) {
    connection_->SetLimits(limits);
    return {};
  }
  connection_.reset();
  postgres::PgResult<postgres::Connection> opened = postgres::Connection::Open(
      parameters_,
      {.application_name = "whimbrel/wait", .limits = limits, .give_up_at_limit = true});
  if (!opened) return tl::make_unexpected(Explain(opened.error()));
  connection_.emplace(*std::move(opened));
  return {};
}

DatabaseGate::Entries DatabaseGate::ReadLedger() {
  const auto rows = ledger_.Read(*connection_);
  if (!rows && rows.error().sql_state == postgres::kUndefinedTable) {
    return NotYet("there is no history in schema " + ledger_.schema() + " yet");
  }
  if (!rows) return tl::make_unexpected(Explain(rows.error()));
  if (rows->empty()) {
    const auto sets = ledger_.ReadSets(*connection_);
    if (!sets) return tl::make_unexpected(Explain(sets.error()));
    return NotYet("the history has no set " + ledger_.set() + " yet" +
                  (sets->empty() ? "" : "; there are: " + Listed(*sets)));
  }
  std::vector<HistoryEntry> entries;
  for (const history::LedgerRow& row : *rows) {
    const bool finished = row.state == LedgerState::kApplied;
    if (HasVersion(row.kind) && (finished || row.state == LedgerState::kRunning)) {
      Add(entries, row.id, row.version, finished);
    }
  }
  return entries;
}

DatabaseGate::Entries DatabaseGate::ReadToolTable() {
  const auto explain = [this](const history::ToolTableError& error) {
    if (const auto* failure = std::get_if<PgError>(&error)) return Explain(*failure);
    return Sighting{State::kUsage, "--history-table: " + std::get<Error>(error).message};
  };
  // The columns tell whose table it is; Flyway's has no column that one could choose.
  auto table = history::OpenToolTable(*connection_, migration::Format::kFlyway, *table_);
  if (!table && std::holds_alternative<Error>(table.error())) {
    table = history::OpenToolTable(*connection_, migration::Format::kNumbered, *table_);
  }
  if (!table) return tl::make_unexpected(explain(table.error()));
  const auto history = (*table)->Read(*connection_, {});
  if (!history) return tl::make_unexpected(Explain(history.error()));
  if (!history->exists) return NotYet("there is no table " + (*table)->QualifiedName() + " yet");
  std::vector<HistoryEntry> entries;
  if (!history->baseline_version.empty()) Add(entries, history->baseline_version, "", true);
  for (const history::ToolRow& row : history->applied) {
    if (HasVersion(row.kind)) Add(entries, row.id, row.version, !row.failed);
  }
  return entries;
}

Sighting DatabaseGate::Explain(const PgError& error) const {
  const std::string where = parameters_.Describe();
  if (error.interruption != postgres::Interruption::kNone) {
    return {State::kNotYet, where + " did not answer in time"};
  }
  if (error.sql_state == postgres::kInsufficientPrivilege && !error.connecting) {
    return {State::kUsage, where + ": " + error.ToString() + GrantHint()};
  }
  if (IsRefusedLogin(error) || !MayPass(error)) {
    return {State::kUsage, where + ": " + error.ToString()};
  }
  return {State::kNotYet, where + ": " + error.ToString()};
}

std::string DatabaseGate::GrantHint() const {
  if (table_) return "; it needs SELECT on that table, and USAGE on its schema";
  const auto user = parameters_.values.find("user");
  const std::string role =
      user == parameters_.values.end() ? "the role" : postgres::QuoteIdentifier(user->second);
  const std::string schema = postgres::QuoteIdentifier(ledger_.schema());
  return "; let its owner run: GRANT USAGE ON SCHEMA " + schema + " TO " + role +
         "; GRANT SELECT ON " + schema + ".whimbrel_migration TO " + role + ";";
}

}  // namespace whimbrel::cli
