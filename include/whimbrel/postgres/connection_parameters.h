#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"

namespace whimbrel::postgres {

/// How far the author of a connection string is trusted (design §5, Credentials).
enum class Trust {
  /// Tenant input: only host, port, dbname, user, password, sslmode, target_session_attrs,
  /// connect_timeout and channel_binding; no file paths, services, `options`, Unix sockets; libpq's
  /// PG* environment and password file have no effect.
  kCluster,
  /// A person's own machine: everything that libpq understands, PG* and ~/.pgpass included.
  kLocal,
};

/// The names of the keys in a Secret; the defaults are CloudNativePG's and those of the Service
/// Binding specification.
struct SecretKeyNames {
  std::string uri = "uri";
  std::string host = "host";
  std::string port = "port";
  std::string dbname = "dbname";
  std::string username = "username";
  std::string password = "password";
};

class MemoryFile;

/// Everything that libpq needs to open a session, already vetted.
struct ConnectionParameters {
  std::map<std::string, std::string> values;  ///< libpq keyword → value; never the password.
  Secret password;
  Trust trust = Trust::kCluster;
  std::vector<std::shared_ptr<const MemoryFile>> files;  ///< That `values` name; see AddTls.

  /// `user@host:port/dbname`, for messages; never a password.
  [[nodiscard]] std::string Describe() const;
};

/// From a Secret's map: `uri` where present, else host, port (5432), dbname, username, password.
/// One line break at the end of a value is dropped: editors and `echo` put it there. A missing key
/// is kNotFound (it may appear later), a refused one kInvalidArgument; both are named, no value
/// ever is.
[[nodiscard]] Result<ConnectionParameters> ParametersFromSecret(const SecretMap& secret,
                                                                const SecretKeyNames& keys,
                                                                Trust trust);

/// From a connection URI or keyword/value string, under the same rules.
[[nodiscard]] Result<ConnectionParameters> ParametersFromConninfo(const Secret& conninfo,
                                                                  Trust trust);

/// From libpq's environment alone (Trust::kLocal).
[[nodiscard]] ConnectionParameters ParametersFromEnvironment();

/// TLS as a resource asks for it beside its connection data. Empty texts are not given.
struct TlsSettings {
  std::string mode;  ///< libpq's sslmode; wins over the connection data's.
  std::string ca_pem;
  std::string client_certificate_pem;
  Secret client_key_pem;
};

/// Adds them. libpq reads certificates only from files: the texts become files in memory, for this
/// process alone, that vanish with the last copy of the parameters.
[[nodiscard]] Result<void> AddTls(ConnectionParameters& parameters, const TlsSettings& tls);

/// Removes libpq's environment variables from this process, so that nothing of the pod's
/// environment leaks into a tenant's connection. Call it once, before threads start, wherever
/// Trust::kCluster is used.
void ClearLibpqEnvironment();

}  // namespace whimbrel::postgres
