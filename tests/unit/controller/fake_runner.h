#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "whimbrel/report/runner.h"

namespace whimbrel::controller::testing {

/// Ends runs as a script says. A run that the script says nothing about goes on until End or
/// Cancel. Thread-safe.
class FakeRunner final : public report::Runner {
 public:
  using Script = std::function<std::optional<report::RunReport>(const report::RunRequest&)>;

  explicit FakeRunner(Script script = {}) : script_(std::move(script)) {}

  void SetScript(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }

  Result<void> Start(report::RunRequest request) override {
    const std::string id = request.run_id;
    std::optional<report::RunReport> report;
    {
      const std::lock_guard lock(mutex_);
      if (runs_.contains(id)) return Fail(ErrorKind::kAlreadyExists, id);
      if (script_) report = script_(request);
      runs_[id] = {};
      requests_.push_back(std::move(request));
    }
    if (report) End(id, *report);
    return {};
  }

  [[nodiscard]] std::optional<report::RunStatus> Observe(std::string_view run_id) const override {
    const std::lock_guard lock(mutex_);
    const auto it = runs_.find(run_id);
    return it == runs_.end() ? std::nullopt : std::optional(it->second);
  }

  void Cancel(std::string_view run_id) override {
    {
      const std::lock_guard lock(mutex_);
      const auto it = runs_.find(run_id);
      if (it == runs_.end() || it->second.report) return;
      ++cancels_;
    }
    report::RunReport report;
    report.failure = report::Failure{.reason = report::Reason::kCancelled, .message = "cancelled"};
    End(std::string(run_id), report);
  }

  void Forget(std::string_view run_id) override {
    const std::lock_guard lock(mutex_);
    if (const auto it = runs_.find(run_id); it != runs_.end()) runs_.erase(it);
  }

  void SetListener(Listener listener) override {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
  }

  void End(const std::string& run_id, report::RunReport report) {
    Listener listener;
    {
      const std::lock_guard lock(mutex_);
      const auto it = runs_.find(run_id);
      if (it == runs_.end()) return;
      it->second.report = std::move(report);
      listener = listener_;
    }
    if (listener) listener(run_id);
  }

  void Show(const std::string& run_id, report::Progress progress) {
    const std::lock_guard lock(mutex_);
    runs_[run_id].progress = std::move(progress);
  }

  [[nodiscard]] std::vector<report::RunRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] std::size_t started() const { return requests().size(); }
  [[nodiscard]] int cancels() const {
    const std::lock_guard lock(mutex_);
    return cancels_;
  }
  [[nodiscard]] std::size_t remembered() const {
    const std::lock_guard lock(mutex_);
    return runs_.size();
  }

 private:
  mutable std::mutex mutex_;
  Script script_;
  Listener listener_;
  std::map<std::string, report::RunStatus, std::less<>> runs_;
  std::vector<report::RunRequest> requests_;
  int cancels_ = 0;
};

}  // namespace whimbrel::controller::testing
