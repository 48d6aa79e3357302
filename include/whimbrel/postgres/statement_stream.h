#pragma once

#include <optional>
#include <string_view>

#include "whimbrel/base/error.h"
#include "whimbrel/base/source_position.h"

namespace whimbrel::postgres {

/// One statement to send.
struct StreamStatement {
  std::string_view text;    ///< Valid until the next call on the stream.
  SourcePosition position;  ///< Where its first character stands in the user's file.
  /// Every answer before it must have been read before it is sent: it stands before COPY and around
  /// whatever can change how later text is to be cut. Allows the sender to pipeline everything
  /// else.
  bool barrier_before = false;
  bool copy_from_stdin = false;  ///< The stream has its data: pull NextCopyData until it is empty.
};

/// Statements that are pulled one by one, so that a file of any length needs the memory of its
/// longest statement. `postgres` owns the interface and decides how to send; `engine` implements it
/// over the splitter. Not thread-safe.
class StatementStream {
 public:
  virtual ~StatementStream() = default;
  /// The next statement; nullopt at the end.
  virtual Result<std::optional<StreamStatement>> Next() = 0;
  /// The next piece of COPY data of the statement returned last; empty at its end. That statement's
  /// `text` stays valid meanwhile.
  virtual Result<std::string_view> NextCopyData() = 0;
  /// Called after each statement that came behind a barrier, with the session's value: how later
  /// text must be cut.
  virtual void OnStandardConformingStrings(bool on) = 0;
};

}  // namespace whimbrel::postgres
