#include "postgres/connect.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "postgres/resolve.h"
#include "postgres/server_error.h"
#include "postgres/text_list.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::postgres {
namespace {

using Keywords = std::map<std::string, std::string>;

/// A file that never is. (One that exists but is no plain file makes libpq complain on standard
/// error.)
constexpr const char* kNoFile = "/nonexistent/whimbrel";

PgError Failed(std::string message) {
  PgError error;
  error.connecting = true;
  error.message = std::move(message);
  return error;
}

PgError Interrupted(Interruption interruption) {
  PgError error = Failed(interruption == Interruption::kStopRequested
                             ? "connecting was stopped on request"
                             : "the deadline was reached while connecting");
  error.interruption = interruption;
  return error;
}

Keywords MakeKeywords(const ConnectionParameters& parameters, const ConnectOptions& options,
                      const Target& target) {
  // A dead peer is noticed in half a minute; a person's own settings win.
  Keywords keywords = {{"keepalives", "1"},
                       {"keepalives_idle", "15"},
                       {"keepalives_interval", "5"},
                       {"keepalives_count", "3"},
                       {"tcp_user_timeout", "30000"}};
  for (const auto& [key, value] : parameters.values) keywords[key] = value;
  if (!parameters.password.empty()) keywords["password"] = parameters.password.Reveal();
  if (parameters.trust == Trust::kCluster) {
    keywords["gssencmode"] = "disable";
    // Where nothing is given, libpq would look into the home directory. To verify a server it must
    // have a file, and its message about a missing one is clear.
    keywords["passfile"] = kNoFile;
    keywords.emplace("sslcert", kNoFile);
    if (!keywords["sslmode"].starts_with("verify")) keywords.emplace("sslrootcert", kNoFile);
  }
  if (!target.host.empty()) {
    keywords["host"] = target.host;
    keywords["port"] = target.port;
    if (!target.address.empty()) keywords["hostaddr"] = target.address;
  }
  keywords["application_name"] = options.application_name;
  keywords["client_encoding"] = "UTF8";
  return keywords;
}

ConnPtr Start(const Keywords& keywords) {
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : keywords) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  // 0: a dbname that looks like a connection string is a name all the same.
  return ConnPtr(PQconnectStartParams(keys.data(), values.data(), 0));
}

PgError ConnectError(PGconn* conn) {
  PgError error = ErrorFromConnectText(PQerrorMessage(conn));
  if (error.sql_state.empty() && PQconnectionNeedsPassword(conn) != 0) {
    error.sql_state = kInvalidPassword;
  }
  return error;
}

PgResult<ConnPtr> ConnectTo(const Keywords& keywords, const std::string& where, SteadyTime deadline,
                            const Interrupt& interrupt) {
  ConnPtr conn = Start(keywords);
  if (!conn) return tl::make_unexpected(Failed("out of memory"));
  // Has libpq write the SQLSTATE into its text: see ErrorFromConnectText.
  PQsetErrorVerbosity(conn.get(), PQERRORS_VERBOSE);
  auto status =
      PQstatus(conn.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED) return tl::make_unexpected(ConnectError(conn.get()));
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    switch (interrupt.Wait(PQsocket(conn.get()), events, deadline)) {
      case Wake::kStop:
        return tl::make_unexpected(Interrupted(Interruption::kStopRequested));
      case Wake::kLimit:
        return tl::make_unexpected(Interrupted(Interruption::kDeadlineReached));
      case Wake::kTimeout:
        return tl::make_unexpected(Failed("no answer in time from " + where));
      case Wake::kReady:
        break;
    }
    status = PQconnectPoll(conn.get());
  }
  return conn;
}

/// The shorter of the options' timeout and the user's connect_timeout (0: none).
std::chrono::seconds Timeout(const ConnectionParameters& parameters,
                             const ConnectOptions& options) {
  const auto found = parameters.values.find("connect_timeout");
  if (found == parameters.values.end()) return options.timeout;
  int seconds = 0;
  const std::string& text = found->second;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds <= 0 ? options.timeout : std::min(options.timeout, std::chrono::seconds(seconds));
}

/// Another address may do better, unless a server that can serve has refused us.
bool TryNextTarget(const PgError& error) {
  return error.interruption == Interruption::kNone &&
         (error.sql_state.empty() || error.sql_state == "57P03" || error.sql_state == "53300");
}

/// The last refusal speaks for all, in the words of each.
PgError Combine(const std::vector<PgError>& errors) {
  PgError last = errors.back();
  std::vector<std::string> messages;
  for (const PgError& error : errors) {
    if (std::ranges::find(messages, error.message) == messages.end()) {
      messages.push_back(error.message);
    }
  }
  last.message = CleanMessage(Join(messages, "; "));
  return last;
}

}  // namespace

PgResult<ConnPtr> Connect(const ConnectionParameters& parameters, const ConnectOptions& options,
                          const Interrupt& interrupt) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + Timeout(parameters, options);
  const CallLimits& limits = interrupt.limits();
  auto targets = ResolveTargets(parameters, std::min(deadline, limits.deadline), limits.stop);
  if (const Interruption reached = interrupt.Reached(); reached != Interruption::kNone) {
    return tl::make_unexpected(Interrupted(reached));
  }
  if (!targets) return tl::make_unexpected(std::move(targets).error());

  std::vector<PgError> errors;
  for (std::size_t i = 0; i < targets->size(); ++i) {
    const Target& target = (*targets)[i];
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto share = (deadline - now) / static_cast<std::int64_t>(targets->size() - i);
    const std::string where =
        target.host.empty() ? parameters.Describe() : target.host + ":" + target.port;
    auto conn = ConnectTo(MakeKeywords(parameters, options, target), where, now + share, interrupt);
    if (conn) return conn;
    errors.push_back(std::move(conn).error());
    if (!TryNextTarget(errors.back())) return tl::make_unexpected(std::move(errors.back()));
  }
  return tl::make_unexpected(Combine(errors));
}

void PinServer(ConnectionParameters& parameters, PGconn* conn) {
  const auto pin = [&](const char* key, const char* value) {
    if (value == nullptr || *value == '\0') {
      parameters.values.erase(key);
    } else {
      parameters.values[key] = value;
    }
  };
  pin("host", PQhost(conn));
  pin("hostaddr", PQhostaddr(conn));
  pin("port", PQport(conn));
}

}  // namespace whimbrel::postgres
