#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/eventually.h"
#include "support/fake_clock.h"
#include "unit/controller/fake_runner.h"
#include "unit/controller/manifests.h"
#include "unit/controller/simulation.h"
#include "whimbrel/controller/controller.h"

namespace whimbrel::controller::testing {

/// Two words for scripts of the runner.
inline std::optional<report::RunReport> Succeed(const report::RunRequest& request) {
  report::RunReport report = Applied({"1"});
  report.source_digest = request.source->digest;
  return report;
}

inline std::optional<report::RunReport> GoOn(const report::RunRequest&) { return std::nullopt; }

/// A controller on manifests in memory, with a scripted runner.
class ControllerTest : public ::testing::Test {
 protected:
  void Start(ControllerOptions options = {}) {
    controller_ = std::make_unique<Controller>(Client(), runner_, std::move(options), *clock_);
    const Result<void> started = controller_->Start();
    ASSERT_TRUE(started) << started.error().message;
  }
  virtual kube::ObjectClient& Client() { return manifests_.client(); }
  void ExpectReason(const std::string& name, const std::string& reason) {
    EXPECT_TRUE(whimbrel::testing::EventuallyEquals<std::string>(
        [&] { return manifests_.Reason(name); }, reason))
        << manifests_.Get(name).dump(1);
  }
  std::vector<std::string> EventReasons() {
    std::vector<std::string> reasons;
    (void)manifests_.client().List(
        kube::Events(), {.ns = "shop"},
        [&](kube::Json&& event) { reasons.push_back(event.at("reason")); }, {});
    return reasons;
  }

  whimbrel::testing::FakeClock fake_clock_;
  const Clock* clock_ = &Clock::System();
  Manifests manifests_;
  FakeRunner runner_{Succeed};
  std::unique_ptr<Controller> controller_;
};

}  // namespace whimbrel::controller::testing
