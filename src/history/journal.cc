#include "whimbrel/history/journal.h"

#include <charconv>

#include "history/ledger_row_text.h"
#include "history/ledger_schema.h"

namespace whimbrel::history {

using postgres::PgResult;
using postgres::QuoteLiteral;

namespace {

int ToInt(const std::optional<std::string>& text) {
  int number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

Journal::Journal(std::string_view schema, std::string set)
    : set_(std::move(set)),
      migrations_(LedgerTable(schema, kMigrationTable)),
      journal_(LedgerTable(schema, kJournalTable)) {}

PgResult<std::vector<JournalRow>> Journal::Read(postgres::Connection& connection) const {
  auto rows = connection.Execute(
      "SELECT j.kind, j.id, j.run, j.step, j.sql_hash, j.found::pg_catalog.text, "
      "j.done_at IS NOT NULL FROM " +
      journal_ + " j JOIN " + migrations_ +
      " m USING (set, kind, id, run) WHERE m.state = 'running' AND m.set = " + QuoteLiteral(set_) +
      " ORDER BY j.kind, j.id, j.run, j.step");
  if (!rows) return tl::make_unexpected(std::move(rows).error());
  std::vector<JournalRow> result;
  for (const auto& row : *rows) {
    result.push_back({.kind = static_cast<migration::Kind>(row[0].value_or("V").front()),
                      .id = row[1].value_or(""),
                      .run = ToInt(row[2]),
                      .step = ToInt(row[3]),
                      .sql_hash = row[4].value_or(""),
                      .found = row[5],
                      .done = row[6] == "t"});
  }
  return result;
}

std::string Journal::Key(const Claim& claim) const {
  return "set = " + QuoteLiteral(set_) +
         " AND kind = " + QuoteLiteral(ToText(claim.migration->kind)) +
         " AND id = " + QuoteLiteral(claim.migration->id()) +
         " AND run = " + std::to_string(claim.run);
}

std::string Journal::KeyValues(const Claim& claim) const {
  return QuoteLiteral(set_) + ", " + QuoteLiteral(ToText(claim.migration->kind)) + ", " +
         QuoteLiteral(claim.migration->id()) + ", " + std::to_string(claim.run);
}

std::string Journal::Held(const Claim& claim) const {
  return Key(claim) + " AND state = 'running' AND attempt = " + std::to_string(claim.attempt);
}

std::string Journal::TakeOverSql(const Claim& as_read) const {
  return "UPDATE " + migrations_ + " SET attempt = attempt + 1, recorded_at = now(), " +
         "recorded_in = current_setting('application_name') WHERE " + Held(as_read) +
         " RETURNING attempt";
}

std::string Journal::FenceSql(const Claim& claim) const {
  return "SELECT pg_catalog.count(*) FROM (SELECT 1 FROM " + migrations_ + " WHERE " + Held(claim) +
         " FOR UPDATE) held";
}

std::string Journal::FenceAndStepSql(const Claim& claim, int step,
                                     std::string_view sql_hash) const {
  // A row may be there already: of an intent that came to nothing before the text was mended.
  return "WITH held AS (SELECT 1 FROM " + migrations_ + " WHERE " + Held(claim) +
         " FOR UPDATE), written AS (INSERT INTO " + journal_ +
         " (set, kind, id, run, step, sql_hash, done_at) SELECT " + KeyValues(claim) + ", " +
         std::to_string(step) + ", " + QuoteLiteral(sql_hash) +
         ", pg_catalog.clock_timestamp() FROM held ON CONFLICT ON CONSTRAINT "
         "whimbrel_journal_pkey DO UPDATE SET sql_hash = excluded.sql_hash, done_at = "
         "excluded.done_at, found = NULL RETURNING 1) SELECT pg_catalog.count(*) FROM written";
}

std::string Journal::IntentSql(const Claim& claim, int step, std::string_view sql_hash,
                               std::string_view found) const {
  return "INSERT INTO " + journal_ + " AS j (set, kind, id, run, step, sql_hash, found) VALUES (" +
         KeyValues(claim) + ", " + std::to_string(step) + ", " + QuoteLiteral(sql_hash) + ", " +
         QuoteLiteral(found) +
         ") ON CONFLICT ON CONSTRAINT whimbrel_journal_pkey DO UPDATE SET sql_hash = "
         "excluded.sql_hash, found = excluded.found, intent_at = excluded.intent_at "
         "WHERE j.sql_hash <> excluded.sql_hash";
}

std::string Journal::DoneSql(const Claim& claim, int step) const {
  return "UPDATE " + journal_ + " SET done_at = pg_catalog.clock_timestamp() WHERE " + Key(claim) +
         " AND step = " + std::to_string(step);
}

}  // namespace whimbrel::history
