#include "engine/database_connector.h"

#include <utility>

#include "whimbrel/base/redact.h"
#include "whimbrel/postgres/readiness.h"
#include "whimbrel/postgres/session.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::engine {

using postgres::Connection;
using postgres::ConnectionParameters;
using postgres::NotReady;
using postgres::PgError;
using report::Progress;
using report::Reason;

namespace {

/// invalid_parameter_value: SET ROLE to a role that does not exist.
constexpr std::string_view kUnknownRole = "22023";
constexpr Backoff kReadyPolling{std::chrono::milliseconds(250), std::chrono::seconds(5)};

postgres::SecretKeyNames KeyNames(const report::CredentialKeys& keys) {
  postgres::SecretKeyNames names;
  const auto set = [](std::string& name, const std::string& wanted) {
    if (!wanted.empty()) name = wanted;
  };
  set(names.uri, keys.uri);
  set(names.host, keys.host);
  set(names.port, keys.port);
  set(names.dbname, keys.dbname);
  set(names.username, keys.username);
  set(names.password, keys.password);
  return names;
}

ConnectionParameters FromPasswordless(const report::PasswordlessConnection& from,
                                      postgres::Trust trust) {
  ConnectionParameters parameters;
  parameters.trust = trust;
  parameters.values = {{"host", from.host},
                       {"port", std::to_string(from.port)},
                       {"dbname", from.dbname},
                       {"user", from.user}};
  return parameters;
}

/// Failures of the login itself: waiting inside the run would only hide them.
bool IsOwnReason(const PgError& error) {
  return error.sql_state == postgres::kInvalidPassword ||
         error.sql_state == postgres::kInvalidAuthorization ||
         error.sql_state == postgres::kInvalidCatalogName ||
         error.sql_state == postgres::kInsufficientPrivilege;
}

RunFailure NotReadyInTime(const std::string& why) {
  RunFailure out;
  out.failure.reason = Reason::kWaitingForDatabase;
  out.failure.message = TruncateUtf8("the database is not ready: " + why, 1024);
  out.transient = true;
  out.uncounted = true;
  return out;
}

/// One try. The string is why the database is not ready yet; waiting may help.
class ReadyProbe {
 public:
  ReadyProbe(const RunContext& context, const ConnectionParameters& parameters)
      : context_(context), parameters_(parameters) {}

  RunResult<std::variant<Connection, std::string>> Try() {
    const report::RunRequest& request = context_.request;
    postgres::PgResult<Connection> connection = Connection::Open(
        parameters_,
        {.application_name = postgres::ApplicationName(request.run_id, request.ns, request.name),
         .limits = context_.limits});
    if (!connection) return Explain(connection.error(), "connecting to " + parameters_.Describe());
    if (auto set = postgres::ApplySessionSettings(*connection, {.role = request.database.role});
        !set) {
      return request.database.role.empty() ? Explain(set.error(), "preparing the session")
                                           : ExplainRole(set.error());
    }
    postgres::PgResult<postgres::Readiness> ready = postgres::CheckReadiness(
        *connection, {.extensions = request.database.extensions,
                      .min_citus_workers = request.database.min_citus_workers});
    if (!ready) return Explain(ready.error(), "asking whether the database is ready");
    if (ready->reason == NotReady::kReadOnly) return tl::make_unexpected(ReadOnly(ready->message));
    if (ready->reason != NotReady::kNone)
      return std::variant<Connection, std::string>(ready->message);
    return std::variant<Connection, std::string>(std::move(*connection));
  }

 private:
  RunResult<std::variant<Connection, std::string>> Explain(const PgError& error,
                                                           const std::string& doing) const {
    const bool waits =
        error.interruption == postgres::Interruption::kNone && !IsOwnReason(error) &&
        (error.connecting || postgres::Judge(error) != postgres::Verdict::kPermanent);
    if (!waits) return tl::make_unexpected(FromPgError(error, doing));
    return std::variant<Connection, std::string>(doing + ": " + error.message);
  }

  RunResult<std::variant<Connection, std::string>> ExplainRole(const PgError& error) const {
    const std::string& role = context_.request.database.role;
    auto explained = Explain(error, "SET ROLE " + role);
    if (explained) return explained;
    report::Failure& failure = explained.error().failure;
    if (failure.reason == Reason::kPermissionDenied) {
      const auto user = parameters_.values.find("user");
      const std::string login = user == parameters_.values.end()
                                    ? std::string("the login role")
                                    : postgres::QuoteIdentifier(user->second);
      failure.hint = "let an administrator run: GRANT " + postgres::QuoteIdentifier(role) + " TO " +
                     login + ";";
    } else if (error.sql_state == kUnknownRole) {
      failure.reason = Reason::kInvalidSpec;
      failure.hint = "create the role, or change database.role";
    }
    return explained;
  }

