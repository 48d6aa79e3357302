#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/hashing_byte_source.h"
#include "engine/script_outline.h"
#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/postgres/statement_stream.h"
#include "whimbrel/sql/statement_splitter.h"

namespace whimbrel::engine {

/// Pass 2: gives the statements of a script to be sent, without those that ours take the place of.
/// After a statement that changed one of our timeouts it puts them back by a statement of its own.
/// At the end it compares the bytes with those of pass 1; a difference is
/// ErrorKind::kSourceChanged, before the COMMIT.
class ScriptStream final : public postgres::StatementStream {
 public:
  /// `timeouts_sql` sets our timeouts in the transaction.
  static Result<std::unique_ptr<ScriptStream>> Open(const migration::Script& script,
                                                    const ScriptOutline& outline,
                                                    bool standard_conforming_strings,
                                                    std::string timeouts_sql);

  Result<std::optional<postgres::StreamStatement>> Next() override;
  Result<std::string_view> NextCopyData() override;
  void OnStandardConformingStrings(bool on) override;

  /// As the text was cut to its end.
  [[nodiscard]] bool standard_conforming_strings() const { return standard_conforming_strings_; }
  /// Statements of the file handed out so far.
  [[nodiscard]] std::uint64_t statements() const { return statements_; }

 private:
  ScriptStream(std::unique_ptr<ByteSource> bytes, const migration::Script& script,
               const ScriptOutline& outline, bool standard_conforming_strings,
               std::string timeouts_sql);
  Result<std::optional<sql::Statement>> NextStatement();
  Result<void> CheckUnchanged() const;
  [[nodiscard]] Error Changed() const;

  std::unique_ptr<ByteSource> bytes_;
  HashingByteSource hashed_;
  ScriptOutline outline_;
  std::string file_;
  sql::StatementSplitter splitter_;
  std::string timeouts_sql_;
  bool standard_conforming_strings_;
  bool restore_timeouts_ = false;
  bool barrier_next_ = false;
  bool copy_ended_ = true;
  std::uint64_t statements_ = 0;
};

}  // namespace whimbrel::engine
