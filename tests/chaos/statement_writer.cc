#include "chaos/statement_writer.h"

#include <utility>

namespace whimbrel::chaos {

std::string StatementWriter::Foundation() {
  std::string sql =
      CreateTable() +
      "CREATE TYPE public.mood AS ENUM ('calm');\n"
      "CREATE TABLE public.event (at int NOT NULL, what text) PARTITION BY RANGE (at);\n";
  for (int i = 0; i < 6; ++i) {
    const std::string name = "public.event_" + std::to_string(i);
    sql += "CREATE TABLE " + name + " PARTITION OF public.event FOR VALUES FROM (" +
           std::to_string(i * 10) + ") TO (" + std::to_string(i * 10 + 10) + ");\n";
    partitions_.push_back(name);
  }
  return sql +
         "INSERT INTO public.event SELECT n, 'event ' || n FROM generate_series(0, 59) AS n;\n";
}

std::string StatementWriter::CreateTable() {
  Table table{.name = "public.t" + Number(), .indexes = {}, .rows = dice_.Between(40, 150)};
  std::string sql = "CREATE TABLE " + table.name + " (id int PRIMARY KEY, a int, b text);\n" +
                    "INSERT INTO " + table.name + " SELECT n, n % 7, 'it''s ' || n FROM " +
                    "generate_series(1, " + std::to_string(table.rows) + ") AS n;\n";
  tables_.push_back(std::move(table));
  return sql;
}

std::string StatementWriter::Transactional() {
  Table& table = AnyTable();
  const std::string number = Number();
  switch (dice_.Below(11)) {
    case 0:
      return CreateTable();
    case 1:
      return "ALTER TABLE " + table.name + " ADD COLUMN c" + number + " int NOT NULL DEFAULT 3;\n";
    case 2:
      return "UPDATE " + table.name + " SET a = a + 1 WHERE id % 3 = 0;\n";
    case 3: {
      const std::string last = std::to_string(table.rows);
      table.rows += 20;
      return "INSERT INTO " + table.name + " (id, a, b) SELECT " + last +
             " + n, n, 'more; of it' " + "FROM generate_series(1, 20) AS n;\n";
    }
    case 4:
      return CreateIndex("INDEX");
    case 5:
      return "CREATE FUNCTION public.f" + number +
             "() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN RETURN " + number +
             "; -- it's; one\nEND $f$;\n";
    case 6:
      return "CREATE VIEW public.v" + number + " AS SELECT id, a FROM " + table.name + ";\n";
    case 7:
      return "/* ; ' $$ */ DO $$ BEGIN UPDATE " + table.name +
             " SET a = a * 2 WHERE id < 9; END $$;\n";
    case 8:
      return "SELECT pg_sleep(0.004);\nDELETE FROM " + table.name +
             " WHERE id = (SELECT min(id) FROM " + table.name + ");\n";
    case 9:
      return "ALTER TABLE " + table.name + " ADD CONSTRAINT k" + number + " CHECK (id > -" +
             number + ");\nCOMMENT ON TABLE " + table.name + " IS 'seen by " + number + "';\n";
    default:
      return "CREATE TABLE public.t" + number + "_copy AS SELECT * FROM " + table.name + ";\n";
  }
}

std::string StatementWriter::Copy() {
  Table& table = AnyTable();
  std::string sql = "COPY " + table.name + " (id, a, b) FROM stdin;\n";
  const int rows = dice_.Between(1000, 4000);
  for (int i = 0; i < rows; ++i) {
    sql += std::to_string(++table.rows) + "\t" + std::to_string(i % 13) + "\ta row; it's number " +
           std::to_string(i) + "\n";
  }
  return sql + "\\.\n";
}

std::string StatementWriter::CreateIndex(const std::string& how) {
  Table& table = AnyTable();
  const std::string name = "i" + Number();
  // The slow one gives death the time to come while the index is half built.
  const std::string columns = dice_.Chance(40)   ? "(chaos.slow(a))"
                              : dice_.Chance(50) ? "b"
                                                 : "a, id";
  table.indexes.push_back("public." + name);
  return "CREATE " + how + " " + name + " ON " + table.name + " (" + columns + ");\n";
}

std::string StatementWriter::DropIndex() {
  for (Table& table : tables_) {
    if (table.indexes.empty()) continue;
    const std::string name = table.indexes.back();
    table.indexes.pop_back();
    return "DROP INDEX CONCURRENTLY " + std::string(dice_.Chance(50) ? "IF EXISTS " : "") + name +
           ";\n";
  }
  return Reindex();
}

std::string StatementWriter::Reindex() {
  const Table& table = AnyTable();
  if (table.indexes.empty() || dice_.Chance(40))
    return "REINDEX TABLE CONCURRENTLY " + table.name + ";\n";
  return "REINDEX INDEX CONCURRENTLY " + table.indexes.front() + ";\n";
}

std::string StatementWriter::Detach() {
  if (partitions_.empty()) return "VACUUM (ANALYZE) " + AnyTable().name + ";\n";
  const std::string name = partitions_.back();
  partitions_.pop_back();
  return "ALTER TABLE public.event DETACH PARTITION " + name + " CONCURRENTLY;\n";
}

std::string StatementWriter::AddEnumValue() {
  return "ALTER TYPE public.mood ADD VALUE " +
         std::string(dice_.Chance(50) ? "IF NOT EXISTS " : "") + "'mood " + Number() + "';\n";
}

std::string StatementWriter::Alone() {
  switch (dice_.Below(9)) {
    case 0:
    case 1:
      return CreateIndex("INDEX CONCURRENTLY");
    case 2:
      return CreateIndex("INDEX CONCURRENTLY IF NOT EXISTS");
    case 3:
      return DropIndex();
    case 4:
      return Reindex();
    case 5:
      return "VACUUM " + AnyTable().name + ";\n";
    case 6:
      return AddEnumValue();
    default:
      return Detach();
  }
}

std::string StatementWriter::Undone() {
  const std::string name = "s" + Number();
  return "SAVEPOINT " + name + ";\nDELETE FROM " + AnyTable().name + ";\nROLLBACK TO " + name +
         ";\nRELEASE " + name + ";\n";
}

std::string StatementWriter::SetValue() { return "SET chaos.value = 'set " + Number() + "';\n"; }

std::string StatementWriter::UseValue() {
  return "CREATE TABLE public.s" + Number() +
         " AS SELECT current_setting('chaos.value') AS value;\n";
}

std::string StatementWriter::Litter() {
  const std::string number = Number();
  switch (dice_.Below(5)) {
    case 0:
      return "SET search_path = pg_catalog;\nSET statement_timeout = '7s';\n";
    case 1:
      return "CREATE TEMP TABLE litter" + number + " (x int);\n";
    case 2:
      return "SELECT pg_advisory_lock(" + number + ");\n";
    case 3:
      return "PREPARE litter" + number + " AS SELECT 1;\nLISTEN litter;\n";
    default:
      return "SET ROLE pg_monitor;\nRESET ROLE;\nDECLARE litter" + number +
             " CURSOR WITH HOLD FOR SELECT 1;\n";
  }
}

}  // namespace whimbrel::chaos
