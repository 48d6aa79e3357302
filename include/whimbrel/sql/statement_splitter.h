#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "whimbrel/base/byte_source.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/source_position.h"

/// Cuts SQL text into the statements that a PostgreSQL server would see.
///
/// The lexical rules are the server's (src/backend/parser/scan.l, PostgreSQL 13 to 18), not psql's:
/// there are no variables and no meta-commands, except that pg_dump's `\restrict` and `\unrestrict`
/// lines are skipped. From psql comes what the server does not know: that the data of COPY … FROM
/// STDIN stands between the statements, from the next line to a line `\.`.
namespace whimbrel::sql {

struct SplitOptions {
  std::string file = {};  ///< Name for messages and positions.
  /// The server's setting when the text begins; see SetStandardConformingStrings.
  bool standard_conforming_strings = true;
  /// Where the text begins in its file. `file` in it is ignored. A byte order mark is skipped only
  /// at offset 0.
  SourcePosition start = {.line = 1, .column = 1};
  /// A statement with its white space and comments, or a single comment, may not be larger. This is
  /// also the bound of the splitter's memory.
  std::size_t max_statement_bytes = std::size_t{64} << 20;
  std::size_t max_statements = 100'000;
};

/// What is not sent to the server: white space, comments, `;`, the byte order mark, `\restrict`
/// lines, the `\.` line after COPY data. A long run of it comes as several gaps.
struct Gap {
  std::string_view text;
  std::uint64_t offset = 0;  ///< In bytes from the beginning of the file.
};

/// What is sent as one query.
struct Statement {
  std::string_view text;  ///< From the first to the last token: without the `;`, never empty.
  SourcePosition position;
  std::uint64_t end_offset = 0;  ///< Of the first byte after `text`.
  /// The comments before it, each followed by a line feed; for directives. Not those that begin on
  /// the line on which the statement before ended: they belong to that one. At most 64 KiB: the
  /// last whole lines.
  std::string_view leading_comment;
  bool copy_from_stdin = false;  ///< CopyData follows.
};

/// Follows a COPY … FROM STDIN statement: any number of pieces, and after the one with `last` no
/// more. Not checked to be UTF-8, since COPY has an ENCODING of its own.
struct CopyData {
  std::string_view
      bytes;  ///< As to be sent to the server; at most 1 MiB, may be empty when `last`.
  std::uint64_t offset = 0;
  bool last = false;
  bool ended_by_end_of_file = false;  ///< With `last`: there was no `\.` line; probably cut off.
};

/// The pieces come in the order of their offsets, and then their texts make up the input without
/// gap or overlap. One exception, as in psql: other statements on the line on which a COPY … FROM
/// STDIN ends (`copy t from stdin; select 1;`) come after the data, since they run after it. They
/// must end on that line.
using Piece = std::variant<Gap, Statement, CopyData>;

/// Pulls bytes only as far as the piece that was asked for needs them, copies none when a piece
/// lies within what the source gave at once, and takes linear time. Not thread-safe.
class StatementSplitter {
 public:
  /// `in` must outlive the splitter, and stay valid as ByteSource says.
  StatementSplitter(ByteSource& in, SplitOptions options);
  ~StatementSplitter();
  StatementSplitter(StatementSplitter&&) noexcept;
  StatementSplitter& operator=(StatementSplitter&&) noexcept;

  /// The next piece; nullopt at the end. Views are valid until the next call. An error of the text
  /// is kInvalidArgument with its position, says what to write instead, and is returned again by
  /// later calls; errors of the source are passed on.
  Result<std::optional<Piece>> Next();

  /// What the server reported after the statements returned so far. Holds for everything that was
  /// not yet returned.
  void SetStandardConformingStrings(bool on);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A statement that keeps its own text, with its COPY data.
struct OwnedStatement {
  std::string text;
  SourcePosition position;
  std::uint64_t end_offset = 0;
  std::string leading_comment;
  bool copy_from_stdin = false;
  std::string copy_data;
};

/// All statements of a text in memory, under one setting of standard_conforming_strings except
/// where the text's own `SET standard_conforming_strings` changes it.
Result<std::vector<OwnedStatement>> SplitAll(std::string_view text, SplitOptions options = {});

}  // namespace whimbrel::sql
