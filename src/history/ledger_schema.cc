#include "history/ledger_schema.h"

#include "whimbrel/postgres/connection.h"

namespace whimbrel::history {

namespace {

/// `$` stands for the quoted schema and a dot. Text keys are COLLATE "C", so that their order and
/// their indexes survive an upgrade of the operating system's collations; every table has a primary
/// key, so that logical replication carries it.
constexpr std::string_view kTables = R"sql(
CREATE TABLE $whimbrel_meta (
  only_row boolean NOT NULL DEFAULT true CHECK (only_row),
  schema_version integer NOT NULL,
  CONSTRAINT whimbrel_meta_pkey PRIMARY KEY (only_row)
);

CREATE TABLE $whimbrel_migration (
  set text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('V', 'R', 'B', 'U')),
  id text COLLATE "C" NOT NULL,
  run integer NOT NULL CHECK (run >= 1),
  state text COLLATE "C" NOT NULL CHECK (state IN ('running', 'applied', 'withdrawn', 'undone')),
  attempt integer NOT NULL DEFAULT 1,
  version text NOT NULL,
  description text NOT NULL,
  path text NOT NULL,
  sum text,
  raw_sum text,
  sum_verified boolean NOT NULL DEFAULT true,
  origin text COLLATE "C" NOT NULL CHECK (origin IN ('own', 'imported', 'baseline')),
  applied_at timestamptz,
  duration_ms bigint NOT NULL DEFAULT 0,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  recorded_by text NOT NULL DEFAULT current_user,
  recorded_in text NOT NULL DEFAULT current_setting('application_name'),
  recorded_with text NOT NULL,
  CONSTRAINT whimbrel_migration_pkey PRIMARY KEY (set, kind, id, run)
);
COMMENT ON TABLE $whimbrel_migration
  IS 'Whimbrel: one row for each time a migration was applied';
COMMENT ON COLUMN $whimbrel_migration.set
  IS 'the history: the table of the tool that is kept, or history.set';
COMMENT ON COLUMN $whimbrel_migration.kind
  IS 'V versioned, R repeatable, B baseline, U undo';
COMMENT ON COLUMN $whimbrel_migration.id
  IS 'canonical version, or the description of a repeatable';
COMMENT ON COLUMN $whimbrel_migration.sum
  IS 'by which an edit of the file is noticed, as the format spells it';
COMMENT ON COLUMN $whimbrel_migration.raw_sum IS 'SHA-256 of the bytes that were run';
COMMENT ON COLUMN $whimbrel_migration.sum_verified
  IS 'false: of the file found at import, not of what was run';
COMMENT ON COLUMN $whimbrel_migration.applied_at
  IS 'null: imported from a tool that does not say';

CREATE TABLE $whimbrel_journal (
  set text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  run integer NOT NULL,
  step integer NOT NULL,
  sql_hash text NOT NULL,
  intent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  found jsonb,
  cursor jsonb,
  done_at timestamptz,
  CONSTRAINT whimbrel_journal_pkey PRIMARY KEY (set, kind, id, run, step),
  CONSTRAINT whimbrel_journal_migration_fkey FOREIGN KEY (set, kind, id, run)
    REFERENCES $whimbrel_migration ON DELETE CASCADE
);
COMMENT ON TABLE $whimbrel_journal
  IS 'Whimbrel: one row for each step of a file that is not one transaction';

CREATE TABLE $whimbrel_script (
  set text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  run integer NOT NULL,
  path text NOT NULL,
  down_sum text NOT NULL,
  down_sql text NOT NULL,
  CONSTRAINT whimbrel_script_pkey PRIMARY KEY (set, kind, id, run),
  CONSTRAINT whimbrel_script_migration_fkey FOREIGN KEY (set, kind, id, run)
    REFERENCES $whimbrel_migration ON DELETE CASCADE
);
COMMENT ON TABLE $whimbrel_script
  IS 'Whimbrel: the way back from each migration, kept when it was applied';
)sql";

std::string InSchema(std::string_view sql, std::string_view schema) {
  const std::string prefix = postgres::QuoteIdentifier(schema) + ".";
  std::string text;
  for (char c : sql) {
    if (c == '$') {
      text += prefix;
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string LedgerTable(std::string_view schema, std::string_view table) {
  return postgres::QuoteIdentifier(schema) + "." + postgres::QuoteIdentifier(table);
}

std::string CreateLedgerSql(std::string_view schema, int schema_version) {
  return InSchema(kTables, schema) + "INSERT INTO " + LedgerTable(schema, kMetaTable) +
         " (schema_version) VALUES (" + std::to_string(schema_version) + ")";
}

}  // namespace whimbrel::history
