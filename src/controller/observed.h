#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/job_facts.h"
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

/// The run that this process started for the resource, or that it follows: a Job goes on without
/// the controller that made it.
struct OwnRun {
  RunState state;                        ///< As it was written when the run began; a Job's: last.
  std::vector<ResolvedObject> resolved;  ///< Where its files came from.
  std::string uid;
  bool cancel_requested = false;  ///< By the annotation.
  SystemTime last_write{};        ///< Of status; for the throttle of progress.
  /// It came to nothing: its Job could not be made.
  std::optional<report::RunReport> failed_start;

  [[nodiscard]] bool is_job() const { return !state.job_name.empty(); }
};

/// What Job mode adds to an observation.
struct ObservedJobs {
  bool available = false;            ///< ControllerOptions::runner names an image.
  std::vector<JobFacts> jobs;        ///< All of the resource's, also of earlier runs.
  std::optional<Obstacle> obstacle;  ///< Why the pod of `Observed::run` does not start.
  bool image_missing = false;        ///< JobObservation::image_missing.
  std::string pod_name;              ///< Of `Observed::run`.
  bool started = true;               ///< SQL of `Observed::run` may have been executed.
  bool shows_progress = false;       ///< Its pod's log may be read.
  /// Something that no event tells of: look again then.
  std::optional<Duration> look_again;
  int next_number = 1;  ///< 1 + the highest n of status and of `jobs`.
  /// When a new Job may start: pods of earlier ones are still there (NextJobNotBefore).
  std::optional<SystemTime> not_before;
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
  ObservedJobs jobs;
};

}  // namespace whimbrel::controller
