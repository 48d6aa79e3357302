#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "postgres/pq_handles.h"

namespace whimbrel::postgres {

/// From this size on a query is sent by SendLargeQuery: libpq copies a query twice (into its send
/// buffer, and to quote it in messages), beside the copy that its caller makes to end it with NUL.
inline constexpr std::size_t kLargeQuery = std::size_t{4} << 20;

/// Whether SendLargeQuery can write to this session: not where GSSAPI encrypts it.
[[nodiscard]] bool CanSendLargeQuery(PGconn* conn);

/// Sends one statement through the extended protocol, its text from where it lies and straight to
/// the socket or its TLS session: a Parse message of the unnamed statement, which libpq does not
/// know of, and then libpq's own Bind, Describe, Execute and Sync, whose answers it reads as those
/// of PQsendQueryPrepared (it steps over ParseComplete). libpq must have nothing to send, and must
/// not read in between: the server says nothing before the message is whole. `wait` waits until
/// the socket takes more (or, as `events` says, has something to read), and is false when the
/// session was given up. False when the message could not be sent whole: the session is broken.
[[nodiscard]] bool SendLargeQuery(PGconn* conn, std::string_view sql,
                                  const std::function<bool(short events)>& wait);

}  // namespace whimbrel::postgres
