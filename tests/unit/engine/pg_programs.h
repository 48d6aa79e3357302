#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "support/pg_client.h"
#include "support/subprocess.h"

namespace whimbrel::engine {

/// psql and pg_dump, which say what is right: from beside the server's own programs when those are
/// not Debian's.
inline whimbrel::testing::ProcessResult RunPgProgram(const std::string& program,
                                                     std::vector<std::string> arguments,
                                                     const whimbrel::testing::PgTarget& database,
                                                     const std::filesystem::path& folder = {}) {
  const char* bin = std::getenv("WHIMBREL_PG_BIN");
  const std::string beside = std::string(bin == nullptr ? "" : bin) + "/" + program;
  arguments.insert(arguments.begin(),
                   bin != nullptr && std::filesystem::exists(beside) ? beside : program);
  auto environment = database.Environment();
  environment["PGSSLMODE"] = "disable";
  environment["PGOPTIONS"] = std::nullopt;
  return whimbrel::testing::RunProcess(
      {.argv = std::move(arguments), .environment = std::move(environment), .directory = folder});
}

/// Why pg_dump cannot read this server: it reads none that is newer. Empty: it can.
inline std::string WhyNoDump(const whimbrel::testing::PgTarget& database) {
  const whimbrel::testing::ProcessResult dump =
      RunPgProgram("pg_dump", {"--schema-only"}, database);
  return dump.err.find("server version mismatch") == std::string::npos ? "" : dump.err;
}

/// What pg_dump writes of a database, without Whimbrel's own tables.
inline std::string Dump(const whimbrel::testing::PgTarget& database,
                        std::vector<std::string> options = {}) {
  options.push_back("--exclude-schema=whimbrel");
  whimbrel::testing::ProcessResult dump = RunPgProgram("pg_dump", std::move(options), database);
  if (dump.exit_code != 0) throw std::runtime_error("pg_dump: " + dump.err);
  return std::move(dump.out);
}

/// The key of `\restrict` is another one in each dump.
inline std::string WithoutKeys(const std::string& dump) {
  static const std::regex kKey("\\\\(un)?restrict [A-Za-z0-9]+\n");
  return std::regex_replace(dump, kKey, "\\$1restrict\n");
}

}  // namespace whimbrel::engine
