#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/backoff.h"
#include "whimbrel/base/error.h"
#include "whimbrel/controller/status.h"
#include "whimbrel/kube/resource.h"
#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/report/run_request.h"

namespace whimbrel::controller {

/// `databasemigrations.whimbrel.dev`, v1alpha1 (crds/, design §5).
[[nodiscard]] const kube::Resource& DatabaseMigrations();

/// Read, never written; consumed by recording their value in status.
inline constexpr std::string_view kRetryAnnotation = "whimbrel.dev/retry-requested-at";
inline constexpr std::string_view kCancelAnnotation = "whimbrel.dev/cancel-requested-at";

/// The one owner of what we write on the API server.
inline constexpr std::string_view kFieldManager = "whimbrel";

struct ConfigMapSource {
  std::string name;
  std::vector<std::string> keys;  ///< Empty: all.
  std::string directory;          ///< Put before each key; empty: none.

  friend bool operator==(const ConfigMapSource&, const ConfigMapSource&) = default;
};

/// A tar.gz in binaryData of a ConfigMap.
struct ArchiveSource {
  std::string config_map;
  std::string key;

  friend bool operator==(const ArchiveSource&, const ArchiveSource&) = default;
};

struct InlineFile {
  std::string name;
  std::string sql;

  friend bool operator==(const InlineFile&, const InlineFile&) = default;
};

struct SourceSpec {
  std::vector<ConfigMapSource> config_maps;
  std::optional<ArchiveSource> archive;
  std::vector<InlineFile> inline_files;
  migration::Format format = migration::Format::kAuto;
  std::string digest;  ///< `sha256:…`; empty: whatever the source holds.
};

struct SecretRef {
  std::string name;
  report::CredentialKeys keys;
};

/// A key of a ConfigMap or of a Secret.
struct KeyRef {
  enum class Kind { kConfigMap, kSecret };
  Kind kind = Kind::kConfigMap;
  std::string name;
  std::string key;
};

struct TlsSpec {
  std::string mode;  ///< libpq's sslmode; empty: as the connection data says.
  std::optional<KeyRef> ca;
  std::string client_certificate_secret;  ///< With `tls.crt` and `tls.key`; empty: none.
};

struct DatabaseSpec {
  std::optional<SecretRef> secret;
  std::optional<report::PasswordlessConnection> connection;
  TlsSpec tls;
  std::string role;
  std::chrono::seconds ready_timeout{600};
  std::vector<std::string> extensions;
  int min_citus_workers = 0;
};

enum class ExecutionMode { kJob, kInProcess };

struct RetrySpec {
  int limit = 3;
  Backoff backoff{std::chrono::seconds(5), std::chrono::seconds(300)};
};

struct ExecutionSpec {
  ExecutionMode mode = ExecutionMode::kJob;
  report::ExecutionRequest request;
  RetrySpec retry;
};

struct TolerationSpec {
  std::string key;  ///< Empty: all.
  std::string op;   ///< `Exists` or `Equal`; empty: the latter.
  std::string value;
  std::string effect;  ///< Empty: all.
  std::optional<std::int64_t> seconds;
};

/// Quantities as Kubernetes spells them; empty: not set.
struct ResourceAmounts {
  std::string cpu;
  std::string memory;
  std::string ephemeral_storage;
};

/// What may be said about the pods of runs: an allow-list, never a pod template (design §5).
struct JobSpec {
  std::string service_account;  ///< Empty: the namespace's default. Its token is never mounted.
  std::map<std::string, std::string> pod_labels;
  std::map<std::string, std::string> pod_annotations;
  ResourceAmounts requests;
  ResourceAmounts limits;
  std::map<std::string, std::string> node_selector;
  std::vector<TolerationSpec> tolerations;
  std::string priority_class;
  std::string runtime_class;
  std::vector<std::string> image_pull_secrets;
  int successful_history_limit = 1;
  int failed_history_limit = 3;
  std::optional<std::int64_t> ttl_seconds_after_finished;
};

struct Spec {
  bool suspend = false;
  SourceSpec source;
  DatabaseSpec database;
  report::HistoryRequest history;
  ExecutionSpec execution;
  JobSpec job;
  std::string target_version;  ///< Empty: the newest (`Latest`).
};

struct Metadata {
  kube::ObjectKey key;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  bool deleting = false;
  std::string retry_request;   ///< Value of kRetryAnnotation; empty: none, or not RFC 3339.
  std::string cancel_request;  ///< Value of kCancelAnnotation; the same.
};

/// One resource as one pass sees it.
struct DatabaseMigration {
  Metadata metadata;
  Result<Spec> spec;  ///< The error names the field, for status (`InvalidSpec`).
  Status status;
};

/// Never fails: whatever is no object is an empty one, and a spec that this version does not
/// understand (only a newer CRD lets it in) is an error in `spec`.
[[nodiscard]] DatabaseMigration ParseDatabaseMigration(const nlohmann::json& object);
[[nodiscard]] Result<Spec> ParseSpec(const nlohmann::json& spec);

/// Where a resource stands, for whoever waits for it.
enum class Standing {
  kReady,
  kStalled,
  kSuspended,
  /// For somebody to add or to mend something beside the resource: a ConfigMap, a Secret, a key,
  /// the files of the digest, a login, a database. Tried again meanwhile.
  kWaitingForObjects,
  kWorking,  ///< All else, also when status is older than the spec.
};

/// What is kept in memory of every resource: what wakes it, and where it stands.
struct CachedMigration {
  std::string uid;
  std::string resource_version;
  std::vector<std::string> config_maps;  ///< Names, in the resource's own namespace.
  Standing standing = Standing::kWorking;
};
[[nodiscard]] CachedMigration Summarize(const nlohmann::json& object);

}  // namespace whimbrel::controller