  static RunFailure ReadOnly(const std::string& message) {
    RunFailure out;
    out.failure.reason = Reason::kReadOnlyDatabase;
    out.failure.message = message;
    return out;
  }

  const RunContext& context_;
  const ConnectionParameters& parameters_;
};

Result<ConnectionParameters> WithoutTls(const report::DatabaseRequest& database,
                                        const SecretMap& credentials) {
  const postgres::Trust trust =
      database.trust == report::Trust::kLocal ? postgres::Trust::kLocal : postgres::Trust::kCluster;
  if (database.connection) return FromPasswordless(*database.connection, trust);
  if (!database.conninfo.empty()) return postgres::ParametersFromConninfo(database.conninfo, trust);
  if (!credentials.empty()) {
    return postgres::ParametersFromSecret(credentials, KeyNames(database.keys), trust);
  }
  if (database.trust == report::Trust::kLocal) return postgres::ParametersFromEnvironment();
  return Fail(ErrorKind::kInvalidArgument, "the request names no database");
}

RunFailure FromLoginError(const Error& error) {
  RunFailure out = FromSourceError(error, "");
  switch (error.kind) {
    case ErrorKind::kNotFound:
      out.failure.reason = Reason::kSecretNotFound;
      out.transient = true;
      out.uncounted = true;
      break;
    case ErrorKind::kInvalidArgument:
      out.failure.reason = Reason::kInvalidSpec;
      break;
    default:  // Nothing that an edit of the resource would mend.
      out.failure.reason = Reason::kInternalError;
  }
  return out;
}

}  // namespace

Result<ConnectionParameters> ToParameters(const report::DatabaseRequest& database) {
  Result<report::Login> login =
      database.login_now ? database.login_now() : report::Login{database.credentials, database.tls};
  if (!login) return tl::make_unexpected(std::move(login).error());
  Result<ConnectionParameters> parameters = WithoutTls(database, login->credentials);
  if (!parameters) return parameters;
  const report::TlsRequest& tls = login->tls;
  Result<void> added =
      postgres::AddTls(*parameters, {.mode = tls.mode,
                                     .ca_pem = tls.ca_pem,
                                     .client_certificate_pem = tls.client_certificate_pem,
                                     .client_key_pem = tls.client_key_pem});
  if (!added) return tl::make_unexpected(added.error());
  return parameters;
}

ConnectionParameters ParametersBeside(const ConnectionParameters& main,
                                      const report::DatabaseRequest& database) {
  if (!database.login_now) return main;
  Result<ConnectionParameters> now = ToParameters(database);
  if (!now) return main;
  for (const char* of_server : {"host", "hostaddr", "port", "dbname"}) {
    const auto found = main.values.find(of_server);
    now->values.erase(of_server);
    if (found != main.values.end()) now->values.insert(*found);
  }
  return *std::move(now);
}

RunResult<Connection> ConnectWhenReady(RunContext& context) {
  const SteadyTime patience_ends =
      context.clock.SteadyNow() + context.request.database.ready_timeout;
  context.progress.Enter(Progress::Phase::kConnecting);
  for (int tries = 0;; ++tries) {
    const Result<ConnectionParameters> parameters = ToParameters(context.request.database);
    if (!parameters) return tl::make_unexpected(FromLoginError(parameters.error()));
    auto tried = ReadyProbe(context, *parameters).Try();
    if (!tried) return tl::make_unexpected(tried.error());
    if (auto* connection = std::get_if<Connection>(&*tried)) return std::move(*connection);
    const std::string& why = std::get<std::string>(*tried);
    if (context.clock.SteadyNow() >= patience_ends) return tl::make_unexpected(NotReadyInTime(why));
    context.progress.Enter(Progress::Phase::kWaitingForDatabase, why);
    const Duration wait =
        kReadyPolling.Ceiling(tries) / 2 + kReadyPolling.FullJitter(tries, context.random) / 2;
    if (auto slept = context.Sleep(wait, "waiting for the database"); !slept)
      return tl::make_unexpected(slept.error());
  }
}

}  // namespace whimbrel::engine
