#include "controller/run_request.h"

#include <utility>

namespace whimbrel::controller {
namespace {

report::DatabaseRequest BuildDatabase(const DatabaseSpec& spec, Credentials credentials,
                                      report::Trust trust) {
  report::DatabaseRequest out;
  out.credentials = std::move(credentials.secret);
  out.connection = spec.connection;
  if (spec.secret) out.keys = spec.secret->keys;
  out.tls = {.mode = spec.tls.mode,
             .ca_pem = std::move(credentials.ca_pem),
             .client_certificate_pem = std::move(credentials.client_certificate_pem),
             .client_key_pem = std::move(credentials.client_key_pem)};
  out.trust = trust;
  out.role = spec.role;
  out.ready_timeout = spec.ready_timeout;
  out.extensions = spec.extensions;
  out.min_citus_workers = spec.min_citus_workers;
  return out;
}

}  // namespace

report::RunRequest BuildRunRequest(const DatabaseMigration& object, const RunState& run,
                                   std::shared_ptr<const migration::Source> source,
                                   Credentials credentials, report::Trust trust) {
  const Spec& spec = *object.spec;
  return {.run_id = run.id,
          .ns = object.metadata.key.ns,
          .name = object.metadata.key.name,
          .attempt = run.attempt,
          .source = std::move(source),
          .format = spec.source.format,
          .database = BuildDatabase(spec.database, std::move(credentials), trust),
          .history = spec.history,
          .execution = spec.execution.request,
          .target_version = spec.target_version};
}

}  // namespace whimbrel::controller
