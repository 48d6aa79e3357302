#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"
#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::report {

/// How far whoever wrote the connection data is trusted (design §5, Credentials).
enum class Trust { kCluster, kLocal };

/// Names of the keys in `credentials`; empty means the default name.
struct CredentialKeys {
  std::string uri, host, port, dbname, username, password;
};

/// `database.connection`: for logins without a password.
struct PasswordlessConnection {
  std::string host;
  int port = 5432;
  std::string dbname;
  std::string user;
};

/// TLS beside the connection data. PEM texts, already fetched; empty means not given.
struct TlsRequest {
  std::string
      mode;  ///< libpq's sslmode; empty: what the connection data says, else libpq's default.
  std::string ca_pem;
  std::string client_certificate_pem;
  Secret client_key_pem;
};

/// What of a DatabaseRequest is rotated by others while a run goes on.
struct Login {
  SecretMap credentials;
  TlsRequest tls;
};

struct DatabaseRequest {
  /// Exactly one of the three. `conninfo` is for the command line (--url-file); empty with
  /// Trust::kLocal: libpq's environment.
  SecretMap credentials;
  std::optional<PasswordlessConnection> connection;
  Secret conninfo;
  CredentialKeys keys;
  TlsRequest tls;
  /// Where the login is read anew (files of a mounted Secret): asked before each connection, and
  /// what it returns stands for `credentials` and `tls`. kNotFound: it is not there yet.
  /// Thread-safe. Empty: the login stays as it is.
  std::function<Result<Login>()> login_now = {};
  Trust trust = Trust::kCluster;
  std::string role;  ///< SET ROLE after connecting; empty: none.
  std::chrono::seconds ready_timeout{600};
  std::vector<std::string> extensions;
  int min_citus_workers = 0;
};

/// What to do with a tool's own history table that is found in the database.
enum class Adopt { kNever, kDetect, kRequire };

struct HistoryRequest {
  std::string schema = "whimbrel";
  std::string set = "default";
  std::string table;  ///< `[schema.]table[(column)]`; empty: the format's own, if it has one.
  Adopt adopt = Adopt::kDetect;
  std::string baseline_version;  ///< Empty: none.
};

enum class OutOfOrder { kReject, kApply, kSkip };

/// execution.transaction: how far one transaction reaches.
enum class TransactionPolicy {
  kPerMigration,  ///< One a file, where its statements allow that.
  kAll,           ///< One for all files that are pending; they have to allow it.
  kNone,          ///< Each statement on its own.
};

struct ExecutionRequest {
  TransactionPolicy transaction = TransactionPolicy::kPerMigration;
  OutOfOrder out_of_order = OutOfOrder::kReject;
  std::chrono::milliseconds lock_timeout{2000};
  std::chrono::seconds lock_budget{1800};
  std::chrono::milliseconds statement_timeout{900'000};
  std::chrono::seconds deadline{21'600};
};

/// One attempt to bring one database to the version that was asked for. A value: whoever holds it
/// can run it anywhere.
struct RunRequest {
  std::string run_id;  ///< UUID; unique.
  std::string ns;  ///< Of the resource; for names people see, never for identity in the database.
  std::string name;
  int attempt = 1;
  std::shared_ptr<const migration::Source> source;
  migration::Format format = migration::Format::kAuto;
  DatabaseRequest database;
  HistoryRequest history;
  ExecutionRequest execution;
  std::string target_version;  ///< Empty: the newest.
};

}  // namespace whimbrel::report
