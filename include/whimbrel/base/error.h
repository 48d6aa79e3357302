#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "whimbrel/base/source_position.h"

namespace whimbrel {

/// What a caller may do about an error; chosen by that alone, never by where it arose. Failures
/// that PostgreSQL or the Kubernetes API report have richer types of their own (postgres::PgError,
/// kube::ApiError), which carry what those worlds say.
enum class ErrorKind {
  kInvalidArgument,  ///< The input is wrong; the same input will fail again. A person must edit it.
  kNotFound,         ///< Something that was named is not there; it may appear later.
  kAlreadyExists,    ///< Something of that name is there already.
  kConflict,         ///< Somebody else changed it in the meantime: read again, decide again.
  kPermissionDenied,  ///< We know who is asking, and it may not.
  kUnauthenticated,   ///< The credentials are missing or not accepted.
  kUnavailable,       ///< The other side cannot be reached now; try again later.
  kDeadlineExceeded,  ///< Our own limit of time ended it.
  kCancelled,         ///< We were asked to stop.
  kSourceChanged,     ///< Bytes that were read twice were not the same.
  kInternal,          ///< A bug of ours, or an answer that makes no sense.
};

[[nodiscard]] std::string_view ToString(ErrorKind kind);

/// An error as a value. `message` is one sentence for a person: what, where, what to do. It never
/// holds a secret (see redact.h).
struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
  std::optional<SourcePosition> position = std::nullopt;

  /// The message, after the position where there is one.
  [[nodiscard]] std::string ToString() const;
};

/// A value or an error. Public functions that can fail for a reason outside the program return it;
/// exceptions come only from libraries and are turned into errors where they arise.
template <class T, class E = Error>
using Result = tl::expected<T, E>;

[[nodiscard]] inline tl::unexpected<Error> Fail(ErrorKind kind, std::string message) {
  return tl::make_unexpected(Error{.kind = kind, .message = std::move(message)});
}
[[nodiscard]] inline tl::unexpected<Error> Fail(ErrorKind kind, std::string message,
                                                SourcePosition where) {
  return tl::make_unexpected(
      Error{.kind = kind, .message = std::move(message), .position = std::move(where)});
}

}  // namespace whimbrel
