#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bench/measured_process.h"
#include "support/kubelet_volume.h"
#include "support/pg_client.h"
#include "support/temp_dir.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/migration/archive.h"
#include "whimbrel/migration/source.h"
#include "whimbrel/report/runner_task.h"

namespace whimbrel::bench {

/// What the kubelet mounts for one run, and the command of its container.
class RunnerPod {
 public:
  /// One file, the key of a ConfigMap.
  static RunnerPod WithFile(const std::string& sql, const testing::PgTarget& target) {
    migration::MemorySourceBuilder files;
    if (!files.Add("001_first.sql", sql, "the benchmark")) Die("the task");
    RunnerPod pod(target);
    pod.task_.folders = {{.origin = "ConfigMap bench/first"}};
    const testing::KubeletVolume mounted(*pod.root_ / "source/0", {{"001_first.sql", sql}});
    pod.Describe(std::move(files));
    return pod;
  }
  static RunnerPod WithArchive(const std::string& tar_gz, const testing::PgTarget& target) {
    migration::MemorySourceBuilder files;
    if (!migration::AddArchive(tar_gz, "the benchmark", files)) Die("the archive");
    RunnerPod pod(target);
    pod.task_.archive = "ConfigMap bench/files, key migrations.tar.gz";
    const testing::KubeletVolume mounted(*pod.root_ / "archive", {{"archive.tar.gz", tar_gz}});
    pod.Describe(std::move(files));
    return pod;
  }

  [[nodiscard]] std::vector<std::string> Command() const {
    return {WHIMBREL_BINARY,
            "runner",
            "--log-level",
            "error",
            "--root",
            root_->path().string(),
            "--termination-log",
            (*root_ / "termination-log").string()};
  }

 private:
  explicit RunnerPod(const testing::PgTarget& target) {
    task_.request.run_id = NewUuid();
    task_.request.ns = "bench";
    task_.request.name = "first";
    task_.secret = "login";
    const testing::KubeletVolume mounted(*root_ / "credentials", {{"uri", target.Uri()}});
  }
  void Describe(migration::MemorySourceBuilder&& files) {
    task_.source_digest = std::move(files).Build()->digest;
    const testing::KubeletVolume mounted(*root_ / "task",
                                         {{"task.json", report::ToJson(task_).dump()}});
  }

  report::RunnerTask task_;
  std::unique_ptr<testing::TempDir> root_ = std::make_unique<testing::TempDir>();
};

}  // namespace whimbrel::bench
