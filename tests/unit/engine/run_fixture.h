#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/postgres_server.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/engine/in_process_runner.h"
#include "whimbrel/migration/source.h"
#include "whimbrel/report/run_request.h"

namespace whimbrel::engine {

using Files = std::vector<std::pair<std::string, std::string>>;

inline std::shared_ptr<const migration::Source> SourceOf(const Files& files) {
  migration::MemorySourceBuilder builder;
  for (const auto& [path, text] : files) {
    Result<void> added = builder.Add(path, text, "a test");
    if (!added) throw std::runtime_error(added.error().ToString());
  }
  return std::move(builder).Build();
}

/// A request for one database, with short waits.
inline report::RunRequest RequestFor(const whimbrel::testing::PgTarget& target,
                                     const Files& files) {
  report::RunRequest request;
  request.run_id = NewUuid();
  request.ns = "test";
  request.name = "run";
  request.source = SourceOf(files);
  request.database.credentials = {{"host", Secret(target.host)},
                                  {"port", Secret(std::to_string(target.port))},
                                  {"dbname", Secret(target.dbname)},
                                  {"username", Secret(target.user)},
                                  {"password", Secret(target.password)}};
  request.execution.lock_timeout = std::chrono::milliseconds(200);
  return request;
}

inline report::RunReport Execute(const report::RunRequest& request, std::stop_token stop = {}) {
  return RunNow(request, std::move(stop), [](const report::Progress&) {});
}

/// How a run ended, in one line.
inline std::string Ending(const report::RunReport& report) {
  if (report.succeeded) return "Succeeded " + report.current_version;
  return std::string(report::ToString(report.failure->reason)) + " " + report.failure->version +
         (report.transient ? " transient" : "") + (report.uncounted ? " uncounted" : "");
}

}  // namespace whimbrel::engine
