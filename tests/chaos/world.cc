#include "chaos/world.h"

#include <fstream>

namespace whimbrel::chaos {

using testing::PgClient;
using testing::PgTarget;

namespace {

constexpr const char* kWitness = R"sql(
CREATE SCHEMA chaos;
CREATE TABLE chaos.probe (mark text NOT NULL, nonce text NOT NULL);
CREATE FUNCTION chaos.mark(mark text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  nonce text := md5(clock_timestamp()::text || random()::text);
BEGIN
  RAISE LOG 'chaos-witness % %', mark, nonce;
  RETURN nonce;
END
$$;
CREATE FUNCTION chaos.slow(value int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  PERFORM pg_sleep(0.0001);
  RETURN value;
END
$$;
)sql";

constexpr std::string_view kSays = "LOG:  chaos-witness ";

}  // namespace

World::World()
    : server_({.settings = {"log_error_verbosity=terse", "log_min_error_statement=panic",
                            "log_checkpoints=off"}}),
      template_(server_.CreateDatabase()) {
  PgClient(template_).Exec(kWitness);
}

std::filesystem::path World::LogFile() const { return server_.socket_folder() / "server.log"; }

PgTarget World::CreateDatabase() {
  older_ = seen_;
  seen_ = std::filesystem::file_size(LogFile());
  const PgTarget database = server_.target().WithDatabase("chaos_" + std::to_string(++databases_));
  PgClient(server_.target())
      .Exec("CREATE DATABASE " + database.dbname + " TEMPLATE " + template_.dbname);
  return database;
}

void World::DropDatabase(const PgTarget& database) {
  PgClient(server_.target()).Exec("DROP DATABASE " + database.dbname + " WITH (FORCE)");
}

std::vector<Attempt> World::ReadWitness(const PgTarget& database) const {
  std::ifstream log(LogFile(), std::ios::binary);
  log.seekg(static_cast<std::streamoff>(older_));
  const std::string in_database = "@" + database.dbname + " ";
  std::vector<Attempt> result;
  for (std::string line; std::getline(log, line);) {
    const auto says = line.find(kSays);
    if (says == std::string::npos || line.find(in_database) == std::string::npos) continue;
    const std::string text = line.substr(says + kSays.size());
    const auto space = text.rfind(' ');
    result.push_back({.mark = text.substr(0, space), .nonce = text.substr(space + 1)});
  }
  return result;
}

}  // namespace whimbrel::chaos
