#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/report/run_request.h"

namespace whimbrel::report {

/// Where the pod of a run finds what it needs: below one folder, read-only (design §6, Job per
/// attempt). The controller mounts it, `whimbrel runner` reads it; nothing else ties the two.
struct RunnerFiles {
  static constexpr std::string_view kRoot = "/etc/whimbrel";
  static constexpr std::string_view kTask = "task/task.json";      ///< Of kTaskAnnotation.
  static constexpr std::string_view kInline = "task/inline.json";  ///< Of kInlineAnnotation.
  /// `source/<i>/<key>`, with the i of RunnerTask::folders.
  static constexpr std::string_view kSource = "source";
  static constexpr std::string_view kArchive = "archive/archive.tar.gz";
  static constexpr std::string_view kCredentials = "credentials";  ///< A file for each key.
  static constexpr std::string_view kAuthority = "authority/ca.pem";
  static constexpr std::string_view kClientCertificate = "client/tls.crt";
  static constexpr std::string_view kClientKey = "client/tls.key";
};

/// Annotations of the pod, which the downward API writes into files.
inline constexpr std::string_view kTaskAnnotation = "whimbrel.dev/run-task";
/// `[{"name": …, "sql": …}]`, of spec.source.inline.
inline constexpr std::string_view kInlineAnnotation = "whimbrel.dev/inline-sql";

/// The keys of one ConfigMap, mounted at `source/<i>`.
struct MountedFolder {
  std::string origin;                  ///< For errors: `ConfigMap shop/orders-sql`.
  std::string directory;               ///< Put before each key; empty: none.
  std::vector<std::string> keys = {};  ///< That must be there; empty: whatever is mounted.

  friend bool operator==(const MountedFolder&, const MountedFolder&) = default;
};

/// What the pod of a run is told: a RunRequest without bytes and secrets, and which files are
/// mounted. Everything that it names but does not find is reported as missing, never ignored.
struct RunnerTask {
  static constexpr int kSchemaVersion = 1;

  /// Without `source`, credentials, PEM texts and conninfo; `database.keys` and `connection` count.
  /// `database.trust` is no part of it: in a pod it is Trust::kCluster, whatever anybody writes.
  RunRequest request;
  std::string source_digest;  ///< Of the files that were planned; another one is kSourceChanged.
  std::vector<MountedFolder> folders;
  std::string archive;  ///< Origin of the archive; empty: none.
  bool inline_files = false;
  std::string secret;     ///< Name of the Secret with the login; empty: none.
  std::string authority;  ///< Origin of the CA (`Secret shop/ca, key ca.crt`); empty: none.
  std::string client_certificate;  ///< Name of its Secret; empty: none.
};

[[nodiscard]] nlohmann::json ToJson(const RunnerTask& task);
/// kInvalidArgument: an unknown schema version (which is named), a field that is missing, of the
/// wrong type or of an unknown value. Unknown fields are ignored, so that an older runner can serve
/// a newer controller.
[[nodiscard]] Result<RunnerTask> RunnerTaskFromJson(const nlohmann::json& json);

}  // namespace whimbrel::report
