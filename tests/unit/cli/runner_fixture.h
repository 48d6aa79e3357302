#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/kubelet_volume.h"
#include "support/postgres_server.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/migration/source.h"
#include "whimbrel/report/run_report.h"
#include "whimbrel/report/runner_task.h"

namespace whimbrel::cli {

using Keys = whimbrel::testing::KubeletVolume::Keys;

/// The digest that a controller would plan with for these files.
inline std::string DigestOf(const Keys& files) {
  migration::MemorySourceBuilder builder;
  for (const auto& [path, bytes] : files) EXPECT_TRUE(builder.Add(path, bytes, "a test"));
  return std::move(builder).Build()->digest;
}

inline Keys CredentialsFor(const whimbrel::testing::PgTarget& target) {
  return {{"host", target.host},
          {"port", std::to_string(target.port)},
          {"dbname", target.dbname},
          {"username", target.user},
          {"password", target.password}};
}

/// What the pod of a run finds, as the kubelet mounts it, and the runner that is started in it.
class RunnerPod {
 public:
  /// One ConfigMap with these files, and a Secret that leads to `target`.
  RunnerPod(const Keys& files, const whimbrel::testing::PgTarget& target) {
    task.request.run_id = NewUuid();
    task.request.ns = "shop";
    task.request.name = "orders";
    task.request.execution.lock_timeout = std::chrono::milliseconds(200);
    task.request.database.ready_timeout = std::chrono::seconds(0);
    task.folders = {{.origin = "ConfigMap shop/orders-sql", .directory = ""}};
    task.source_digest = DigestOf(files);
    task.secret = "orders-db";
    Mount("source/0", files);
    Mount("credentials", CredentialsFor(target));
    Touch();
  }

  whimbrel::testing::KubeletVolume Mount(const std::string& folder, const Keys& keys) {
    return whimbrel::testing::KubeletVolume(root() / folder, keys);
  }
  void Unmount(const std::string& folder) { std::filesystem::remove_all(root() / folder); }

  /// Without a task that was written before, that of `task`.
  whimbrel::testing::SpawnOptions Command() {
    if (!std::filesystem::exists(root() / "task")) {
      Mount("task", {{"task.json", report::ToJson(task).dump()}, {"inline.json", inline_files}});
    }
    return {.argv = {WHIMBREL_BINARY, "runner", "--root", root().string(), "--termination-log",
                     termination_log().string()}};
  }
  whimbrel::testing::ProcessResult Run() { return whimbrel::testing::RunProcess(Command()); }

  [[nodiscard]] std::filesystem::path root() const { return folder_ / "etc"; }
  [[nodiscard]] std::filesystem::path termination_log() const {
    return folder_ / "termination-log";
  }
  [[nodiscard]] std::string Message() const {
    return whimbrel::testing::ReadFile(termination_log());
  }
  /// What the controller reads.
  [[nodiscard]] report::RunReport Report() const {
    const std::string text = Message();
    EXPECT_LE(text.size(), 4096U);
    const auto read = report::RunReportFromJson(nlohmann::json::parse(text, nullptr, false));
    EXPECT_TRUE(read) << (read ? "" : read.error().ToString()) << "\n" << text;
    return read.value_or(report::RunReport());
  }
  /// `Succeeded 002`, `MigrationFailed 002`, `Cancelled`, with `transient` and `uncounted`.
  [[nodiscard]] std::string Ending() const {
    const report::RunReport report = Report();
    if (report.succeeded) return "Succeeded " + report.current_version;
    const report::Failure failure = report.failure.value_or(report::Failure());
    return std::string(report::ToString(failure.reason)) +
           (failure.version.empty() ? "" : " " + failure.version) +
           (report.transient ? " transient" : "") + (report.uncounted ? " uncounted" : "");
  }
  [[nodiscard]] std::string FailureMessage() const {
    return Report().failure.value_or(report::Failure()).message;
  }

  report::RunnerTask task;
  std::string inline_files = "[]";

 private:
  /// The kubelet makes an empty file.
  void Touch() { folder_.Write("termination-log", ""); }

  whimbrel::testing::TempDir folder_;
};

/// Each line of a log, which must be JSON by itself.
inline std::vector<nlohmann::json> LinesOf(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(nlohmann::json::parse(line, nullptr, false));
    EXPECT_TRUE(lines.back().is_object()) << line;
  }
  return lines;
}

}  // namespace whimbrel::cli
