#include "whimbrel/postgres/connection_parameters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

#include "postgres/pq_handles.h"
#include "postgres/text_list.h"

namespace whimbrel::postgres {
namespace {

/// What a tenant may say.
constexpr std::array<std::string_view, 9> kAllowed = {"host",
                                                      "port",
                                                      "dbname",
                                                      "user",
                                                      "password",
                                                      "sslmode",
                                                      "target_session_attrs",
                                                      "connect_timeout",
                                                      "channel_binding"};
/// What a tenant's string often holds and we set ourselves: dropped, so that it need not be edited.
constexpr std::array<std::string_view, 8> kOurs = {
    "application_name", "fallback_application_name", "client_encoding",  "keepalives",
    "keepalives_idle",  "keepalives_interval",       "keepalives_count", "tcp_user_timeout"};
/// Read by libpq although no connection option stands for them (fe-connect.c,
/// EnvironmentOptions; fe-misc.c).
constexpr std::array<const char*, 7> kMoreVariables = {
    "PGSERVICEFILE", "PGSYSCONFDIR", "PGDATESTYLE", "PGTZ",
    "PGGEQO",        "PGLOCALEDIR",  "PGREQUIRESSL"};
constexpr std::string_view kShape = "postgresql://user:password@host:5432/dbname";

using Values = std::map<std::string, std::string>;

std::string Quoted(std::string_view key) { return '"' + std::string(key) + '"'; }

/// Adds what `options` set and `values` do not have yet.
void Merge(const PQconninfoOption* options, Values* values) {
  for (; options != nullptr && options->keyword != nullptr; ++options) {
    if (options->val != nullptr && *options->val != '\0') {
      values->emplace(options->keyword, options->val);
    }
  }
}

ConnectionParameters MakeParameters(Values values, Trust trust) {
  ConnectionParameters parameters;
  parameters.trust = trust;
  if (const auto found = values.find("password"); found != values.end()) {
    parameters.password = Secret(std::move(found->second));
    values.erase(found);
  }
  parameters.values = std::move(values);
  return parameters;
}

std::optional<std::string> CheckHosts(const std::string& text) {
  const std::vector<std::string> hosts = Split(text, ',');
  if (hosts.empty()) return "no host is named";
  for (const std::string& host : hosts) {
    if (host.empty() || host.starts_with('/') || host.starts_with('@')) {
      return "the host must be a name or an address: a Unix socket is not allowed here";
    }
  }
  return std::nullopt;
}

std::optional<std::string> CheckPorts(const std::string& text) {
  for (const std::string& port : Split(text, ',')) {
    int number = 0;
    const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (code != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535) {
      return "the port must be a number from 1 to 65535";
    }
  }
  return std::nullopt;
}

/// What the values lack or must not have, in a cluster.
std::optional<std::string> Refusal(const Values& values) {
  for (const auto& [key, value] : values) {
    if (std::ranges::find(kAllowed, key) == kAllowed.end()) {
      return "the option " + Quoted(key) + " is not allowed here; allowed are " +
             Join({kAllowed.begin(), kAllowed.end()}, ", ");
    }
  }
  const auto value = [&](const char* key) {
    const auto found = values.find(key);
    return found == values.end() ? std::string() : found->second;
  };
  if (auto wrong = CheckHosts(value("host"))) return wrong;
  if (auto wrong = CheckPorts(value("port"))) return wrong;
  // libpq would fill both from the operating system's user.
  if (value("user").empty()) return "no user is named";
  if (value("dbname").empty()) return "no database is named";
  return std::nullopt;
}

Result<ConnectionParameters> Vet(Values values, Trust trust) {
  if (trust == Trust::kLocal) {
    // Else libpq's message would show it, and it may be a piece of a password.
    if (auto wrong = CheckPorts(values["port"])) {
      return Fail(ErrorKind::kInvalidArgument, *std::move(wrong));
    }
    if (values["port"].empty()) values.erase("port");
    if (!values.contains("service")) {
      const OptionsPtr environment(PQconndefaults());
      Merge(environment.get(), &values);
    }
    return MakeParameters(std::move(values), trust);
  }
  for (const std::string_view key : kOurs) values.erase(std::string(key));
  values.emplace("port", "5432");
  if (auto refusal = Refusal(values)) {
    return Fail(ErrorKind::kInvalidArgument, *std::move(refusal));
  }
  return MakeParameters(std::move(values), trust);
}

/// The name of an option of a URI that libpq does not know; empty when it cannot be told from a
/// part of a password (libpq's own message is of no use: it may quote the password).
std::string UnknownUriOption(std::string_view uri) {
  const std::size_t mark = uri.find('?');
  if (mark == std::string_view::npos || uri.find('@', mark) != std::string_view::npos) return "";
  const OptionsPtr options(PQconndefaults());
  for (const std::string& pair : Split(uri.substr(mark + 1), '&')) {
    const std::string key = pair.substr(0, pair.find('='));
    bool is_known = key == "ssl";
    for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
      is_known = is_known || key == option->keyword;
    }
    if (!is_known && key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos)
      return key;
  }
  return "";
}

bool IsUri(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

/// A raw @ or / in a password moves a piece of it into the host or the database's name, which
/// messages show. A second @ before the first slash, or one between it and the query, tells.
bool MayShowAPassword(std::string_view uri) {
  const std::string_view body = uri.substr(uri.find("://") + 3);
  const std::size_t slash = std::min(body.find('/'), body.size());
  const std::string_view authority = body.substr(0, slash);
  const std::string_view path = body.substr(slash);
  return std::ranges::count(authority, '@') > 1 ||
         path.substr(0, path.find('?')).find('@') != std::string_view::npos;
}

/// What is wrong with a string that libpq could not parse, or not as meant; without a piece of it.
std::string ParseFailure(std::string_view text) {
  const std::string shape = "; expected is " + std::string(kShape);
  if (text.starts_with("jdbc:")) return "it is a JDBC URL, which libpq does not read" + shape;
  if (!IsUri(text)) {
    if (text.find("://") != std::string_view::npos) return "it is a URL of another kind" + shape;
    return "it is neither a connection URI nor a list of keyword=value" + shape;
  }
  if (const std::string option = UnknownUriOption(text); !option.empty()) {
    return "it has the option " + Quoted(option) + ", which libpq does not know";
  }
  return "it is no valid connection URI; characters such as @ : / ? # % in the user name or the "
         "password must be percent-encoded" +
         shape;
}

std::string_view WithoutLineBreak(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

tl::unexpected<Error> NulByte() { return Fail(ErrorKind::kInvalidArgument, "it holds a NUL byte"); }

/// The error with the Secret's key before it.
Error About(std::string_view key, Error error) {
  error.message = "key " + Quoted(key) + " of the Secret: " + error.message;
  return error;
}

}  // namespace

std::string ConnectionParameters::Describe() const {
  const auto value = [&](const char* key) {
    const auto found = values.find(key);
    return found == values.end() ? std::string() : found->second;
  };
  std::string text = value("user");
  if (!text.empty()) text += '@';
  const std::vector<std::string> hosts = Split(value("host"), ',');
  const std::vector<std::string> ports = Split(value("port"), ',');
  if (hosts.empty()) text += "(libpq's default host)";
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (i > 0) text += ',';
    text += hosts[i].find(':') == std::string::npos ? hosts[i] : '[' + hosts[i] + ']';
    if (!ports.empty()) text += ':' + ports[std::min(i, ports.size() - 1)];
  }
  return text + '/' + value("dbname");
}

Result<ConnectionParameters> ParametersFromConninfo(const Secret& conninfo, Trust trust) {
  const std::string text(WithoutLineBreak(conninfo.Reveal()));
  if (text.find('\0') != std::string_view::npos) return NulByte();
  if (text.empty()) return Fail(ErrorKind::kInvalidArgument, "it is empty");
  char* message = nullptr;
  const OptionsPtr options(PQconninfoParse(text.c_str(), &message));
  const PqString message_owner(message);
  if (!options || (IsUri(text) && MayShowAPassword(text))) {
    return Fail(ErrorKind::kInvalidArgument, ParseFailure(text));
  }
  Values values;
  Merge(options.get(), &values);
  return Vet(std::move(values), trust);
}

Result<ConnectionParameters> ParametersFromSecret(const SecretMap& secret,
                                                  const SecretKeyNames& keys, Trust trust) {
  if (const auto uri = secret.find(keys.uri); uri != secret.end()) {
    auto parameters = ParametersFromConninfo(uri->second, trust);
    if (!parameters) return tl::make_unexpected(About(keys.uri, std::move(parameters).error()));
    return parameters;
  }
  struct Entry {
    const char* keyword;
    const std::string& key;
    bool required;
  };
  const std::array<Entry, 5> entries = {{{"host", keys.host, true},
                                         {"port", keys.port, false},
                                         {"dbname", keys.dbname, true},
                                         {"user", keys.username, true},
                                         // A person's own machine may have it in ~/.pgpass.
                                         {"password", keys.password, trust == Trust::kCluster}}};
  Values values;
  for (const Entry& entry : entries) {
    const auto found = secret.find(entry.key);
    if (found == secret.end()) {
      if (!entry.required) continue;
      const std::string instead = entry.key == keys.host ? " (nor " + Quoted(keys.uri) + ")" : "";
      return Fail(ErrorKind::kNotFound, "the Secret has no key " + Quoted(entry.key) + instead);
    }
    const std::string_view value = WithoutLineBreak(found->second.Reveal());
    if (value.find('\0') != std::string_view::npos) {
      return tl::make_unexpected(About(entry.key, NulByte().value()));
    }
    if (!value.empty()) values.emplace(entry.keyword, value);
  }
  return Vet(std::move(values), trust);
}

ConnectionParameters ParametersFromEnvironment() {
  Values values;
  const OptionsPtr environment(PQconndefaults());
  Merge(environment.get(), &values);
  return MakeParameters(std::move(values), Trust::kLocal);
}

void ClearLibpqEnvironment() {
  const OptionsPtr options(PQconndefaults());
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    if (option->envvar != nullptr) unsetenv(option->envvar);
  }
  for (const char* variable : kMoreVariables) unsetenv(variable);
}

}  // namespace whimbrel::postgres
