#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "whimbrel/migration/source.h"
#include "whimbrel/report/run_report.h"
#include "whimbrel/report/runner_task.h"

namespace whimbrel::cli {

/// What the pod of a run finds below one folder (report::RunnerFiles). Everything is read anew at
/// each call. Thread-safe.
class RunnerMount {
 public:
  explicit RunnerMount(std::string root) : root_(std::move(root)) {}

  /// kNotFound, kInvalidArgument: whoever made the pod did not say what to do.
  [[nodiscard]] Result<report::RunnerTask> ReadTask() const;

  /// All files of the task, in memory. The failure's reason: kSourceNotFound with everything that
  /// is missing; kSourceChanged where the bytes are others than those that were planned;
  /// kInvalidSource.
  [[nodiscard]] Result<std::shared_ptr<const migration::Source>, report::RunReport> ReadSource(
      const report::RunnerTask& task) const;

  /// What the Secrets hold now. kNotFound names what is missing.
  [[nodiscard]] Result<report::Login> ReadLogin(const report::RunnerTask& task) const;

 private:
  class SourceReader;

  [[nodiscard]] Result<void> AddAll(const report::RunnerTask& task, SourceReader& reader) const;
  [[nodiscard]] Result<void> ReadClientCertificate(const report::RunnerTask& task,
                                                   report::TlsRequest& tls) const;
  [[nodiscard]] std::string PathOf(std::string_view name) const {
    return root_ + "/" + std::string(name);
  }
  /// `name` is `folder/key`; kNotFound says that `origin` does not exist.
  [[nodiscard]] Result<std::string> ReadFile(std::string_view name,
                                             const std::string& origin) const;

  const std::string root_;
};

}  // namespace whimbrel::cli
