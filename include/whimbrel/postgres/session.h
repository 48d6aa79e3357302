#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

/// `whimbrel/<first 8 of run_id>/<namespace>/<name>`: at most 63 bytes, the namespace cut to 24
/// (design §3, Session). What is not printable ASCII becomes `?`, as in the server.
[[nodiscard]] std::string ApplicationName(std::string_view run_id, std::string_view ns,
                                          std::string_view name);

/// Settings that every session of ours has, from its start and again after each file: the server
/// ends a session whose client died, froze or went away.
struct SessionSettings {
  std::string role;  ///< SET ROLE; empty: the login role.
};

/// The statements that apply them, each with its semicolon: to be sent along with others.
[[nodiscard]] std::string SessionSettingsSql(const Connection& connection,
                                             const SessionSettings& settings);
/// Applies them; one message.
PgResult<void> ApplySessionSettings(Connection& connection, const SessionSettings& settings);

/// Undoes whatever user SQL may have left in the session (design §3, "After each file"), releases
/// foreign session-level advisory locks, and applies the settings again; one message where there is
/// no such lock. Our own advisory locks stay: `kept_keys`. When user SQL has released one of those,
/// the session is closed and the error says so (not usable, outcome known): reconnect, lock, read.
PgResult<void> CleanSession(Connection& connection, const SessionSettings& settings,
                            std::span<const std::int64_t> kept_keys);

}  // namespace whimbrel::postgres
