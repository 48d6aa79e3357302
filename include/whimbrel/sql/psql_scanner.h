#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "whimbrel/base/byte_source.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/source_position.h"

/// Reads a text with psql's habits in it: `\i`, `\ir`, `\set`, `\echo` and `:name`. What it does to
/// the text is the caller's; the result is plain SQL for StatementSplitter.
namespace whimbrel::sql {

/// What `\set` has set, by name.
using PsqlVariables = std::map<std::string, std::string, std::less<>>;

/// Whether `\set` may have a variable of this name.
[[nodiscard]] bool IsPsqlVariableName(std::string_view name);

/// Text that stays as it is.
struct PsqlText {
  std::string_view text;
  SourcePosition position;
};

/// What stands in the place of `:name`, `:'name'` or `:"name"`.
struct PsqlValue {
  std::string text;
  SourcePosition position;  ///< Of the colon.
};

/// A command whose text, from the backslash to the end of its arguments, is to vanish: `i`, `ir`,
/// `include`, `include_relative`, `set`, `echo`, `qecho` or `warn`.
struct PsqlCommand {
  std::string name;
  std::vector<std::string> arguments;  ///< Without quotes, with the values of variables.
  std::size_t value_bytes = 0;         ///< How much of them such values are; at most 1 MiB.
  SourcePosition position;             ///< Of the backslash.
};

using PsqlPiece = std::variant<PsqlText, PsqlValue, PsqlCommand>;

/// Cuts one file into such pieces, by the rules of psql's psqlscan.l and psqlscanslash.l, with
/// these differences:
///   - Only variables in `variables` are known; psql's own (`:DBNAME`) stay as written.
///   - `[1:b]` is an array's slice, whatever is called b: directly within the brackets of a
///     subscript nothing is replaced (write `[(:b)]`). `ARRAY[:a, :b]` has no slices.
///   - A command within a statement, or on the line on which COPY … FROM STDIN ends, is an error.
///   - Behind a command that is not one of PsqlCommand's, all is text: StatementSplitter refuses
///     the file there.
/// `\restrict` lines are text, too. Linear time; memory is bounded by the longest token, which may
/// have 64 MiB. Not thread-safe.
class PsqlScanner {
 public:
  /// `in` and `variables` must outlive the scanner; the variables may change between calls of
  /// Next() and hold for what follows. `file` names the text in positions.
  PsqlScanner(ByteSource& in, std::string file, const PsqlVariables& variables);
  ~PsqlScanner();
  PsqlScanner(const PsqlScanner&) = delete;
  PsqlScanner& operator=(const PsqlScanner&) = delete;

  /// The next piece; nullopt at the end. Views are valid until the next call. Errors of the text
  /// are kInvalidArgument with their position; those of the source are passed on.
  Result<std::optional<PsqlPiece>> Next();

  /// Where the scanner is; at the end: the end of the text.
  [[nodiscard]] const SourcePosition& position() const;

  /// After the end: what has to follow this text where another file goes on, since psql ends the
  /// line, the statement and the data of a COPY with the file that they are in.
  [[nodiscard]] std::string Closing() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whimbrel::sql
