#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "support/postgres_server.h"

namespace whimbrel::chaos {

/// One line of the witness: somebody began to do what the mark stands for.
struct Attempt {
  std::string mark;
  std::string nonce;  ///< Told apart from other attempts; the row of chaos.probe has it too.
};

/// A PostgreSQL server that many runs use one after the other, each in databases of its own.
///
/// Each database has the schema `chaos`: the table probe(mark, nonce), the function mark(text), and
/// slow(int), with which an index takes some ten milliseconds to build. mark() writes a line into
/// the server's log and returns the nonce in it. The log is the append-only witness outside of the
/// transaction: no rollback, no SIGKILL of the server and no later attempt takes a line back.
class World {
 public:
  World();

  [[nodiscard]] testing::PostgresServer& server() { return server_; }
  [[nodiscard]] testing::PgTarget CreateDatabase();
  /// Whoever is still connected is thrown out.
  void DropDatabase(const testing::PgTarget& database);

  /// What the witness says about a database since it was made, in order.
  [[nodiscard]] std::vector<Attempt> ReadWitness(const testing::PgTarget& database) const;

 private:
  [[nodiscard]] std::filesystem::path LogFile() const;

  testing::PostgresServer server_;
  testing::PgTarget template_;
  std::uint64_t seen_ = 0;  // Bytes of the log that are older than the newest database but one.
  std::uint64_t older_ = 0;
  int databases_ = 0;
};

}  // namespace whimbrel::chaos
