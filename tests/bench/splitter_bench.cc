#include <benchmark/benchmark.h>
#include <pg_query.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "whimbrel/base/byte_source.h"
#include "whimbrel/sql/statement_splitter.h"

// The splitter beside libpg-query's scanner split, which is PostgreSQL's own scanner, on the same
// texts.
namespace whimbrel::sql {
namespace {

constexpr std::size_t kTextBytes = std::size_t{4} << 20;

std::string Repeat(const std::string& before, const std::string& after) {
  std::string text;
  for (int i = 0; text.size() < kTextBytes; ++i) text += before + std::to_string(i) + after;
  return text;
}

std::string FunctionBody() {
  std::string body;
  for (int i = 0; i < 200; ++i) {
    body +=
        "  -- one more step; of many\n  IF new.total <> old.total THEN\n    PERFORM "
        "pg_notify('orders', "
        "format('%s: it''s %s', new.id, new.total));\n  END IF;\n";
  }
  return "() RETURNS trigger LANGUAGE plpgsql AS $function$\nBEGIN\n" + body +
         "  RETURN new;\nEND\n$function$;\n\n";
}

struct Text {
  const char* name;
  std::string text;
};

const std::vector<Text>& Texts() {
  static const std::vector<Text> texts = {
      {"small statements",
       Repeat("INSERT INTO shop.orders (id, customer, total, note) VALUES (",
              ", 'Ann O''Hara', 12.50, E'fast\\n') ON CONFLICT (id) DO NOTHING;\n")},
      {"table definitions",
       Repeat(
           "-- A table\nCREATE TABLE t_",
           " (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    \"Name\" varchar(40) "
           "NOT NULL DEFAULT ''::varchar,\n    price numeric(10, 2) CHECK (price >= 0),\n    "
           "created_at timestamptz NOT NULL DEFAULT now()\n);\n")},
      {"large functions", Repeat("CREATE FUNCTION f_", FunctionBody())},
      {"long literals",
       Repeat("INSERT INTO documents VALUES (", ", '" + std::string(20'000, 'x') + "');\n")},
  };
  return texts;
}

void Whimbrel(benchmark::State& state, const std::string& text) {
  std::size_t statements = 0;
  for (auto _ : state) {
    StringByteSource source(text);
    StatementSplitter splitter(source, {});
    statements = 0;
    for (auto piece = splitter.Next(); *piece; piece = splitter.Next()) {
      statements += std::holds_alternative<Statement>(**piece) ? 1U : 0U;
    }
  }
  state.counters["statements"] = static_cast<double>(statements);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void LibpgQuery(benchmark::State& state, const std::string& text) {
  int statements = 0;
  for (auto _ : state) {
    const PgQuerySplitResult result = pg_query_split_with_scanner(text.c_str());
    statements = result.n_stmts;
    pg_query_free_split_result(result);
  }
  state.counters["statements"] = statements;
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

/// Prints what google-benchmark prints, and remembers the rates.
class RateReporter final : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      rates_[run.benchmark_name()] = run.counters.at("bytes_per_second");
    }
  }
  [[nodiscard]] double MegabytesPerSecond(const std::string& name) const {
    return rates_.at(name) / 1e6;
  }

 private:
  std::map<std::string, double> rates_;
};

int Main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const Text& text : Texts()) {
    benchmark::RegisterBenchmark((std::string("whimbrel/") + text.name).c_str(), Whimbrel,
                                 text.text);
    benchmark::RegisterBenchmark((std::string("libpg-query/") + text.name).c_str(), LibpgQuery,
                                 text.text);
  }
  RateReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  std::printf(
      "\nSplitter, MB/s: whimbrel, libpg-query's scanner, and how many times as fast we are\n");
  for (const Text& text : Texts()) {
    const double ours = reporter.MegabytesPerSecond(std::string("whimbrel/") + text.name);
    const double theirs = reporter.MegabytesPerSecond(std::string("libpg-query/") + text.name);
    std::printf("  %-18s %7.0f %7.0f %6.2f\n", text.name, ours, theirs, ours / theirs);
  }
  return 0;
}

}  // namespace
}  // namespace whimbrel::sql

int main(int argc, char** argv) { return whimbrel::sql::Main(argc, argv); }
