#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"
#include "whimbrel/controller/api.h"
#include "whimbrel/migration/source.h"
#include "whimbrel/report/reason.h"
#include "whimbrel/report/runner.h"

namespace whimbrel::controller {

/// Something that must change before a run can start.
struct Obstacle {
  report::Reason reason = report::Reason::kInternalError;
  std::string message;
};

/// The files as they are now.
struct GatheredSource {
  std::shared_ptr<const migration::Source> source;
  std::vector<ResolvedObject> resolved;
};
using SourceState = Result<GatheredSource, Obstacle>;

/// What a login needs, read for one attempt.
struct Credentials {
  SecretMap secret;  ///< Empty where the spec names a connection without a password.
  std::string ca_pem;
  std::string client_certificate_pem;
  Secret client_key_pem;
};
using CredentialsState = Result<Credentials, Obstacle>;

/// The run that this process started for the resource.
struct OwnRun {
  RunState state;                        ///< As it was written when the run began.
  std::vector<ResolvedObject> resolved;  ///< Where its files came from.
  std::string uid;
  bool cancel_requested = false;  ///< By the annotation.
  SystemTime last_write{};        ///< Of status; for the throttle of progress.
};

/// Everything that one pass knows; Decide looks at nothing else.
struct Observed {
  DatabaseMigration object;
  std::optional<OwnRun> run;
  report::RunStatus run_status;  ///< Of `run`.
  /// The run in status is none of ours, has no end, and nobody can be working on it any more.
  bool foreign_run_lost = false;
  /// Absent while it does not matter: a run goes on, or the spec is not understood.
  std::optional<SourceState> source;
  /// Absent until Decide asked for them.
  std::optional<CredentialsState> credentials;
  std::string new_run_id;  ///< For the run that Decide may start.
  double jitter = 0;       ///< Uniform in [0, 1).
  std::chrono::seconds resync{600};
  std::chrono::seconds source_timeout{300};
  bool jobs_in_process = false;  ///< ControllerOptions::jobs_in_process.
};

}  // namespace whimbrel::controller
